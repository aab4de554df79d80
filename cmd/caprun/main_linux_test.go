package main

import (
	"runtime"
	"syscall"
	"testing"
)

// offFirstThread is how often the main goroutine was not on the first thread before the
// tests; TestMain sets it.
var offFirstThread int

// countOffFirstThread yields to goroutines that compete for the thread, and returns how
// often the main goroutine was not on the first one.
func countOffFirstThread() (n int) {
	stop := make(chan struct{})
	defer close(stop)
	for range 4 * runtime.GOMAXPROCS(0) {
		go func() {
			for {
				select {
				case <-stop:
					return
				default:
					runtime.Gosched()
				}
			}
		}()
	}
	for range 2000 {
		runtime.Gosched()
		if syscall.Gettid() != syscall.Getpid() {
			n++
		}
	}
	return n
}

// TestMainThread: the main goroutine, which executes the target, stays on the first
// thread of the process.
func TestMainThread(t *testing.T) {
	if offFirstThread != 0 {
		t.Errorf("the main goroutine was on another thread %d times", offFirstThread)
	}
}
