//go:build linux

// Command creds is the target of launches in tests: it prints its credentials and
// everything that it inherited, one line per subject. It uses only system calls, so
// that it works in an empty root directory; build it with CGO_ENABLED=0.
package main

import (
	"bytes"
	"fmt"
	"os"
	"runtime"
	"strconv"
	"syscall"
)

const usage = `Usage: creds [-limits | -exit N | -kill N | -open PATH | -exec PROGRAM [ARG...]]

  -limits     report every resource limit; that of open files as the Go runtime sets it
  -exit N     exit with this status after the report
  -kill N     end by this signal after the report
  -open PATH  report whether PATH can be opened for reading, and relative to which directory
  -exec P     execute P after the report`

// The report is about the first thread.
func init() { runtime.LockOSThread() }

func main() {
	// In one write: a killed process has printed all or nothing.
	var text bytes.Buffer
	report(&text)
	_, _ = os.Stdout.Write(text.Bytes())
	args := os.Args[1:]
	if len(args) == 1 && args[0] == "-limits" {
		reportLimits(os.Stdout)
	}
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
