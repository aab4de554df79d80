//go:build linux

package main

import (
	"fmt"
	"io"
	"os"
	"os/signal"
	"slices"
	"strings"
	"unsafe"

	"golang.org/x/sys/unix"
)

// Numbers that package unix does not have.
const (
	atSecure   = 23
	nullDevice = 1<<8 | 3
	lastFD     = 1024
)

// report prints the state of the process.
func report(w io.Writer) {
	line := func(name string, values ...any) {
		fmt.Fprintln(w, name+":", strings.TrimSuffix(fmt.Sprintln(values...), "\n"))
	}
	r, e, s := unix.Getresuid()
	fs, _ := unix.SetfsuidRetUid(-1)
	line("uids", uint32(r), uint32(e), uint32(s), uint32(fs))
	r, e, s = unix.Getresgid()
	fs, _ = unix.SetfsgidRetGid(-1)
	line("gids", uint32(r), uint32(e), uint32(s), uint32(fs))
	line("groups", groups())

	hdr := unix.CapUserHeader{Version: unix.LINUX_CAPABILITY_VERSION_3}
	var data [2]unix.CapUserData
	if err := unix.Capget(&hdr, &data[0]); err != nil {
		line("capget", err)
	}
	mask := func(low, high uint32) string { return fmt.Sprintf("%x", uint64(high)<<32|uint64(low)) }
	line("inheritable", mask(data[0].Inheritable, data[1].Inheritable))
	line("permitted", mask(data[0].Permitted, data[1].Permitted))
	line("effective", mask(data[0].Effective, data[1].Effective))
	line("bounding", eachCap(func(n uintptr) (int, error) { return prctl(unix.PR_CAPBSET_READ, n, 0) }))
	line("ambient", eachCap(func(n uintptr) (int, error) {
		return prctl(unix.PR_CAP_AMBIENT, unix.PR_CAP_AMBIENT_IS_SET, n)
	}))
	bits, _ := prctl(unix.PR_GET_SECUREBITS, 0, 0)
	line("securebits", fmt.Sprintf("%x", bits))
	nnp, _ := prctl(unix.PR_GET_NO_NEW_PRIVS, 0, 0)
	line("no_new_privs", nnp)
	line("at_secure", auxiliary(atSecure))

	var death int32
	if _, err := prctl(unix.PR_GET_PDEATHSIG, uintptr(unsafe.Pointer(&death)), 0); err == nil {
		line("pdeathsig", death)
	}
	reaper := int32(0)
	if _, err := prctl(unix.PR_GET_CHILD_SUBREAPER, uintptr(unsafe.Pointer(&reaper)), 0); err == nil {
		line("subreaper", reaper)
	}
	line("foreign key", foreignKey())
	dumpable, _ := prctl(unix.PR_GET_DUMPABLE, 0, 0)
	line("dumpable", dumpable)

	session := "another process leads it"
	if sid, err := unix.Getsid(0); err == nil && sid == unix.Getpid() {
		session = "its own"
	}
	line("session", session)
	line("terminal", terminal())
	line("hangup ignored", signal.Ignored(unix.SIGHUP))

	mode := unix.Umask(0)
	unix.Umask(mode)
	line("umask", fmt.Sprintf("%04o", mode))
	cwd, err := unix.Getwd()
	if err != nil {
		cwd = err.Error()
	}
	line("cwd", cwd)
	line("root", entries("/"))
	line("parents", entries(strings.Repeat("../", 40)))
	line("descriptors", descriptors())
	line("stdin", input())
	for _, limit := range limits {
		var l unix.Rlimit
		if err := unix.Getrlimit(limit.resource, &l); err == nil {
			line("limit "+limit.name, amount(l.Cur), amount(l.Max))
		}
	}
	line("args", fmt.Sprintf("%q", os.Args))
	for _, entry := range os.Environ() {
		line("env", entry)
	}
	line("variables", len(os.Environ()))
	pid := unix.Getpid()
	if os.Getenv("START_PID") == fmt.Sprint(pid) {
		line("pid", pid, "as at the start")
	} else {
		line("pid", pid)
	}
}

// prctl is prctl(2). Arguments that were pointers are on the heap.
//
//go:uintptrescapes
func prctl(option int, a, b uintptr) (int, error) {
	r, _, errno := unix.RawSyscall6(unix.SYS_PRCTL, uintptr(option), a, b, 0, 0, 0)
	if errno != 0 {
		return 0, errno
	}
	return int(r), nil
}

// eachCap calls f for every capability of the kernel.
func eachCap(has func(uintptr) (int, error)) string {
	var set uint64
	for n := range uintptr(64) {
		yes, err := has(n)
		if err != nil {
			break
		}
		set |= uint64(yes) << n
	}
	return fmt.Sprintf("%x", set)
}

