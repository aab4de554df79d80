//go:build cgo

package psx

import "C"

import "syscall"

func everyThread(nr, a1, a2, a3, a4, a5, a6 uintptr) (uintptr, uintptr, syscall.Errno) {
	return failed, 0, syscall.ENOSYS
}
