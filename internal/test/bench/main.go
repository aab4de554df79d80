// Command bench measures what a launcher adds to the start of a program.
//
//	go run ./internal/test/bench [-rounds N]
//
// It starts a static program that does nothing but exit: directly, through a
// Go program that only execs, through setpriv and gosu with the work of the
// web profile as far as they can do it, and through caprun. What is measured
// is the whole process, from before the fork to after the wait.
//
// All of them are built and measured in one run, in turns, so that a busy
// machine is equally busy for each. Other work on the machine makes all times
// longer: the ratios are what to read, and the minima say what an idle machine
// would show. The CPU time is that of user and system mode together.
package main

import (
	"flag"
	"fmt"
	"os"
	"runtime"
	"runtime/debug"
)

// target is how many times longer than the Go program that only execs a launch
// with a profile file may take.
const target = 4.5

func main() {
	rounds := flag.Int("rounds", 300, "how often each launcher is measured")
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
	// Another user must reach the program that is started.
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
	debug.SetGCPercent(-1) // what one run keeps is small, and a collection would hit one launcher
	if err := measure(rows, rounds); err != nil {
		return err
	}
	fmt.Printf("Starting %s: %d rounds, %s, %d processors.\n\n", how, rounds, runtime.Version(), runtime.NumCPU())
	return table(os.Stdout, rows)
}
