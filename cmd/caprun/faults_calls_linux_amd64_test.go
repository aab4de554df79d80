package main

import (
	"fmt"
	"path/filepath"
	"slices"
	"strings"

	"caprun/internal/faults"

	"golang.org/x/sys/unix"
)

// faultCall says how a system call can fail.
type faultCall struct {
	nr   uintptr
	name string

	// errnos are those of the man page, and those of a filter or an old
	// kernel: EPERM and ENOSYS.
	errnos []unix.Errno

	// values are what it may return without being made; 0 for all.
	values []int64

	// runtime tells that the Go runtime alone makes it.
	runtime bool
}

var faultCallTable = [...]faultCall{
	{nr: unix.SYS_OPENAT, name: "openat", errnos: []unix.Errno{unix.EACCES, unix.EINTR, unix.EINVAL, unix.ELOOP, unix.EMFILE, unix.ENAMETOOLONG, unix.ENFILE, unix.ENODEV, unix.ENOENT, unix.ENOMEM, unix.ENOSYS, unix.ENOTDIR, unix.ENXIO, unix.EOVERFLOW, unix.EPERM}},
	{nr: unix.SYS_READ, name: "read", errnos: []unix.Errno{unix.EAGAIN, unix.EBADF, unix.EINTR, unix.EINVAL, unix.EIO, unix.EISDIR, unix.ENOSYS, unix.EPERM}, values: []int64{0}},
	{nr: unix.SYS_PREAD64, name: "pread64", errnos: []unix.Errno{unix.EAGAIN, unix.EBADF, unix.EINTR, unix.EINVAL, unix.EIO, unix.EISDIR, unix.ENOSYS, unix.EPERM}, values: []int64{0}},
	{nr: unix.SYS_CLOSE, name: "close", errnos: []unix.Errno{unix.EBADF, unix.EINTR, unix.EIO, unix.ENOSYS, unix.EPERM}, values: []int64{0}},
	{nr: unix.SYS_FSTAT, name: "fstat", errnos: []unix.Errno{unix.EBADF, unix.EFAULT, unix.EIO, unix.ENOMEM, unix.ENOSYS, unix.EOVERFLOW, unix.EPERM}, values: []int64{0}},
	{nr: unix.SYS_NEWFSTATAT, name: "newfstatat", errnos: []unix.Errno{unix.EACCES, unix.EBADF, unix.EFAULT, unix.EINVAL, unix.ELOOP, unix.ENAMETOOLONG, unix.ENOENT, unix.ENOMEM, unix.ENOSYS, unix.ENOTDIR, unix.EOVERFLOW, unix.EPERM}, values: []int64{0}},
	{nr: unix.SYS_FSTATFS, name: "fstatfs", errnos: []unix.Errno{unix.EBADF, unix.EFAULT, unix.EINTR, unix.EIO, unix.ENOMEM, unix.ENOSYS, unix.EOVERFLOW, unix.EPERM}, values: []int64{0}},
	{nr: unix.SYS_STATFS, name: "statfs", errnos: []unix.Errno{unix.EACCES, unix.EFAULT, unix.EINTR, unix.EIO, unix.ELOOP, unix.ENAMETOOLONG, unix.ENOENT, unix.ENOMEM, unix.ENOSYS, unix.ENOTDIR, unix.EOVERFLOW, unix.EPERM}, values: []int64{0}},
	{nr: unix.SYS_FGETXATTR, name: "fgetxattr", errnos: []unix.Errno{unix.E2BIG, unix.EACCES, unix.EBADF, unix.EIO, unix.ENODATA, unix.ENOSYS, unix.ENOTSUP, unix.EOVERFLOW, unix.EPERM, unix.ERANGE}, values: []int64{0}},
	{nr: unix.SYS_GETXATTR, name: "getxattr", errnos: []unix.Errno{unix.E2BIG, unix.EACCES, unix.EIO, unix.ENODATA, unix.ENOENT, unix.ENOSYS, unix.ENOTSUP, unix.EOVERFLOW, unix.EPERM, unix.ERANGE}, values: []int64{0}},
	{nr: unix.SYS_READLINKAT, name: "readlinkat", errnos: []unix.Errno{unix.EACCES, unix.EBADF, unix.EINVAL, unix.EIO, unix.ELOOP, unix.ENAMETOOLONG, unix.ENOENT, unix.ENOMEM, unix.ENOSYS, unix.ENOTDIR, unix.EPERM}, values: []int64{0}},
	{nr: unix.SYS_GETCWD, name: "getcwd", errnos: []unix.Errno{unix.EACCES, unix.EFAULT, unix.EINVAL, unix.ENAMETOOLONG, unix.ENOENT, unix.ENOMEM, unix.ENOSYS, unix.EPERM, unix.ERANGE}, values: []int64{0}},
	{nr: unix.SYS_UNAME, name: "uname", errnos: []unix.Errno{unix.EFAULT, unix.ENOSYS, unix.EPERM}, values: []int64{0}},
	{nr: unix.SYS_GETUID, name: "getuid", errnos: []unix.Errno{unix.ENOSYS, unix.EPERM}, values: []int64{0, 1}},
	{nr: unix.SYS_CAPGET, name: "capget", errnos: []unix.Errno{unix.EFAULT, unix.EINVAL, unix.ENOSYS, unix.EPERM, unix.ESRCH}, values: []int64{0}},
	{nr: unix.SYS_CAPSET, name: "capset", errnos: []unix.Errno{unix.EFAULT, unix.EINVAL, unix.ENOMEM, unix.ENOSYS, unix.EPERM, unix.ESRCH}, values: []int64{0}},
	{nr: unix.SYS_GETRESUID, name: "getresuid", errnos: []unix.Errno{unix.EFAULT, unix.ENOSYS, unix.EPERM}, values: []int64{0}},
	{nr: unix.SYS_GETRESGID, name: "getresgid", errnos: []unix.Errno{unix.EFAULT, unix.ENOSYS, unix.EPERM}, values: []int64{0}},
	{nr: unix.SYS_SETFSUID, name: "setfsuid", errnos: []unix.Errno{unix.ENOSYS, unix.EPERM}, values: []int64{0, 1, 3301}},
	{nr: unix.SYS_SETFSGID, name: "setfsgid", errnos: []unix.Errno{unix.ENOSYS, unix.EPERM}, values: []int64{0, 1, 3302}},
	{nr: unix.SYS_GETGROUPS, name: "getgroups", errnos: []unix.Errno{unix.EFAULT, unix.EINVAL, unix.ENOSYS, unix.EPERM}, values: []int64{0, 1}},
	{nr: unix.SYS_SETGROUPS, name: "setgroups", errnos: []unix.Errno{unix.EFAULT, unix.EINVAL, unix.ENOMEM, unix.ENOSYS, unix.EPERM}, values: []int64{0}},
	{nr: unix.SYS_SETRESUID, name: "setresuid", errnos: []unix.Errno{unix.EAGAIN, unix.EINVAL, unix.ENOMEM, unix.ENOSYS, unix.EPERM}, values: []int64{0}},
	{nr: unix.SYS_SETRESGID, name: "setresgid", errnos: []unix.Errno{unix.EAGAIN, unix.EINVAL, unix.ENOMEM, unix.ENOSYS, unix.EPERM}, values: []int64{0}},
	{nr: unix.SYS_PRCTL, name: "prctl", errnos: []unix.Errno{unix.EACCES, unix.EFAULT, unix.EINVAL, unix.ENOMEM, unix.ENOSYS, unix.EPERM}, values: []int64{0, 1}},
	{nr: unix.SYS_CHROOT, name: "chroot", errnos: []unix.Errno{unix.EACCES, unix.EFAULT, unix.EIO, unix.ELOOP, unix.ENAMETOOLONG, unix.ENOENT, unix.ENOMEM, unix.ENOSYS, unix.ENOTDIR, unix.EPERM}, values: []int64{0}},
	{nr: unix.SYS_CHDIR, name: "chdir", errnos: []unix.Errno{unix.EACCES, unix.EFAULT, unix.EIO, unix.ELOOP, unix.ENAMETOOLONG, unix.ENOENT, unix.ENOMEM, unix.ENOSYS, unix.ENOTDIR, unix.EPERM}, values: []int64{0}},
	{nr: unix.SYS_UMASK, name: "umask", errnos: []unix.Errno{unix.ENOSYS, unix.EPERM}, values: []int64{0, 0o027}},
	{nr: unix.SYS_PRLIMIT64, name: "prlimit64", errnos: []unix.Errno{unix.EFAULT, unix.EINVAL, unix.ENOSYS, unix.EPERM, unix.ESRCH}, values: []int64{0}},
	{nr: unix.SYS_CLOSE_RANGE, name: "close_range", errnos: []unix.Errno{unix.EINVAL, unix.EMFILE, unix.ENOMEM, unix.ENOSYS, unix.EPERM}, values: []int64{0}},
	{nr: unix.SYS_FCNTL, name: "fcntl", errnos: []unix.Errno{unix.EACCES, unix.EBADF, unix.EINVAL, unix.ENOSYS, unix.EPERM}, values: []int64{0, 1}},
	{nr: unix.SYS_GETDENTS64, name: "getdents64", errnos: []unix.Errno{unix.EBADF, unix.EFAULT, unix.EINVAL, unix.ENOENT, unix.ENOSYS, unix.ENOTDIR, unix.EPERM}, values: []int64{0}},
	{nr: unix.SYS_EXECVE, name: "execve", errnos: []unix.Errno{unix.E2BIG, unix.EACCES, unix.EAGAIN, unix.EFAULT, unix.EINTR, unix.EINVAL, unix.EIO, unix.EISDIR, unix.ELIBBAD, unix.ELOOP, unix.EMFILE, unix.ENAMETOOLONG, unix.ENFILE, unix.ENOENT, unix.ENOEXEC, unix.ENOMEM, unix.ENOSYS, unix.ENOTDIR, unix.EPERM, unix.ETXTBSY}, values: []int64{0}},

	{nr: unix.SYS_ARCH_PRCTL, name: "arch_prctl", errnos: []unix.Errno{unix.EINVAL, unix.ENOSYS, unix.EPERM}, values: []int64{0}, runtime: true},
	{nr: unix.SYS_SCHED_GETAFFINITY, name: "sched_getaffinity", errnos: []unix.Errno{unix.EINVAL, unix.ENOSYS, unix.EPERM}, values: []int64{0}, runtime: true},
	{nr: unix.SYS_MMAP, name: "mmap", errnos: []unix.Errno{unix.EACCES, unix.EAGAIN, unix.EINVAL, unix.ENOMEM, unix.ENOSYS, unix.EPERM}, runtime: true},
	{nr: unix.SYS_MADVISE, name: "madvise", errnos: []unix.Errno{unix.EINVAL, unix.ENOMEM, unix.ENOSYS, unix.EPERM}, values: []int64{0}, runtime: true},
	{nr: unix.SYS_RT_SIGPROCMASK, name: "rt_sigprocmask", errnos: []unix.Errno{unix.EFAULT, unix.EINVAL, unix.ENOSYS, unix.EPERM}, values: []int64{0}, runtime: true},
	{nr: unix.SYS_RT_SIGACTION, name: "rt_sigaction", errnos: []unix.Errno{unix.EFAULT, unix.EINVAL, unix.ENOSYS, unix.EPERM}, values: []int64{0}, runtime: true},
	{nr: unix.SYS_SIGALTSTACK, name: "sigaltstack", errnos: []unix.Errno{unix.EFAULT, unix.EINVAL, unix.ENOMEM, unix.ENOSYS, unix.EPERM}, values: []int64{0}, runtime: true},
	{nr: unix.SYS_GETTID, name: "gettid", errnos: []unix.Errno{unix.ENOSYS, unix.EPERM}, runtime: true},
	{nr: unix.SYS_CLONE, name: "clone", errnos: []unix.Errno{unix.EAGAIN, unix.EINVAL, unix.ENOMEM, unix.ENOSYS, unix.EPERM}, runtime: true},
	{nr: unix.SYS_FUTEX, name: "futex", errnos: []unix.Errno{unix.EAGAIN, unix.EINTR, unix.ENOSYS, unix.EPERM}, runtime: true},
}

