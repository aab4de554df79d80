//go:build linux && (386 || arm)

package ids

import "golang.org/x/sys/unix"

// Numbers of the system calls with IDs of 32 bits. On these architectures the calls
// without the suffix 32 have IDs of 16 bits: 100000 would become 34464.
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
