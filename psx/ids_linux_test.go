//go:build !386 && !arm

package psx

import "syscall"

const setresuid, setresgid = syscall.SYS_SETRESUID, syscall.SYS_SETRESGID