func faultCalls() []uintptr {
	var list []uintptr
	for _, c := range faultCallTable {
		list = append(list, c.nr)
	}
	return list
}

func faultCallOf(nr uintptr) faultCall {
	return faultCallTable[slices.IndexFunc(faultCallTable[:], func(c faultCall) bool { return c.nr == nr })]
}

// namedFault is a fault as the table calls it.
type namedFault struct {
	name string
	faults.Fault
}

// faultsOf returns what is tried with a call.
func faultsOf(c faults.Call) []namedFault {
	kind := faultCallOf(c.NR)
	list := []namedFault{{"killed", faults.Fault{Kill: true}}}
	for _, e := range kind.errnos {
		list = append(list, namedFault{unix.ErrnoName(e), faults.Fault{Errno: e}})
	}
	for _, v := range kind.values {
		list = append(list, namedFault{fmt.Sprintf("returns %d", v), faults.Fault{Value: v}})
	}
	return list
}

// faultSite is a call in its place.
type faultSite struct {
	call    faults.Call
	label   string
	runtime bool

	// loop is not 0 within a loop over the capabilities, but for its first and
	// last calls.
	loop int
}

// maxRuntime bounds the places of a call of the Go runtime that are tried.
const maxRuntime = 40

// sites returns the calls of a run that a fault can happen to.
func (p *faultPlace) sites(calls []faults.Call) []faultSite {
	var list []faultSite
	main := false
	for _, c := range calls {
		s := faultSite{call: c, label: p.label(c)}
		// What the program does first is to see whether it writes to a
		// terminal.
		main = main || c.NR == unix.SYS_FSTAT
		s.runtime = !main || faultCallOf(c.NR).runtime
		if s.runtime && (c.N > maxRuntime || c.NR == unix.SYS_EXECVE) {
			continue
		}
		list = append(list, s)
	}
	for n := range list {
		if n < loopEdge || n+loopEdge >= len(list) || list[n].call.NR != unix.SYS_PRCTL {
			continue
		}
		alike := func(m faultSite) bool { return m.label == list[n].label }
		if !slices.ContainsFunc(list[n-loopEdge:n+loopEdge+1], func(m faultSite) bool { return !alike(m) }) {
			list[n].loop = n
		}
	}
	return list
}

