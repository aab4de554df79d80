package psx

import (
	"os/exec"
	"runtime"
	"strconv"
	"sync"
	"sync/atomic"
	"syscall"
	"testing"
	"time"

	"caprun/internal/test/requires"
)

// goChurn creates and ends threads of the Go runtime until stopped, a few hundred
// per second. stop returns their number.
func goChurn() (stop func() uint64) {
	var done atomic.Bool
	var ended atomic.Uint64
	var wait sync.WaitGroup
	for range 3 {
		wait.Go(func() {
			for !done.Load() {
				over := make(chan bool)
				go func() {
					runtime.LockOSThread() // the thread ends with the goroutine
					ended.Add(1)
					close(over)
				}()
				<-over
				time.Sleep(3 * time.Millisecond)
			}
		})
	}
	return func() uint64 { done.Store(true); wait.Wait(); return ended.Load() }
}

// stress sets the name of all threads repeatedly while other threads come and go,
// and checks each of them after every call.
func stress(t *testing.T, calls int, stop func() uint64) {
	t.Helper()
	var longest time.Duration
	begin := time.Now()
	for i := range calls {
		name := "n" + strconv.Itoa(i)
		before := time.Now()
		if errno := setName(name); errno != 0 {
			t.Fatalf("call %d: %v", i, errno)
		}
		longest = max(longest, time.Since(before))
		if requireAll(t, "Name", name); t.Failed() {
			t.Fatalf("after call %d", i)
		}
	}
	ended := stop()
	if _, _, errno := Syscall3(syscall.SYS_PRCTL, prSetNoNewPrivs, 1, 0); errno != 0 {
		t.Error(errno)
	}
	requireAll(t, "NoNewPrivs", "1")
	t.Logf("%d calls in %v, the longest %v, while %d threads came and went", calls, time.Since(begin).Round(time.Millisecond), longest, ended)
}

func TestGoThreadsComeAndGo(t *testing.T) {
	if inOwnProcess(t) {
		stress(t, 300, goChurn())
	}
}

func TestDuringExec(t *testing.T) {
	if !inOwnProcess(t) {
		return
	}
	path := requires.Tool(t, "true")
	var wait sync.WaitGroup
	for range 3 {
		wait.Go(func() {
			for range 15 {
				if err := exec.Command(path).Run(); err != nil {
					t.Error(err)
				}
			}
		})
	}
	done := make(chan bool)
	go func() { wait.Wait(); close(done) }()
	for n := 0; ; n++ {
		select {
		case <-done:
			t.Logf("%d calls", n)
			return
		default:
		}
		if errno := setName("n" + strconv.Itoa(n)); errno != 0 {
			t.Fatal(errno)
		}
		// Each call stops every goroutine, so with GOMAXPROCS=1 the others would
		// get no time.
		if n%10 == 0 {
			runtime.Gosched()
		}
	}
}
