//go:build linux && (amd64 || arm64)

package cred_test

import (
	"fmt"
	"slices"
	"syscall"
	"unsafe"

	"caprun/engine/cred"

	"golang.org/x/sys/unix"
)

// An operation is one step of a sequence, in the model and in the kernel. In the kernel it
// changes the calling thread only: it makes raw system calls, because package syscall changes
// every thread of the process.
type operation struct {
	text   string
	model  func(cred.Cred, cred.Rules) (cred.Cred, cred.Errno)
	kernel func() cred.Errno
}

func capset(e, p, i cred.Caps) operation {
	return operation{
		fmt.Sprintf("Capset(e %v, p %v, i %v)", e, p, i),
		func(c cred.Cred, _ cred.Rules) (cred.Cred, cred.Errno) { return c.Capset(e, p, i) },
		func() cred.Errno {
			header := unix.CapUserHeader{Version: unix.LINUX_CAPABILITY_VERSION_3}
			data := [2]unix.CapUserData{
				{Effective: uint32(e), Permitted: uint32(p), Inheritable: uint32(i)},
				{Effective: uint32(e >> 32), Permitted: uint32(p >> 32), Inheritable: uint32(i >> 32)},
			}
			return errno(unix.Capset(&header, &data[0]))
		},
	}
}

func dropBounding(n int) operation {
	return operation{
		fmt.Sprintf("DropBounding(%d)", n),
		func(c cred.Cred, _ cred.Rules) (cred.Cred, cred.Errno) { return c.DropBounding(n) },
		func() cred.Errno { return prctl(unix.PR_CAPBSET_DROP, uintptr(n), 0) },
	}
}

func raiseAmbient(n int) operation {
	return operation{
		fmt.Sprintf("RaiseAmbient(%d)", n),
		func(c cred.Cred, _ cred.Rules) (cred.Cred, cred.Errno) { return c.RaiseAmbient(n) },
		func() cred.Errno { return prctl(unix.PR_CAP_AMBIENT, unix.PR_CAP_AMBIENT_RAISE, uintptr(n)) },
	}
}

func lowerAmbient(n int) operation {
	return operation{
		fmt.Sprintf("LowerAmbient(%d)", n),
		func(c cred.Cred, _ cred.Rules) (cred.Cred, cred.Errno) { return c.LowerAmbient(n) },
		func() cred.Errno { return prctl(unix.PR_CAP_AMBIENT, unix.PR_CAP_AMBIENT_LOWER, uintptr(n)) },
	}
}

func clearAmbient() operation {
	return operation{
		"ClearAmbient()",
		func(c cred.Cred, _ cred.Rules) (cred.Cred, cred.Errno) { return c.ClearAmbient(), 0 },
		func() cred.Errno { return prctl(unix.PR_CAP_AMBIENT, unix.PR_CAP_AMBIENT_CLEAR_ALL, 0) },
	}
}

func setSecurebits(v cred.Securebits) operation {
	return operation{
		fmt.Sprintf("SetSecurebits(%v)", v.Names()),
		func(c cred.Cred, r cred.Rules) (cred.Cred, cred.Errno) { return c.SetSecurebits(v, r) },
		func() cred.Errno { return prctl(unix.PR_SET_SECUREBITS, uintptr(v), 0) },
	}
}

func keepCaps(on bool) operation {
	return operation{
		fmt.Sprintf("SetKeepCaps(%v)", on),
		func(c cred.Cred, _ cred.Rules) (cred.Cred, cred.Errno) { return c.SetKeepCaps(on) },
		func() cred.Errno {
			if on {
				return prctl(unix.PR_SET_KEEPCAPS, 1, 0)
			}
			return prctl(unix.PR_SET_KEEPCAPS, 0, 0)
		},
	}
}

func setNoNewPrivs() operation {
	return operation{
		"SetNoNewPrivs()",
		func(c cred.Cred, _ cred.Rules) (cred.Cred, cred.Errno) { return c.SetNoNewPrivs(), 0 },
		func() cred.Errno { return prctl(unix.PR_SET_NO_NEW_PRIVS, 1, 0) },
	}
}

// chroot changes the root to the working directory, in which the files for exec are.
func chroot() operation {
	return operation{
		"Chroot()",
		func(c cred.Cred, _ cred.Rules) (cred.Cred, cred.Errno) { return c.Chroot() },
		func() cred.Errno { return errno(unix.Chroot(".")) },
	}
}

