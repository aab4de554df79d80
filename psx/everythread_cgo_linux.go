//go:build cgo

package psx

/*
#include "everythread_linux.h"
*/
import "C"

import (
	"sync"
	"syscall"
	"time"
)

// turn is held for the length of a call. Only callers take it: the code that
// runs on the other threads takes no lock.
var turn sync.Mutex

// How long a thread may leave a signal unanswered: before anything has
// changed, and after it, when giving up means the end of the process.
var (
	patienceBefore = 5 * time.Second
	patienceAfter  = 30 * time.Second
)

// everyThread leaves the work to C, which can answer on threads that Go has
// not made.
func everyThread(nr, a1, a2, a3, a4, a5, a6 uintptr) (uintptr, uintptr, syscall.Errno) {
	turn.Lock()
	defer turn.Unlock()
	call := C.struct_psx_call{
		nr:   C.long(nr),
		args: [6]C.long{C.long(a1), C.long(a2), C.long(a3), C.long(a4), C.long(a5), C.long(a6)},
	}
	r := C.psx_every_thread(call, C.long(patienceBefore.Milliseconds()), C.long(patienceAfter.Milliseconds()))
	if r.error != 0 {
		return failed, 0, syscall.Errno(r.error)
	}
	return uintptr(r.value), 0, 0
}
