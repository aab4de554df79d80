//go:build !linux

package psx

import "syscall"

// everyThread refuses: these credentials exist on Linux only.
func everyThread(_, _, _, _, _, _, _ uintptr) (uintptr, uintptr, syscall.Errno) {
	return failed, 0, syscall.ENOSYS
}
