package cap

import (
	"runtime"
	"syscall"
	"testing"
)

// TestDeathSignalWhenStackGrows: the result of the kernel arrives, also when the call
// makes the runtime move the stack.
func TestDeathSignalWhenStackGrows(t *testing.T) {
	for depth := range 400 {
		done := make(chan int)
		go func() {
			// A locked thread ends with its goroutine, and its signal with it.
			runtime.LockOSThread()
			got := 0
			if err := setDeathSignal(int(syscall.SIGURG)); err == nil {
				got = deathSignalAtDepth(depth)
			}
			done <- got
		}()
		if got := <-done; got != int(syscall.SIGURG) {
			t.Errorf("%d calls deep the signal is %d, not %d", depth, got, syscall.SIGURG)
		}
	}
}

// deathSignalAtDepth calls getDeathSignal with depth more frames on the stack. It returns 0
// after an error.
//
//go:noinline
func deathSignalAtDepth(depth int) int {
	if depth > 0 {
		return deathSignalAtDepth(depth - 1)
	}
	signal, _ := getDeathSignal()
	return signal
}