func setuid(u uint32) operation {
	return operation{
		fmt.Sprintf("Setuid(%d)", int32(u)),
		func(c cred.Cred, _ cred.Rules) (cred.Cred, cred.Errno) { return c.Setuid(u) },
		func() cred.Errno { return raw(unix.SYS_SETUID, uintptr(u), 0, 0) },
	}
}

func setreuid(r, e uint32) operation {
	return operation{
		fmt.Sprintf("Setreuid(%d, %d)", int32(r), int32(e)),
		func(c cred.Cred, _ cred.Rules) (cred.Cred, cred.Errno) { return c.Setreuid(r, e) },
		func() cred.Errno { return raw(unix.SYS_SETREUID, uintptr(r), uintptr(e), 0) },
	}
}

func setresuid(r, e, s uint32) operation {
	return operation{
		fmt.Sprintf("Setresuid(%d, %d, %d)", int32(r), int32(e), int32(s)),
		func(c cred.Cred, _ cred.Rules) (cred.Cred, cred.Errno) { return c.Setresuid(r, e, s) },
		func() cred.Errno { return raw(unix.SYS_SETRESUID, uintptr(r), uintptr(e), uintptr(s)) },
	}
}

func setfsuid(u uint32) operation {
	return operation{
		fmt.Sprintf("Setfsuid(%d)", int32(u)),
		func(c cred.Cred, _ cred.Rules) (cred.Cred, cred.Errno) { return c.Setfsuid(u), 0 },
		func() cred.Errno { return raw(unix.SYS_SETFSUID, uintptr(u), 0, 0) },
	}
}

func setgid(g uint32) operation {
	return operation{
		fmt.Sprintf("Setgid(%d)", int32(g)),
		func(c cred.Cred, _ cred.Rules) (cred.Cred, cred.Errno) { return c.Setgid(g) },
		func() cred.Errno { return raw(unix.SYS_SETGID, uintptr(g), 0, 0) },
	}
}

func setregid(r, e uint32) operation {
	return operation{
		fmt.Sprintf("Setregid(%d, %d)", int32(r), int32(e)),
		func(c cred.Cred, _ cred.Rules) (cred.Cred, cred.Errno) { return c.Setregid(r, e) },
		func() cred.Errno { return raw(unix.SYS_SETREGID, uintptr(r), uintptr(e), 0) },
	}
}

func setresgid(r, e, s uint32) operation {
	return operation{
		fmt.Sprintf("Setresgid(%d, %d, %d)", int32(r), int32(e), int32(s)),
		func(c cred.Cred, _ cred.Rules) (cred.Cred, cred.Errno) { return c.Setresgid(r, e, s) },
		func() cred.Errno { return raw(unix.SYS_SETRESGID, uintptr(r), uintptr(e), uintptr(s)) },
	}
}

func setfsgid(g uint32) operation {
	return operation{
		fmt.Sprintf("Setfsgid(%d)", int32(g)),
		func(c cred.Cred, _ cred.Rules) (cred.Cred, cred.Errno) { return c.Setfsgid(g), 0 },
		func() cred.Errno { return raw(unix.SYS_SETFSGID, uintptr(g), 0, 0) },
	}
}

func setgroups(groups ...uint32) operation {
	text := fmt.Sprintf("Setgroups(%d)", groups)
	if len(groups) > 8 {
		text = fmt.Sprintf("Setgroups(%d groups)", len(groups))
	}
	return operation{
		text,
		func(c cred.Cred, _ cred.Rules) (cred.Cred, cred.Errno) { return c.Setgroups(groups) },
		func() cred.Errno {
			list := slices.Clone(groups)
			return raw(unix.SYS_SETGROUPS, uintptr(len(list)), uintptr(unsafe.Pointer(unsafe.SliceData(list))), 0)
		},
	}
}

func prctl(option int, arg2, arg3 uintptr) cred.Errno {
	return errno(unix.Prctl(option, arg2, arg3, 0, 0))
}

func raw(number, a, b, c uintptr) cred.Errno {
	_, _, e := unix.RawSyscall(number, a, b, c)
	return cred.Errno(e)
}

func errno(err error) cred.Errno {
	if err == nil {
		return 0
	}
	return cred.Errno(err.(syscall.Errno))
}
