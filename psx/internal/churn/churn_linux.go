//go:build cgo

package churn

/*
#include <stdlib.h>
#include "churn_linux.h"
#include "guest_linux.h"
#include "longcall_linux.h"
#include "process_linux.h"
#include "reuse_linux.h"
*/
import "C"

import (
	"syscall"
	"time"
	"unsafe"
)

// Kind is a way to make and end threads.
type Kind int

const (
	Joined   Kind = C.CHURN_JOINED   // pthread_create, pthread_join
	Detached Kind = C.CHURN_DETACHED // pthread_create of detached threads
	Cloned   Kind = C.CHURN_CLONED   // clone(2), behind the C library's back
	Queued   Kind = C.CHURN_QUEUED   // each maker has 32, of which the oldest ends
	Relay    Kind = C.CHURN_RELAY    // each thread makes its successor and ends
)

// Start has makers threads (at most 64) make threads that end soon, with a
// pause between two. One churn runs at a time. The function that it returns
// ends it, and returns the number of threads that there have been.
func Start(kind Kind, makers int, pause time.Duration) (stop func() uint64, err error) {
	if err := result(C.churn_start(C.int(kind), C.int(makers), C.long(pause.Microseconds()))); err != nil {
		return nil, err
	}
	return func() uint64 { return uint64(C.churn_stop()) }, nil
}

// Guest is the number of a thread that waits for orders.
type Guest int

// NewGuest starts one by pthread_create, at most 16 in a process.
func NewGuest() (Guest, error) { return newGuest(0) }

// NewClonedGuest starts one by a bare clone(2).
func NewClonedGuest() (Guest, error) { return newGuest(1) }

func newGuest(cloned C.int) (Guest, error) {
	tid := C.guest_start(cloned)
	if tid < 0 {
		return 0, syscall.Errno(-tid)
	}
	return Guest(tid), nil
}

// BlockRaw has the guest block every signal, asking the kernel itself.
func (g Guest) BlockRaw() error { return g.tell(C.GUEST_BLOCK_RAW) }

// BlockByLibrary has it block every signal by pthread_sigmask(3).
func (g Guest) BlockByLibrary() error { return g.tell(C.GUEST_BLOCK_LIBRARY) }

// Unblock undoes both.
func (g Guest) Unblock() error { return g.tell(C.GUEST_UNBLOCK) }

// RefuseNames makes prctl(PR_SET_NAME) fail with EPERM on the guest.
func (g Guest) RefuseNames() error { return g.tell(C.GUEST_REFUSE_NAMES) }

// Vfork has the guest sleep in vfork(2), uninterruptibly and with all signals
// blocked, until EndVfork. It does so once in a process, for a minute at most.
func (g Guest) Vfork() error { return g.tell(C.GUEST_VFORK) }

// EndVfork lets that guest go on.
func EndVfork() { C.guest_end_vfork() }

// End ends the guest.
func (g Guest) End() error { return g.tell(C.GUEST_END) }

func (g Guest) tell(command C.int) error { return result(C.guest_tell(C.int(g), command)) }

// ReuseNumber has a guest replace another one by a thread with the number of
// the old one, as soon as that one has the given name. The replacing guest
// blocks every signal meanwhile, and the new one has the name that it has.
// The function that it returns waits for the end of that.
func ReuseNumber(by, old Guest, name string) (wait func() error) {
	cname := C.CString(name)
	done := make(chan error, 1)
	C.reuse_prepare(C.int(old), cname)
	if err := by.BlockRaw(); err != nil {
		done <- err
	} else {
		go func() {
			done <- result(C.guest_tell(C.int(by), C.GUEST_REUSE))
			C.free(unsafe.Pointer(cname))
		}()
	}
	return func() error { return <-done }
}

// LongCalls are the calls that StartLongCalls makes, in order.
var LongCalls = [...]string{
	"read", "write", "accept", "recv", "fcntl", "flock", "waitpid", "futex", "pthread_cond_timedwait", "sem_wait", "open",
	"poll", "select", "epoll_wait", "nanosleep", "recv with SO_RCVTIMEO", "sigtimedwait",
}

// Restarted is how many of LongCalls, from the first, Linux restarts after a
// signal, by signal(7).
const Restarted = C.LONG_POLL

// StartLongCalls starts a thread in each of LongCalls, once in a process. The
// function that it returns lets them finish and returns their errors.
func StartLongCalls() (end func() []error, err error) {
	if err := result(C.long_start()); err != nil {
		return nil, err
	}
	return func() []error {
		var results [C.LONG_CALLS]C.int
		C.long_end(&results[0])
		errs := make([]error, len(results))
		for i, r := range results {
			errs[i] = result(r)
		}
		return errs
	}, nil
}

// BroadcastsAreSafe says whether the C library's own broadcasts, as in
// SetuidSame and syscall.Setgid, can be used beside Go code. Those of musl
// overrun the small stacks of goroutines.
func BroadcastsAreSafe() bool { return C.process_broadcasts_are_safe() != 0 }

// SetuidSame sets the uid to what it is, by the C library.
func SetuidSame() error { return result(C.process_setuid_same()) }

// Fork forks a child that changes its group id by the C library, and reaps it.
func Fork() error { return result(C.process_fork()) }

// Spawn runs a program by posix_spawn(3).
func Spawn() error { return result(C.process_spawn()) }

// Cancel cancels a thread and says whether that has ended it.
func Cancel() bool { return C.process_cancel() != 0 }

// Timer has a timer run a function on a thread of the C library's own.
func Timer() error { return result(C.process_timer()) }

// Forge sends a thread signal 33 with contents of choice.
func Forge(tid, code, errno, value int) error {
	return result(C.process_forge(C.int(tid), C.int(code), C.int(errno), C.int(value)))
}

// RemoveHandler takes away the handler of signal 33.
func RemoveHandler() error { return result(C.process_take_signal(C.HANDLER_DEFAULT)) }

// ReplaceHandler puts one in its place that does nothing.
func ReplaceHandler() error { return result(C.process_take_signal(C.HANDLER_SILENT)) }

// PrependHandler puts one in front of it that calls it for every signal.
func PrependHandler() error { return result(C.process_take_signal(C.HANDLER_FORWARDING)) }

// EndThread ends the calling thread, behind Go's back. It does not return.
func EndThread() { C.process_end_thread() }

// KernelThread has the kernel put a thread of its own into the process.
func KernelThread() error { return result(C.process_kernel_thread()) }

// Errno is C's errno on the calling thread.
func Errno() int { return int(C.process_get_errno()) }

// SetErrno sets it.
func SetErrno(value int) { C.process_set_errno(C.int(value)) }

// failure is what C answers when there is no errno for it.
type failure struct{}

func (failure) Error() string { return "the child has failed" }

func result(r C.int) error {
	switch {
	case r == 0:
		return nil
	case r < 0:
		return failure{}
	}
	return syscall.Errno(r)
}
