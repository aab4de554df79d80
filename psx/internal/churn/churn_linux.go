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
	"errors"
	"syscall"
	"time"
	"unsafe"
)

// Kind is a way to create and end threads.
type Kind int

const (
	Joined   Kind = C.CHURN_JOINED   // pthread_create, pthread_join
	Detached Kind = C.CHURN_DETACHED // pthread_create of detached threads
	Cloned   Kind = C.CHURN_CLONED   // clone(2): the C library does not know the thread
	Queued   Kind = C.CHURN_QUEUED   // each maker keeps 32 threads, of which the oldest ends next
	Relay    Kind = C.CHURN_RELAY    // each thread creates its successor and ends
)

// Start starts this many makers, at most 64: threads that create threads which end
// soon, with a pause between two. It must not be called again before stop, which
// ends them and returns the number of threads that they have created.
func Start(kind Kind, makers int, pause time.Duration) (stop func() uint64, err error) {
	if err := result(C.churn_start(C.int(kind), C.int(makers), C.long(pause.Microseconds()))); err != nil {
		return nil, err
	}
	return func() uint64 { return uint64(C.churn_stop()) }, nil
}

// Guest is the number of a thread that waits for orders.
type Guest int

// NewGuest starts a guest by pthread_create(3). A process can start 16 guests.
func NewGuest() (Guest, error) { return newGuest(0) }

// NewClonedGuest starts a guest by clone(2).
func NewClonedGuest() (Guest, error) { return newGuest(1) }

func newGuest(cloned C.int) (Guest, error) {
	tid := C.guest_start(cloned)
	if tid < 0 {
		return 0, syscall.Errno(-tid)
	}
	return Guest(tid), nil
}

// BlockRaw makes the guest block every signal by a direct system call.
func (g Guest) BlockRaw() error { return g.tell(C.GUEST_BLOCK_RAW) }

// BlockByLibrary makes the guest block every signal by pthread_sigmask(3).
func (g Guest) BlockByLibrary() error { return g.tell(C.GUEST_BLOCK_LIBRARY) }

// Unblock undoes BlockRaw and BlockByLibrary.
func (g Guest) Unblock() error { return g.tell(C.GUEST_UNBLOCK) }

// RefuseNames makes prctl(PR_SET_NAME) fail with EPERM on the guest.
func (g Guest) RefuseNames() error { return g.tell(C.GUEST_REFUSE_NAMES) }

// Vfork makes the guest sleep in vfork(2), uninterruptibly and with all signals
// blocked, until EndVfork or for a minute. It works once in a process.
func (g Guest) Vfork() error { return g.tell(C.GUEST_VFORK) }

// EndVfork wakes the guest that sleeps in Vfork.
func EndVfork() { C.guest_end_vfork() }

// End ends the guest.
func (g Guest) End() error { return g.tell(C.GUEST_END) }

func (g Guest) tell(command C.int) error { return result(C.guest_tell(C.int(g), command)) }

// ReuseNumber makes the guest by replace the guest old, as soon as old has the given
// name: old ends, and by starts a new guest with the same thread number, which
// inherits the name of by. Until then by blocks every signal. wait returns when that
// is done.
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

// Restarted is the number of calls at the beginning of LongCalls that Linux restarts
// after a signal: signal(7).
const Restarted = C.LONG_POLL

// StartLongCalls starts a thread for each of LongCalls. It works once in a process.
// end lets the calls finish and returns their errors.
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

// BroadcastsAreSafe reports whether Go programs can use the functions of the C
// library that run a call on all threads, as SetuidSame and syscall.Setgid do. Those
// of musl overrun the small stacks of goroutines.
func BroadcastsAreSafe() bool { return C.process_broadcasts_are_safe() != 0 }

// SetuidSame calls setuid(3) with the current uid.
func SetuidSame() error { return result(C.process_setuid_same()) }

// Fork forks a child that calls setgid(3) with its current gid, and reaps it.
func Fork() error { return result(C.process_fork()) }

// Spawn runs a program by posix_spawn(3).
func Spawn() error { return result(C.process_spawn()) }

// Cancel cancels a thread by pthread_cancel(3), and reports whether it has ended.
func Cancel() bool { return C.process_cancel() != 0 }

// Timer has a timer of the C library call a function on a new thread.
func Timer() error { return result(C.process_timer()) }

// Forge sends signal 33 to a thread, with these members of siginfo_t.
func Forge(tid, code, errno, value int) error {
	return result(C.process_forge(C.int(tid), C.int(code), C.int(errno), C.int(value)))
}

// RemoveHandler restores the default action of signal 33.
func RemoveHandler() error { return result(C.process_take_signal(C.HANDLER_DEFAULT)) }

// ReplaceHandler sets a handler of signal 33 that does nothing.
func ReplaceHandler() error { return result(C.process_take_signal(C.HANDLER_SILENT)) }

// PrependHandler sets a handler of signal 33 that calls the previous one.
func PrependHandler() error { return result(C.process_take_signal(C.HANDLER_FORWARDING)) }

// EndThread ends the calling thread without the Go runtime. It does not return.
func EndThread() { C.process_end_thread() }

// KernelThread makes the kernel create a kernel thread in the process.
func KernelThread() error { return result(C.process_kernel_thread()) }

// Errno is C's errno on the calling thread.
func Errno() int { return int(C.process_get_errno()) }

// SetErrno sets C's errno on the calling thread.
func SetErrno(value int) { C.process_set_errno(C.int(value)) }

// errChild is the error for a negative result of C.
var errChild = errors.New("the child has failed")

func result(r C.int) error {
	switch {
	case r == 0:
		return nil
	case r < 0:
		return errChild
	}
	return syscall.Errno(r)
}
