package main

import (
	"os"
	"syscall"
)

// peak returns the peak of a process's resident memory in bytes. getrusage(2) has KiB
// on Linux.
func peak(p *os.ProcessState) int64 {
	usage, ok := p.SysUsage().(*syscall.Rusage)
	if !ok {
		return 0
	}
	return int64(usage.Maxrss) << 10
}
