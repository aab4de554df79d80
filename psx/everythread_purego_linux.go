//go:build !cgo

package psx

import "syscall"

// everyThread leaves the work to the Go runtime: without cgo it has created
// every thread of the process.
func everyThread(nr, a1, a2, a3, a4, a5, a6 uintptr) (uintptr, uintptr, syscall.Errno) {
	r1, _, errno := syscall.AllThreadsSyscall6(nr, a1, a2, a3, a4, a5, a6)
	if errno != 0 {
		return failed, 0, errno
	}
	return r1, 0, 0
}
