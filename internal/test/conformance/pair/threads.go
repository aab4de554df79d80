package pair

import (
	"fmt"
	"runtime"
	"sync"
	"syscall"

	"caprun/cap"

	upstream "kernel.org/pub/linux/libs/security/libcap/cap"
)

// setProc changes every thread of a process with this number of threads in addition to
// those of the Go runtime.
//
// With cgo and few threads, upstream can be a little faster on an idle machine with
// several CPUs. Its threads wait in sched_yield(2), which keeps every CPU awake; ours
// sleep, so each signal wakes a CPU again. On a busy machine, waiting in this way takes
// upstream milliseconds.
func setProc(threads int) Pair {
	return Pair{
		Name:    fmt.Sprintf("SetProc, %d more threads", threads),
		Ours:    func() error { return cap.GetProc().SetProc() },
		Theirs:  func() error { return upstream.GetProc().SetProc() },
		Prepare: func() (func(), error) { return park(threads) },
	}
}

// park starts threads that wait in read(2) until undo ends them.
func park(threads int) (undo func(), err error) {
	var p [2]int
	if err := syscall.Pipe2(p[:], syscall.O_CLOEXEC); err != nil {
		return nil, err
	}
	var ready, done sync.WaitGroup
	ready.Add(threads)
	for range threads {
		done.Go(func() {
			// Never unlocked: the thread ends with the goroutine.
			runtime.LockOSThread()
			ready.Done()
			var b [1]byte
			for {
				if _, err := syscall.Read(p[0], b[:]); err != syscall.EINTR {
					return
				}
			}
		})
	}
	ready.Wait()
	return func() {
		syscall.Close(p[1])
		done.Wait()
		syscall.Close(p[0])
	}, nil
}
