// Command caprun starts a program with exactly the privileges that a reviewed
// YAML profile declares, or does not start it at all.
package main

import (
	"os"
	"runtime"
)

// The main goroutine stays on the first thread of the process, which becomes the
// target: only that thread has the caller's parent-death signal, prctl(2)
// PR_SET_PDEATHSIG. Threads that the runtime starts do not inherit it.
func init() { runtime.LockOSThread() }

func main() {
	c := &Command{Stdin: os.Stdin, Stdout: os.Stdout, Stderr: os.Stderr, Colour: terminal(os.Stdout)}
	// Kernels before 5.18 start a program without even its name.
	os.Exit(c.Main(os.Args[min(1, len(os.Args)):]))
}

// terminal reports whether f is one that shows colour.
func terminal(f *os.File) bool {
	if os.Getenv("NO_COLOR") != "" || os.Getenv("TERM") == "dumb" {
		return false
	}
	st, err := f.Stat()
	return err == nil && st.Mode()&os.ModeCharDevice != 0
}
