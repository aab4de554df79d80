//go:build cgo

package psx

import (
	"fmt"
	"os"
	"runtime"
	"strings"
	"sync/atomic"
	"syscall"
	"testing"
	"time"

	"caprun/psx/internal/churn"
)

// sleepUninterruptibly makes a guest sleep uninterruptibly. wake wakes it up, and
// returns when it is awake.
func sleepUninterruptibly(t *testing.T, guest churn.Guest) (wake func()) {
	done := make(chan error, 1)
	go func() { done <- guest.Vfork() }()
	for state := ""; !strings.HasPrefix(state, "D"); state = threads(t, "State")[int(guest)] {
		select {
		case err := <-done:
			t.Fatal("vfork:", err)
		case <-time.After(time.Millisecond):
		}
	}
	return func() { churn.EndVfork(); check(t, <-done) }
}

// TestWaitsForSleepingThread: a call waits for a thread that sleeps uninterruptibly,
// as until its child has executed a program on a file system that does not respond.
// The process does not end, because such a thread executes nothing.
func TestWaitsForSleepingThread(t *testing.T) {
	if !inOwnProcess(t) {
		return
	}
	runTimeout = 300 * time.Millisecond
	guest := must[churn.Guest](t)(churn.NewGuest())
	if errno := setName("before"); errno != 0 {
		t.Fatal(errno)
	}
	// Other threads come and go faster than they can be listed.
	stop := must[func() uint64](t)(churn.Start(churn.Relay, 2, time.Millisecond))
	wake := sleepUninterruptibly(t, guest)
	var woken atomic.Bool
	time.AfterFunc(10*runTimeout, func() { woken.Store(true); wake() })
	if errno := setName("after"); errno != 0 {
		t.Fatal(errno)
	}
	if !woken.Load() {
		t.Error("the call returned before the thread had run it")
	}
	requireAll(t, "Name", "after")
	stop()
}

// TestSleepingThreadTimesOutBeforeChange: before any thread has changed, the timeout
// applies to a sleeping thread, too.
func TestSleepingThreadTimesOutBeforeChange(t *testing.T) {
	if !inOwnProcess(t) {
		return
	}
	probeTimeout = 300 * time.Millisecond
	wake := sleepUninterruptibly(t, must[churn.Guest](t)(churn.NewGuest()))
	requireUnchanged(t, syscall.ETIMEDOUT)
	wake()
	probeTimeout = hangLimit
	if errno := setName("after"); errno != 0 {
		t.Fatal(errno)
	}
	requireAll(t, "Name", "after")
}

// TestInterruptedCallerTimesOut: signals that interrupt the caller repeatedly do not
// postpone its timeout.
func TestInterruptedCallerTimesOut(t *testing.T) {
	if !inOwnProcess(t) {
		return
	}
	guest := must[churn.Guest](t)(churn.NewGuest())
	check(t, guest.BlockRaw())
	runtime.LockOSThread()
	pid, caller := os.Getpid(), syscall.Gettid()
	defer repeat(t, 1, func() error { return tgkill(pid, caller, syscall.SIGURG) }).stop()
	probeTimeout = 300 * time.Millisecond
	limit := time.AfterFunc(30*time.Second, func() { guest.Unblock() })
	defer limit.Stop()
	begin := time.Now()
	if errno := setName("after"); errno != syscall.ETIMEDOUT {
		t.Errorf("got %v, want ETIMEDOUT", errno)
	}
	if took := time.Since(begin); took > 5*time.Second {
		t.Errorf("the call took %v, want %v", took, probeTimeout)
	}
}

// TestLateThreadEndsTheProcess: a thread that has answered before is not asked again
// before the change. If it does not answer later, the process ends.
func TestLateThreadEndsTheProcess(t *testing.T) {
	output := fatalOutput(t, func() {
		guest, err := churn.NewGuest()
		if err != nil {
			t.Fatal(err)
		}
		fmt.Println("guest", guest, "named", setName("before"))
		if err := guest.BlockRaw(); err != nil {
			t.Fatal(err)
		}
		runTimeout = time.Second
		fmt.Println("returned", setName("after"))
	})
	_, rest, _ := strings.Cut(output, "guest ")
	tid, _, _ := strings.Cut(rest, " ")
	if !strings.Contains(output, "psx: thread "+tid+" has not run the call in time") || strings.Contains(output, "returned") {
		t.Errorf("the child printed: %s", output)
	}
}

// TestStoppedProcess: time during which the process is stopped does not count.
func TestStoppedProcess(t *testing.T) {
	if isOwnProcess(t) {
		probeTimeout, runTimeout = time.Second, time.Second
		stop := must[func() uint64](t)(churn.Start(churn.Joined, 2, time.Millisecond))
		for begin := time.Now(); time.Since(begin) < 3*time.Second; {
			if errno := setName("n"); errno != 0 {
				t.Fatal(errno)
			}
		}
		stop()
		return
	}
	cmd, output := start(t, nil)
	for range 2 {
		time.Sleep(200 * time.Millisecond)
		cmd.Process.Signal(syscall.SIGSTOP)
		time.Sleep(1200 * time.Millisecond)
		cmd.Process.Signal(syscall.SIGCONT)
	}
	if err := cmd.Wait(); err != nil {
		t.Errorf("%v\n%s", err, output)
	}
}