// foreignKey says whether the process can use the key foreign:key, which its caller
// puts into its session keyring.
func foreignKey() string {
	if _, err := unix.KeyctlSearch(unix.KEY_SPEC_SESSION_KEYRING, "user", "foreign:key", 0); err != nil {
		return err.Error()
	}
	return "found"
}

func groups() string {
	list, err := unix.Getgroups()
	if err != nil {
		return err.Error()
	}
	slices.Sort(list)
	if len(list) == 0 {
		return "none"
	}
	return strings.Trim(fmt.Sprint(list), "[]")
}

// auxiliary returns an entry of the auxiliary vector.
func auxiliary(tag uintptr) string {
	vector, err := unix.Auxv()
	if err != nil {
		return err.Error()
	}
	for _, entry := range vector {
		if entry[0] == tag {
			return fmt.Sprint(entry[1])
		}
	}
	return "missing"
}

// entries returns the names in a directory, which identify it.
func entries(dir string) string {
	list, err := os.ReadDir(dir)
	if err != nil {
		return err.Error()
	}
	var names []string
	for _, e := range list {
		names = append(names, e.Name())
	}
	return strings.Join(names, " ")
}

// descriptors lists the inherited descriptors: those that are not close-on-exec, as
// the runtime's are.
func descriptors() string {
	var list []string
	for fd := range lastFD {
		flags, err := unix.FcntlInt(uintptr(fd), unix.F_GETFD, 0)
		if err != nil || flags&unix.FD_CLOEXEC != 0 {
			continue
		}
		name := fmt.Sprint(fd)
		var st unix.Stat_t
		if fd > 2 && unix.Fstat(fd, &st) == nil && st.Mode&unix.S_IFMT == unix.S_IFDIR {
			name += "(directory)"
		}
		list = append(list, name)
	}
	return strings.Join(list, " ")
}

// terminal reports whether the process has a controlling terminal.
func terminal() string {
	fd, err := unix.Open("/dev/tty", unix.O_RDWR|unix.O_NOCTTY|unix.O_CLOEXEC, 0)
	switch {
	case err == nil:
		unix.Close(fd)
		return "yes"
	case err == unix.ENXIO:
		return "none"
	}
	return err.Error()
}

// input describes standard input.
func input() string {
	var st unix.Stat_t
	switch err := unix.Fstat(0, &st); {
	case err != nil:
		return err.Error()
	case st.Mode&unix.S_IFMT == unix.S_IFCHR && st.Rdev == nullDevice:
		return "the null device"
	}
	if _, err := unix.IoctlGetTermios(0, unix.TCGETS); err == nil {
		return "a terminal"
	}
	text, err := io.ReadAll(io.LimitReader(os.Stdin, 4096))
	if err != nil {
		return err.Error()
	}
	return fmt.Sprintf("%q", text)
}

// limits are those that a profile may set without privilege. The limit of open files
// is missing: the Go runtime raises it before main.
var limits = [...]struct {
	name     string
	resource int
}{
	{"as", unix.RLIMIT_AS},
	{"core", unix.RLIMIT_CORE},
	{"cpu", unix.RLIMIT_CPU},
	{"fsize", unix.RLIMIT_FSIZE},
	{"nproc", unix.RLIMIT_NPROC},
	{"stack", unix.RLIMIT_STACK},
}

// otherLimits are the numbers of the other limits, by name.
var otherLimits = [...]struct {
	name     string
	resource int
}{
	{"data", unix.RLIMIT_DATA},
	{"locks", unix.RLIMIT_LOCKS},
	{"memlock", unix.RLIMIT_MEMLOCK},
	{"msgqueue", unix.RLIMIT_MSGQUEUE},
	{"nice", unix.RLIMIT_NICE},
	{"nofile", unix.RLIMIT_NOFILE},
	{"rss", unix.RLIMIT_RSS},
	{"rtprio", unix.RLIMIT_RTPRIO},
	{"rttime", unix.RLIMIT_RTTIME},
	{"sigpending", unix.RLIMIT_SIGPENDING},
}

// reportLimits prints the limits that report leaves out.
func reportLimits(w io.Writer) {
	for _, limit := range otherLimits {
		var l unix.Rlimit
		if err := unix.Getrlimit(limit.resource, &l); err == nil {
			fmt.Fprintf(w, "limit %s: %s %s\n", limit.name, amount(l.Cur), amount(l.Max))
		}
	}
}

func amount(n uint64) string {
	if n == unix.RLIM_INFINITY {
		return "unlimited"
	}
	return fmt.Sprint(n)
}
