//go:build !linux

package psx

import "syscall"

// everyThread returns ENOSYS: only Linux has credentials per thread.
func everyThread(_, _, _, _, _, _, _ uintptr) (uintptr, uintptr, syscall.Errno) {
	return failed, 0, syscall.ENOSYS
}
