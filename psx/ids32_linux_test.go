//go:build 386 || arm

package psx

import "syscall"

const setresuid, setresgid = syscall.SYS_SETRESUID32, syscall.SYS_SETRESGID32
