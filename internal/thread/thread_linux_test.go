package thread

import (
	"runtime"
	"syscall"
	"testing"
)

// moved is what an init function sees that locks itself and lets others run.
var moved = -1

func init() {
	if InInit(func() int { Lock(); moved = leaves(); return 7 }) != 7 {
		moved = -1
	}
}

// leaves yields to goroutines that want its thread, and returns how often it
// was on another one afterwards.
func leaves() (n int) {
	stop := make(chan bool)
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
	tid := syscall.Gettid()
	for range 2000 {
		runtime.Gosched()
		if syscall.Gettid() != tid {
			n++
		}
	}
	return n
}

func TestInInit(t *testing.T) {
	if moved != 0 {
		t.Errorf("left its thread %d times", moved)
	}
	if initializing {
		t.Error("Lock takes what comes after for an init function")
	}
}

func TestLock(t *testing.T) {
	done := make(chan bool)
	go func() {
		defer close(done)
		Lock()
		if n := leaves(); n != 0 {
			t.Errorf("left its thread %d times", n)
		}
	}()
	<-done
}
