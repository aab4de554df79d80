// Command caprun starts a program with exactly the privileges that a reviewed
// YAML profile declares, or does not start it.
package main

import (
	"os"
	"runtime"

	"caprun/internal/render"

	"golang.org/x/term"
)

// The main goroutine stays on the first thread of the process, which executes the
// target: only that thread has the caller's parent-death signal, prctl(2)
// PR_SET_PDEATHSIG. Threads that the runtime starts do not inherit it.
func init() { runtime.LockOSThread() }

func main() {
	c := &Command{Env: render.Env{Stdin: os.Stdin, Stdout: os.Stdout, Stderr: os.Stderr, Colour: showsColour(os.Stdout)}}
	// Before Linux 5.18, argv can be empty.
	os.Exit(c.Main(os.Args[min(1, len(os.Args)):]))
}

// showsColour reports whether f is a terminal and the environment does not forbid
// colour.
func showsColour(f *os.File) bool {
	return os.Getenv("NO_COLOR") == "" && os.Getenv("TERM") != "dumb" && term.IsTerminal(int(f.Fd()))
}
