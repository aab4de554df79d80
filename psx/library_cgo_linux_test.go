//go:build cgo

package psx

import (
	"fmt"
	"runtime"
	"slices"
	"strconv"
	"sync"
	"sync/atomic"
	"syscall"
	"testing"
	"time"

	"caprun/internal/test/requires"
	"caprun/psx/internal/churn"
)

// background is work that is repeated while calls are made.
type background struct {
	times func() uint64        // how often it has been done
	stop  func() (last uint64) // ends it and returns the final number
}

// repeat runs f on n goroutines until stopped.
func repeat(t *testing.T, n int, f func() error) background {
	var done atomic.Bool
	var times atomic.Uint64
	var wait sync.WaitGroup
	for range n {
		wait.Go(func() {
			for !done.Load() {
				if err := f(); err != nil {
					t.Error(err)
					return
				}
				times.Add(1)
			}
		})
	}
	return background{times.Load, func() uint64 { done.Store(true); wait.Wait(); return times.Load() }}
}

// callDuring makes calls while background work is done. It makes more calls if that
// work begins late.
func callDuring(t *testing.T, calls int, work ...background) {
	t.Helper()
	if long {
		calls *= 20
	}
	idle := func(b background) bool { return b.times() == 0 }
	for n := 0; n < calls || n < 100*calls && slices.ContainsFunc(work, idle); n++ {
		name := "n" + strconv.Itoa(n)
		if errno := setName(name); errno != 0 {
			t.Fatal(errno)
		}
		if n%10 == 0 {
			requireAll(t, "Name", name)
			runtime.Gosched() // the calls leave the other goroutines little time
		}
	}
	for _, b := range work {
		times := b.stop()
		t.Logf("%d calls, background work done %d times", calls, times)
		if times == 0 {
			t.Error("no background work was done")
		}
	}
}

// requireSafeBroadcasts skips a test that makes the C library run calls on all
// threads, if that damages the stacks of goroutines.
func requireSafeBroadcasts(t *testing.T) {
	t.Helper()
	if !churn.BroadcastsAreSafe() {
		requires.Skip(t, "a C library whose signal handler does not need more than the stack of a goroutine")
	}
}

func TestDuringLibraryBroadcasts(t *testing.T) {
	requireSafeBroadcasts(t)
	if !inOwnProcess(t) {
		return
	}
	callDuring(t, 300,
		background{func() uint64 { return 1 }, must[func() uint64](t)(churn.Start(churn.Joined, 2, time.Millisecond))},
		repeat(t, 2, func() error { return syscall.Setgid(syscall.Getgid()) }),
		repeat(t, 2, churn.SetuidSame))
}

// TestLibraryBroadcastIsForwarded: a call that the C library runs on every thread
// still reaches every thread.
func TestLibraryBroadcastIsForwarded(t *testing.T) {
	requireSafeBroadcasts(t)
	requires.Root(t)
	if !inOwnProcess(t) {
		return
	}
	defer parkThreads(10)()
	if errno := setName("before"); errno != 0 {
		t.Fatal(errno)
	}
	check(t, syscall.Setgid(100000))
	requireAll(t, "Gid", "100000\t100000\t100000\t100000")
}

func TestDuringForks(t *testing.T) {
	if !inOwnProcess(t) {
		return
	}
	callDuring(t, 200, repeat(t, 2, churn.Fork), repeat(t, 1, churn.Spawn))
}

func TestDuringCancellation(t *testing.T) {
	if !inOwnProcess(t) {
		return
	}
	// The library may set its handler when it first cancels a thread.
	for n := range 3 {
		if errno := setName("n" + strconv.Itoa(n)); errno != 0 {
			t.Fatal(errno)
		}
		if !churn.Cancel() {
			t.Error("a thread was not cancelled")
		}
	}
	callDuring(t, 100, repeat(t, 1, func() error {
		if !churn.Cancel() {
			return fmt.Errorf("a thread was not cancelled")
		}
		return nil
	}))
}

func TestTimersWithThreads(t *testing.T) {
	if !inOwnProcess(t) {
		return
	}
	check(t, churn.Timer())
	if errno := setName("n"); errno != 0 {
		t.Fatal(errno)
	}
	callDuring(t, 100, repeat(t, 1, churn.Timer))
}