// loopEdge is how many calls of a loop are tried at its ends with every fault.
const loopEdge = 2

// setsState reports whether a call changes what the target starts with.
func setsState(c faults.Call) bool {
	switch c.NR {
	case unix.SYS_CAPSET, unix.SYS_SETGROUPS, unix.SYS_SETRESGID, unix.SYS_SETRESUID, unix.SYS_CHROOT, unix.SYS_CHDIR, unix.SYS_UMASK, unix.SYS_CLOSE_RANGE, unix.SYS_PRLIMIT64:
		return true
	case unix.SYS_PRCTL:
		return c.Args[0] != unix.PR_CAPBSET_READ
	}
	return false
}

// label says which call it is, in the same words on every machine.
func (p *faultPlace) label(c faults.Call) string {
	name := faultCallOf(c.NR).name
	switch c.NR {
	case unix.SYS_PRCTL:
		return name + " " + prctlName(c)
	case unix.SYS_FCNTL:
		if c.Args[1] != unix.F_GETFD {
			return name
		}
		if c.Args[0] > 2 && c.Args[0] != 9 {
			// Which ones there are depends on who runs the tests.
			return name + " F_GETFD"
		}
		return fmt.Sprintf("%s %d F_GETFD", name, c.Args[0])
	case unix.SYS_PRLIMIT64:
		which := map[uint64]string{unix.RLIMIT_CORE: "core", unix.RLIMIT_NPROC: "nproc", unix.RLIMIT_NOFILE: "nofile"}[c.Args[1]]
		if c.Args[2] != 0 {
			return name + " " + which + ", set"
		}
		return name + " " + which + ", read"
	case unix.SYS_UMASK:
		return name
	}
	if c.Path == "" {
		return name
	}
	path := p.words.Replace(c.Path)
	for _, part := range strings.Split(filepath.Dir(p.dir), "/") {
		if part != "" && path == part {
			path = "a directory above DIR"
		}
	}
	if path == filepath.Base(p.dir) {
		path = "DIR"
	}
	return name + " " + path
}

