// Command bench measures what a launcher adds to the start of a program.
//
//	go run ./internal/test/bench [-rounds N]
//
// It starts a static program that only exits: directly, through a static program that only
// execs, through a sealed launcher, through a program in C and one in Go that only exec,
// through setpriv and gosu with the settings of the web profile that they support, and
// through caprun. It measures the whole process, from before the fork to
// after the wait.
//
// It builds and measures all of them in one run, in turns, so that other load on the
// machine affects all alike. Such load makes all times longer: compare the ratios,
// and the minima, which are close to those of an idle machine. The CPU time is that
// of user and system mode together.
package main

import (
	"flag"
	"fmt"
	"os"
	"runtime"
	"runtime/debug"
)

// target is the limit: a launch with a profile file may take this many times as long
// as the Go program that only execs.
const target = 4.5

// A sealed launcher may take this many times as long as the static stub and as setpriv.
const (
	stubTarget    = 1.25
	setprivTarget = 0.3
)

func main() {
	rounds := flag.Int("rounds", 300, "number of rounds: measurements of each launcher")
	flag.Parse()
	if *rounds < 1 || flag.NArg() > 0 {
		flag.Usage()
		os.Exit(2)
	}
	if err := run(*rounds); err != nil {
		fmt.Fprintln(os.Stderr, "bench:", err)
		os.Exit(1)
	}
}

func run(rounds int) error {
	dir, err := os.MkdirTemp("", "caprun-bench-")
	if err != nil {
		return err
	}
	defer os.RemoveAll(dir)
	// Another user must reach the program.
	if err := os.Chmod(dir, 0o755); err != nil {
		return err
	}
	noop, how, err := buildNoop(dir)
	if err != nil {
		return err
	}
	rows, err := launchers(dir, noop)
	if err != nil {
		return err
	}
	// One run uses little memory, and a garbage collection would slow one launcher.
	debug.SetGCPercent(-1)
	if err := measure(rows, rounds); err != nil {
		return err
	}
	fmt.Printf("Starting %s: %d rounds, %s, %d processors.\n\n", how, rounds, runtime.Version(), runtime.NumCPU())
	return table(os.Stdout, rows)
}
