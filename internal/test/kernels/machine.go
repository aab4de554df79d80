package main

import (
	"bytes"
	"context"
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"time"
)

// A machine is one run of qemu.
type machine struct {
	kernel    kernel
	initramfs string
	accel     string
	limit     time.Duration
	logs      string // a directory that run creates
}

// run boots the kernel, and returns the results of the suites. The first serial port
// is the console of the kernel, the second has the report.
func (m machine) run(ctx context.Context, suites []suite) report {
	if err := os.Mkdir(m.logs, 0o755); err != nil {
		return report{kernel: m.kernel, err: err}
	}
	ctx, cancel := context.WithTimeout(ctx, m.limit)
	defer cancel()
	console := filepath.Join(m.logs, "console")
	cmd := exec.CommandContext(ctx, "qemu-system-x86_64",
		"-accel", m.accel, "-cpu", "max", "-smp", "2", "-m", "2048",
		"-kernel", m.kernel.image, "-initrd", m.initramfs, "-append", "console=ttyS0 panic=-1 quiet",
		"-nodefaults", "-no-user-config", "-display", "none", "-nic", "none", "-no-reboot",
		"-serial", "file:"+console, "-serial", "stdio")
	out, err := os.Create(filepath.Join(m.logs, "report"))
	if err != nil {
		return report{kernel: m.kernel, err: err}
	}
	defer out.Close()
	var messages bytes.Buffer
	cmd.Stdout, cmd.Stderr = out, &messages
	began := time.Now()
	err = cmd.Run()
	took := time.Since(began)
	if ctx.Err() != nil {
		err = fmt.Errorf("the machine did not end within %v", m.limit)
	}
	text, readErr := os.ReadFile(out.Name())
	if err == nil {
		err = readErr
	}
	r := parse(bytes.ReplaceAll(text, []byte("\r\n"), []byte("\n")), suites)
	r.kernel, r.took = m.kernel, took
	if err != nil {
		r.err = fmt.Errorf("%w %s", err, messages.Bytes())
	}
	return r
}
