package policy

import (
	"syscall"
	"testing"
	"time"
)

// cpuTime returns the processor time that this process has used: a busy
// machine does not add to it.
func cpuTime(t *testing.T) time.Duration {
	t.Helper()
	var use syscall.Rusage
	if err := syscall.Getrusage(syscall.RUSAGE_SELF, &use); err != nil {
		t.Fatal(err)
	}
	return time.Duration(use.Utime.Nano() + use.Stime.Nano())
}
