//go:build linux && !386 && !arm

package ids

import "golang.org/x/sys/unix"

// Numbers of the system calls with IDs of 32 bits.
const (
	SysSetresuid = unix.SYS_SETRESUID
	SysSetresgid = unix.SYS_SETRESGID
	SysSetgroups = unix.SYS_SETGROUPS
	SysGetresuid = unix.SYS_GETRESUID
	SysGetresgid = unix.SYS_GETRESGID
	SysGetgroups = unix.SYS_GETGROUPS
	sysSetfsuid  = unix.SYS_SETFSUID
	sysSetfsgid  = unix.SYS_SETFSGID
)
