//go:build linux

// Command creds is what scripts run as the target of a launch: it prints what
// it is allowed and what it was given, one line a subject, and does nothing
// else. Everything comes from system calls, so that it works in an empty root
// directory; build it with CGO_ENABLED=0.
package main

import (
	"bytes"
	"fmt"
	"os"
	"runtime"
	"strconv"
	"syscall"
)

const usage = `Usage: creds [-exit N | -kill N | -open PATH | -exec PROGRAM [ARG...]]

  -exit N     end with this status after the report
  -kill N     end by this signal after the report
  -open PATH  say whether PATH can be opened for reading, and from where one is
  -exec P     run P in place of creds after the report`

// What belongs to the first thread is reported, so it is the one that runs.
func init() { runtime.LockOSThread() }

func main() {
	// At once, so that whoever is killed has said all or nothing.
	var text bytes.Buffer
	report(&text)
	_, _ = os.Stdout.Write(text.Bytes())
	args := os.Args[1:]
	if len(args) < 2 {
		return
	}
	switch args[0] {
	case "-exit":
		os.Exit(number(args[1]))
	case "-kill":
		_ = syscall.Kill(os.Getpid(), syscall.Signal(number(args[1])))
		select {}
	case "-open":
		f, err := os.Open(args[1])
		if err != nil {
			fmt.Println("open:", err)
			return
		}
		f.Close()
		fmt.Println("open:", args[1], "works")
	case "-exec":
		fmt.Println("exec:", args[1])
		fmt.Println("exec:", syscall.Exec(args[1], args[1:], os.Environ()))
		os.Exit(1)
	}
}

func number(s string) int {
	n, err := strconv.Atoi(s)
	if err != nil {
		fmt.Fprintln(os.Stderr, usage)
		os.Exit(2)
	}
	return n
}
