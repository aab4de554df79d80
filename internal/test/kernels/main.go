// Command kernels boots other kernels in qemu and runs the tests whose results depend
// on the kernel.
//
//	go run ./internal/test/kernels [-short] [-suite NAME] [-keep] [-accel ACCELERATOR] [VMLINUZ...]
//
// Without arguments it boots Debian's 6.1 and 6.12: it downloads the packages with
// apt-get, which verifies them, and unpacks the kernels into the user's cache
// directory. It installs nothing. See docs/kernels.md.
//
// The guest has no disk and no network. Its initramfs is made of busybox and static
// test binaries. Each machine has a time limit, and so has each suite. The exit
// status is 0 if every suite passed on every kernel.
package main

import (
	"context"
	"errors"
	"flag"
	"fmt"
	"os"
	"os/exec"
	"os/signal"
	"path/filepath"
	"sync"
	"syscall"
	"time"
)

// Limits of each machine: several times its duration with two idle processors.
const (
	fullLimit  = 60 * time.Minute
	shortLimit = 10 * time.Minute
)

// emulation is the accelerator of qemu that needs no virtualization. With a thread for each
// processor, a processor can execute a breakpoint that the kernel has already removed from
// its code, as when it enables a tracepoint: then the kernel ends with "Oops: int3".
const emulation = "tcg,thread=single"

func main() {
	short := flag.Bool("short", false, "run fewer sequences and launches")
	keep := flag.Bool("keep", false, "keep the output of the machines")
	only := flag.String("suite", "", "run only this suite")
	accel := flag.String("accel", emulation, "qemu accelerator: tcg (software emulation) or kvm")
	sequences := flag.Int("sequences", 0, "sequences of the comparison with the model (default 6000, short 150)")
	launches := flag.Int("launches", 0, "random launches (default 400, short 20)")
	flag.Parse()
	if err := run(options{*short, *keep, *only, *accel, *sequences, *launches, flag.Args()}); err != nil {
		fmt.Fprintln(os.Stderr, "kernels:", err)
		os.Exit(1)
	}
}

type options struct {
	short, keep         bool
	only, accel         string
	sequences, launches int
	images              []string
}

func (o *options) setDefaults() {
	if o.sequences == 0 {
		o.sequences = 6000
		if o.short {
			o.sequences = 150
		}
	}
	if o.launches == 0 {
		o.launches = 400
		if o.short {
			o.launches = 20
		}
	}
}

// A kernel to boot.
type kernel struct {
	release string // the beginning of uname -r, or ""
	image   string // path of the compressed kernel
}

func run(o options) error {
	o.setDefaults()
	if _, err := os.Stat("engine/cred"); err != nil {
		return fmt.Errorf("run kernels in the root directory of the repository: %w", err)
	}
	for program, pkg := range map[string]string{"qemu-system-x86_64": "qemu-system-x86", "busybox": "busybox-static"} {
		if _, err := exec.LookPath(program); err != nil {
			return fmt.Errorf("%w; apt-get install %s", err, pkg)
		}
	}
	dir, err := os.MkdirTemp("", "caprun-kernels-")
	if err != nil {
		return err
	}
	ctx, stop := signal.NotifyContext(context.Background(), os.Interrupt, syscall.SIGTERM)
	defer stop()

	kernels, err := findKernels(ctx, o.images)
	if err != nil {
		return errors.Join(err, os.RemoveAll(dir))
	}
	suites := suitesFor(o)
	if len(suites) == 0 {
		return errors.Join(fmt.Errorf("unknown suite %q", o.only), os.RemoveAll(dir))
	}
	initramfs := filepath.Join(dir, "initramfs.gz")
	if err := buildImage(ctx, dir, initramfs, suites); err != nil {
		return errors.Join(err, os.RemoveAll(dir))
	}

	limit := fullLimit
	if o.short {
		limit = shortLimit
	}
	reports := make([]report, len(kernels))
	var wait sync.WaitGroup
	for n, k := range kernels {
		wait.Go(func() {
			m := machine{kernel: k, initramfs: initramfs, accel: o.accel, limit: limit, logs: filepath.Join(dir, fmt.Sprint(n))}
			reports[n] = m.run(ctx, suites)
		})
	}
	wait.Wait()

	printTable(os.Stdout, reports)
	failed := false
	for _, r := range reports {
		failed = r.printFailures(os.Stdout) || failed
	}
	if failed {
		return fmt.Errorf("failed; the output of the machines is in %s", dir)
	}
	if o.keep {
		fmt.Println("the output of the machines is in", dir)
		return nil
	}
	return os.RemoveAll(dir)
}
