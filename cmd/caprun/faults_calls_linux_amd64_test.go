package main

import (
	"cmp"
	"debug/elf"
	"fmt"
	"path/filepath"
	"slices"
	"strconv"
	"strings"
	"testing"

	"caprun/internal/test/faults"

	"golang.org/x/sys/unix"
)

// faultCall describes how a system call can fail.
type faultCall struct {
	nr   uintptr
	name string

	// errnos are the errors of the manual page, and those of a filter or an old kernel:
	// EPERM and ENOSYS.
	errnos []unix.Errno

	// values are returned without making the call.
	values []int64

	// runtime is set if the Go runtime makes the call, too.
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
	{nr: unix.SYS_SETSID, name: "setsid", errnos: []unix.Errno{unix.ENOSYS, unix.EPERM}, values: []int64{0, 1}},
	{nr: unix.SYS_GETSID, name: "getsid", errnos: []unix.Errno{unix.ENOSYS, unix.EPERM, unix.ESRCH}, values: []int64{0, 1}},
	{nr: unix.SYS_IOCTL, name: "ioctl", errnos: []unix.Errno{unix.EBADF, unix.EFAULT, unix.EINVAL, unix.EIO, unix.ENOSYS, unix.ENOTTY, unix.EPERM}, values: []int64{0}},
	{nr: unix.SYS_GETPGRP, name: "getpgrp", errnos: []unix.Errno{unix.ENOSYS, unix.EPERM}, values: []int64{0, 1}},
	{nr: unix.SYS_SETPGID, name: "setpgid", errnos: []unix.Errno{unix.EACCES, unix.EINVAL, unix.ENOSYS, unix.EPERM, unix.ESRCH}, values: []int64{0}},
	{nr: unix.SYS_GETPPID, name: "getppid", errnos: []unix.Errno{unix.ENOSYS, unix.EPERM}, values: []int64{0, 1}},
	{nr: unix.SYS_SOCKETPAIR, name: "socketpair", errnos: []unix.Errno{unix.EAFNOSUPPORT, unix.EFAULT, unix.EMFILE, unix.ENFILE, unix.ENOMEM, unix.ENOSYS, unix.EOPNOTSUPP, unix.EPERM}, values: []int64{0}},
	{nr: unix.SYS_PIPE2, name: "pipe2", errnos: []unix.Errno{unix.EFAULT, unix.EINVAL, unix.EMFILE, unix.ENFILE, unix.ENOSYS, unix.EPERM}, values: []int64{0}},
	{nr: unix.SYS_DUP3, name: "dup3", errnos: []unix.Errno{unix.EBADF, unix.EBUSY, unix.EINTR, unix.EINVAL, unix.EMFILE, unix.ENOSYS, unix.EPERM}, values: []int64{0}},
	{nr: unix.SYS_SENDMSG, name: "sendmsg", errnos: []unix.Errno{unix.EACCES, unix.EAGAIN, unix.EBADF, unix.ECONNRESET, unix.EINTR, unix.EINVAL, unix.ENOBUFS, unix.ENOMEM, unix.ENOSYS, unix.ENOTCONN, unix.ENOTSOCK, unix.EPERM, unix.EPIPE}, values: []int64{0, 1}},
	{nr: unix.SYS_SHUTDOWN, name: "shutdown", errnos: []unix.Errno{unix.EBADF, unix.EINVAL, unix.ENOSYS, unix.ENOTCONN, unix.ENOTSOCK, unix.EPERM}, values: []int64{0}},
	{nr: unix.SYS_WAIT4, name: "wait4", errnos: []unix.Errno{unix.ECHILD, unix.EINTR, unix.EINVAL, unix.ENOSYS, unix.EPERM, unix.ESRCH}, values: []int64{0, 1}},
	{nr: unix.SYS_KILL, name: "kill", errnos: []unix.Errno{unix.EINVAL, unix.ENOSYS, unix.EPERM, unix.ESRCH}, values: []int64{0}},

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

// calls returns the calls that are recorded.
func (p *faultPlace) calls() []uintptr {
	var list []uintptr
	for _, c := range faultCallTable {
		if !p.scene.sealed || !c.runtime {
			list = append(list, c.nr)
		}
	}
	if p.scene.sealed {
		for _, c := range sealedCallTable {
			if !slices.Contains(list, c.nr) {
				list = append(list, c.nr)
			}
		}
	}
	return list
}

func faultCallOf(nr uintptr) faultCall {
	is := func(c faultCall) bool { return c.nr == nr }
	if n := slices.IndexFunc(faultCallTable[:], is); n >= 0 {
		return faultCallTable[n]
	}
	return sealedCallTable[slices.IndexFunc(sealedCallTable[:], is)]
}

// namedFault is a fault with its name in the table.
type namedFault struct {
	name string
	faults.Fault
}

// faultsOf returns the faults of a call.
func (p *faultPlace) faultsOf(c faults.Call) []namedFault {
	kind := faultCallOf(c.NR)
	if p.scene.sealed {
		kind = sealedCallOf(c.NR)
	}
	list := []namedFault{{"killed", faults.Fault{Kill: true}}}
	for _, e := range kind.errnos {
		list = append(list, namedFault{unix.ErrnoName(e), faults.Fault{Errno: e}})
	}
	for _, v := range kind.values {
		list = append(list, namedFault{fmt.Sprintf("returns %d", v), faults.Fault{Value: v}})
	}
	return list
}

// faultSite is a call in a run.
type faultSite struct {
	call    faults.Call
	label   string
	runtime bool

	// loop is not 0 within a loop over the capabilities, except for its first and last
	// calls.
	loop int
}

// maxRuntime bounds the tried sites of a call of the Go runtime.
const maxRuntime = 40

// sites returns the calls of a run in which a fault is possible.
func (p *faultPlace) sites(calls []faults.Call) []faultSite {
	var list []faultSite
	type stage struct{ child, restarted bool }
	began := map[stage]bool{}
	// They run in parallel.
	slices.SortStableFunc(calls, func(a, b faults.Call) int { return cmp.Compare(number(a.Child), number(b.Child)) })
	for _, c := range calls {
		s := faultSite{call: c, label: p.label(c)}
		// The program first checks whether it writes to a terminal. A child makes calls
		// before it executes the program.
		at := stage{c.Child, c.Restarted}
		began[at] = began[at] || c.NR == unix.SYS_FSTAT || c.Child && !c.Restarted
		s.runtime = (!began[at] || c.Other) && !p.scene.sealed
		if c.Other && p.scene.sealed {
			continue
		}
		if s.runtime && (c.N > maxRuntime || c.NR == unix.SYS_EXECVE) {
			continue
		}
		list = append(list, s)
	}
	for n := range list {
		if n < loopEdge || n+loopEdge >= len(list) || list[n].call.NR != unix.SYS_PRCTL && list[n].call.NR != unix.SYS_RT_SIGACTION {
			continue
		}
		alike := func(m faultSite) bool { return m.label == list[n].label }
		if !slices.ContainsFunc(list[n-loopEdge:n+loopEdge+1], func(m faultSite) bool { return !alike(m) }) {
			list[n].loop = n
		}
	}
	return list
}

// loopEdge is the number of calls at each end of a loop that are tried with every fault.
const loopEdge = 2

// setsState reports whether a call changes the state in which the target starts.
func setsState(c faults.Call) bool {
	switch c.NR {
	case unix.SYS_KEYCTL:
		return c.Args[0] == unix.KEYCTL_JOIN_SESSION_KEYRING
	case unix.SYS_CAPSET, unix.SYS_SETGROUPS, unix.SYS_SETRESGID, unix.SYS_SETRESUID, unix.SYS_CHROOT, unix.SYS_CHDIR, unix.SYS_UMASK, unix.SYS_CLOSE_RANGE, unix.SYS_PRLIMIT64,
		unix.SYS_SETSID, unix.SYS_SETPGID:
		return true
	case unix.SYS_IOCTL:
		return c.Args[1] != unix.TIOCGPGRP
	case unix.SYS_PRCTL:
		return c.Args[0] != unix.PR_CAPBSET_READ
	}
	return false
}

func number(b bool) int {
	if b {
		return 1
	}
	return 0
}

// runtimeCall reports whether the Go runtime makes a call, and not the program.
func (p *faultPlace) runtimeCall(c faults.Call) bool {
	if p.scene.sealed {
		// Of a thread of the caller that exec has not ended yet.
		return c.IP < p.code[0] || c.IP >= p.code[1]
	}
	if !faultCallOf(c.NR).runtime {
		return false
	}
	n, found := slices.BinarySearchFunc(p.symbols, c.IP, func(s elf.Symbol, at uint64) int { return cmp.Compare(s.Value, at) })
	if !found {
		n--
	}
	return n >= 0 && strings.HasPrefix(p.symbols[n].Name, "runtime.")
}

// functions returns the functions of a program by their addresses.
func functions(t *testing.T, program string) []elf.Symbol {
	t.Helper()
	file, err := elf.Open(program)
	if err != nil {
		t.Fatal(err)
	}
	defer file.Close()
	list, err := file.Symbols()
	if err != nil {
		t.Fatal(err)
	}
	list = slices.DeleteFunc(list, func(s elf.Symbol) bool { return elf.ST_TYPE(s.Info) != elf.STT_FUNC })
	slices.SortFunc(list, func(a, b elf.Symbol) int { return cmp.Compare(a.Value, b.Value) })
	return list
}

// label returns the name of a call in the table, the same on every machine.
func (p *faultPlace) label(c faults.Call) string {
	if c.Child {
		return "child: " + p.labelOf(c)
	}
	return p.labelOf(c)
}

func (p *faultPlace) labelOf(c faults.Call) string {
	name := faultCallOf(c.NR).name
	if p.scene.sealed {
		if label := sealedLabel(c); label != "" {
			return label
		}
	}
	switch c.NR {
	case unix.SYS_PRCTL:
		return name + " " + prctlName(c)
	case unix.SYS_FCNTL:
		if c.Args[1] != unix.F_GETFD {
			return name
		}
		if c.Args[0] > 2 && c.Args[0] != 9 {
			// They depend on the environment of the tests.
			return name + " F_GETFD"
		}
		return fmt.Sprintf("%s %d F_GETFD", name, c.Args[0])
	case unix.SYS_PRLIMIT64:
		which := map[uint64]string{unix.RLIMIT_CORE: "core", unix.RLIMIT_NPROC: "nproc", unix.RLIMIT_NOFILE: "nofile"}[c.Args[1]]
		if c.Args[2] != 0 {
			return name + " " + which + ", set"
		}
		return name + " " + which + ", read"
	case unix.SYS_IOCTL:
		requests := map[uint64]string{unix.TIOCGPGRP: "TIOCGPGRP", unix.TIOCSPGRP: "TIOCSPGRP", unix.TIOCNOTTY: "TIOCNOTTY"}
		return name + " " + requests[c.Args[1]]
	case unix.SYS_KILL:
		return name + " " + unix.SignalName(unix.Signal(c.Args[1]))
	case unix.SYS_RT_SIGACTION:
		switch {
		case c.Other:
		case c.Args[1] == 0:
			return name + ", read"
		default:
			return name + ", set"
		}
		return name
	case unix.SYS_CLONE:
		if c.Args[0]&unix.CLONE_THREAD == 0 {
			return name + " of a process"
		}
		return name
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
	if _, err := strconv.Atoi(path); err == nil {
		path = "PID"
	}
	return name + " " + path
}

func prctlName(c faults.Call) string {
	names := map[uint64]string{
		unix.PR_CAPBSET_READ: "PR_CAPBSET_READ", unix.PR_CAPBSET_DROP: "PR_CAPBSET_DROP",
		unix.PR_GET_SECUREBITS: "PR_GET_SECUREBITS", unix.PR_SET_SECUREBITS: "PR_SET_SECUREBITS",
		unix.PR_SET_KEEPCAPS: "PR_SET_KEEPCAPS", unix.PR_GET_NO_NEW_PRIVS: "PR_GET_NO_NEW_PRIVS",
		unix.PR_SET_NO_NEW_PRIVS: "PR_SET_NO_NEW_PRIVS", unix.PR_GET_AUXV: "PR_GET_AUXV",
		unix.PR_SET_PDEATHSIG: "PR_SET_PDEATHSIG", unix.PR_GET_PDEATHSIG: "PR_GET_PDEATHSIG",
		unix.PR_SET_DUMPABLE: "PR_SET_DUMPABLE", unix.PR_GET_DUMPABLE: "PR_GET_DUMPABLE",
		unix.PR_SET_CHILD_SUBREAPER: "PR_SET_CHILD_SUBREAPER",
	}
	if c.Args[0] == unix.PR_CAP_AMBIENT {
		return [...]string{"PR_CAP_AMBIENT", "PR_CAP_AMBIENT_IS_SET", "PR_CAP_AMBIENT_RAISE", "PR_CAP_AMBIENT_LOWER", "PR_CAP_AMBIENT_CLEAR_ALL"}[min(c.Args[1], 4)]
	}
	if name := names[c.Args[0]]; name != "" {
		return name
	}
	return fmt.Sprint(c.Args[0])
}
