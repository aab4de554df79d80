// How many processors there are counts at the start only: a launch is over
// before it could change, and a supervisor waits. So the runtime need not start
// what would look again.
//
//go:debug updatemaxprocs=0

// Command caprun starts a program with exactly the privileges that a reviewed
// YAML profile declares, or does not start it at all.
package main

import (
	"os"

	_ "caprun/internal/stack" // for a fast start
	"caprun/internal/thread"
)

// All work is done in an init function: see package thread. The first thread,
// which it is on, has what the caller gave it and new threads do not inherit:
// the parent-death signal of prctl(2). It is the one that becomes the target.
func init() {
	if isCommand {
		os.Exit(thread.InInit(work))
	}
}

// isCommand is false in the program of the tests.
var isCommand = true

func main() {}

func work() int {
	c := &Command{Stdin: os.Stdin, Stdout: os.Stdout, Stderr: os.Stderr, Colour: terminal(os.Stdout)}
	// Kernels before 5.18 start a program without even its name.
	return c.Main(os.Args[min(1, len(os.Args)):])
}

// terminal reports whether f is one that shows colour.
func terminal(f *os.File) bool {
	if os.Getenv("NO_COLOR") != "" || os.Getenv("TERM") == "dumb" {
		return false
	}
	st, err := f.Stat()
	return err == nil && st.Mode()&os.ModeCharDevice != 0
}
