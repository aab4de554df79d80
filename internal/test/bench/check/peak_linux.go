package main

import (
	"os"
	"syscall"
)

// peak returns the peak of a process's resident memory in bytes. Linux counts
// in KiB; getrusage(2).
func peak(p *os.ProcessState) int64 {
	usage, ok := p.SysUsage().(*syscall.Rusage)
	if !ok {
		return 0
	}
	return int64(usage.Maxrss) << 10
}
