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

// turn serializes the calls. Only callers lock it: the code that runs on the
// other threads takes no lock.
var turn sync.Mutex

// How long a thread may leave a signal unanswered. Before any thread has changed,
// the call then fails; afterwards the process ends.
var (
	probeTimeout = 5 * time.Second
	runTimeout   = 30 * time.Second
)

// everyThread leaves the work to C, whose signal handler can run on threads that
// the Go runtime has not created.
func everyThread(nr, a1, a2, a3, a4, a5, a6 uintptr) (uintptr, uintptr, syscall.Errno) {
	turn.Lock()
	defer turn.Unlock()
	call := C.struct_psx_call{
		nr:   C.long(nr),
		args: [6]C.long{C.long(a1), C.long(a2), C.long(a3), C.long(a4), C.long(a5), C.long(a6)},
	}
	r := C.psx_every_thread(call, C.long(probeTimeout.Milliseconds()), C.long(runTimeout.Milliseconds()))
	if r.error != 0 {
		return failed, 0, syscall.Errno(r.error)
	}
	return uintptr(r.value), 0, 0
}