func prctlName(c faults.Call) string {
	names := map[uint64]string{
		unix.PR_CAPBSET_READ: "PR_CAPBSET_READ", unix.PR_CAPBSET_DROP: "PR_CAPBSET_DROP",
		unix.PR_GET_SECUREBITS: "PR_GET_SECUREBITS", unix.PR_SET_SECUREBITS: "PR_SET_SECUREBITS",
		unix.PR_SET_KEEPCAPS: "PR_SET_KEEPCAPS", unix.PR_GET_NO_NEW_PRIVS: "PR_GET_NO_NEW_PRIVS",
		unix.PR_SET_NO_NEW_PRIVS: "PR_SET_NO_NEW_PRIVS", unix.PR_GET_AUXV: "PR_GET_AUXV",
	}
	if c.Args[0] == unix.PR_CAP_AMBIENT {
		return [...]string{"PR_CAP_AMBIENT", "PR_CAP_AMBIENT_IS_SET", "PR_CAP_AMBIENT_RAISE", "PR_CAP_AMBIENT_LOWER", "PR_CAP_AMBIENT_CLEAR_ALL"}[min(c.Args[1], 4)]
	}
	if name := names[c.Args[0]]; name != "" {
		return name
	}
	return fmt.Sprint(c.Args[0])
}
