//go:build !linux

package psx

import (
	"syscall"
	"testing"
)

func TestOtherSystemsRefuse(t *testing.T) {
	if _, _, errno := Syscall3(1, 2, 3, 4); errno != syscall.ENOSYS {
		t.Errorf("Syscall3: %v, want ENOSYS", errno)
	}
	if _, _, errno := Syscall6(1, 2, 3, 4, 5, 6, 7); errno != syscall.ENOSYS {
		t.Errorf("Syscall6: %v, want ENOSYS", errno)
	}
}
