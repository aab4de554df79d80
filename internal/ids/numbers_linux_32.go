//go:build linux && (386 || arm)

package ids

import "golang.org/x/sys/unix"

// The system calls that take ids of 32 bits. Those without a suffix take 16-bit ids
// here: 100000 would silently become 34464.
const (
	SysSetresuid = unix.SYS_SETRESUID32
	SysSetresgid = unix.SYS_SETRESGID32
	SysSetgroups = unix.SYS_SETGROUPS32
	SysGetresuid = unix.SYS_GETRESUID32
	SysGetresgid = unix.SYS_GETRESGID32
	SysGetgroups = unix.SYS_GETGROUPS32
	sysSetfsuid  = unix.SYS_SETFSUID32
	sysSetfsgid  = unix.SYS_SETFSGID32
)
