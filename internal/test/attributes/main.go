//go:build linux

// Command attributes is a target of tests: it prints attributes of its process that
// execve(2) preserves, one per line, as NAME: VALUE. It is a Go program, so its signals
// and its soft limit of descriptors are not those that it was started with. Build it
// with CGO_ENABLED=0.
package main

import (
	"encoding/binary"
	"fmt"
	"os"
	"runtime"
	"slices"
	"strconv"
	"strings"
	"unsafe"

	"golang.org/x/sys/unix"
)

// Most attributes are those of the first thread.
func init() { runtime.LockOSThread() }

func main() {
	var b strings.Builder
	for _, a := range attributes {
		value, err := a.read()
		if err != nil {
			value = err.Error()
		}
		fmt.Fprintf(&b, "%s: %s\n", a.name, value)
	}
	_, _ = os.Stdout.WriteString(b.String())
}

type attribute struct {
	name string
	read func() (string, error)
}

// attributes are named as the rows of "caprun explain", apart from the stack.
var attributes = []attribute{
	{"audit user ID", files("/proc/self/loginuid")},
	{"session keyring", sessionKeys},
	{"default keyring of request_key(2)", func() (string, error) {
		return number(unix.KeyctlInt(unix.KEYCTL_SET_REQKEY_KEYRING, unix.KEY_REQKEY_DEFL_NO_CHANGE, 0, 0, 0))
	}},
	{"Landlock domain", makeFIFO},
	{"LSM label", files("/proc/self/attr/current")},
	{"I/O port permissions", readPort},
	{"speculation control", func() (string, error) {
		return join(get(unix.PR_GET_SPECULATION_CTRL, unix.PR_SPEC_STORE_BYPASS), get(unix.PR_GET_SPECULATION_CTRL, unix.PR_SPEC_INDIRECT_BRANCH)), nil
	}},
	{"memory-deny-write-execute", func() (string, error) { return get(unix.PR_GET_MDWE, 0), nil }},

	{"process ID", same("START_PID", func() int { return unix.Getpid() })},
	{"parent", same("START_PARENT", func() int { return unix.Getppid() })},
	{"process group", same("START_GROUP", unix.Getpgrp)},
	{"session", same("START_SESSION", func() int { sid, _ := unix.Getsid(0); return sid })},
	{"children", func() (string, error) {
		err := unix.Waitid(unix.P_ALL, 0, nil, unix.WEXITED|unix.WNOHANG|unix.WNOWAIT, nil)
		return "there are some", err
	}},
	{"controlling terminal", func() (string, error) {
		fd, err := unix.Open("/dev/tty", unix.O_RDWR|unix.O_NOCTTY|unix.O_CLOEXEC, 0)
		if err == nil {
			err = unix.Close(fd)
		}
		return "there is one", err
	}},
	{"child subreaper", func() (string, error) { return getInto(unix.PR_GET_CHILD_SUBREAPER) }},
	{"parent-death signal", func() (string, error) { return getInto(unix.PR_GET_PDEATHSIG) }},
	{"namespaces", namespaces},
	{"cgroups", files("/proc/self/cgroup")},
	{"personality", func() (string, error) { return call(unix.SYS_PERSONALITY, 0xffffffff, 0, 0) }},
	{"CPU time", func() (string, error) {
		var used unix.Rusage
		err := unix.Getrusage(unix.RUSAGE_SELF, &used)
		return fmt.Sprint(used.Utime.Nano()+used.Stime.Nano() >= longCPUTime), err
	}},
	{"semaphore adjustments", func() (string, error) {
		id, err := strconv.Atoi(os.Getenv("SEMAPHORE"))
		if err != nil {
			return "", err
		}
		return call(unix.SYS_SEMCTL, uintptr(id), 0, getval)
	}},
	{"interval timers", func() (string, error) {
		var list []string
		for _, which := range []unix.ItimerWhich{unix.ITIMER_REAL, unix.ITIMER_VIRTUAL, unix.ITIMER_PROF} {
			timer, err := unix.Getitimer(which)
			if err != nil {
				return "", err
			}
			list = append(list, fmt.Sprint(timer.Value.Sec > 0, timer.Interval.Sec))
		}
		return join(list...), nil
	}},

	{"nice value", func() (string, error) { return call(unix.SYS_GETPRIORITY, unix.PRIO_PROCESS, 0, 0) }},
	{"policy and priority", func() (string, error) {
		attr, err := unix.SchedGetAttr(0, 0)
		if err != nil {
			return "", err
		}
		return fmt.Sprintf("%+v", *attr), nil
	}},
	{"CPU affinity", func() (string, error) {
		var set unix.CPUSet
		err := unix.SchedGetaffinity(0, &set)
		return fmt.Sprint(set), err
	}},
	{"core-scheduling cookie", func() (string, error) {
		cookie := new(uint64)
		_, _, errno := unix.RawSyscall6(unix.SYS_PRCTL, unix.PR_SCHED_CORE, unix.PR_SCHED_CORE_GET, 0, 0, uintptr(unsafe.Pointer(cookie)), 0)
		return result(fmt.Sprintf("%x", *cookie), errno)
	}},
	{"I/O priority", func() (string, error) { return call(unix.SYS_IOPRIO_GET, 1, 0, 0) }},
	{"I/O flusher", func() (string, error) { return get(unix.PR_GET_IO_FLUSHER, 0), nil }},
	{"timer slack", func() (string, error) { return get(unix.PR_GET_TIMERSLACK, 0), nil }},

	{"NUMA policy", func() (string, error) {
		mode, mask := new(int32), new([16]uint64)
		_, _, errno := unix.RawSyscall6(unix.SYS_GET_MEMPOLICY, uintptr(unsafe.Pointer(mode)), uintptr(unsafe.Pointer(mask)), 64*16, 0, 0, 0)
		return result(fmt.Sprint(*mode, mask[0]), errno)
	}},
	{"OOM score adjustment", files("/proc/self/oom_score_adj")},
	{"core-dump filter", files("/proc/self/coredump_filter")},
	{"transparent huge pages", func() (string, error) { return get(unix.PR_GET_THP_DISABLE, 0), nil }},
	{"same-page merging", func() (string, error) { return get(unix.PR_GET_MEMORY_MERGE, 0), nil }},
	{"memory-corruption policy", func() (string, error) { return get(unix.PR_MCE_KILL_GET, 0), nil }},

	{"stack", func() (string, error) {
		var limit unix.Rlimit
		err := unix.Getrlimit(unix.RLIMIT_STACK, &limit)
		return fmt.Sprint(limit.Cur), err
	}},
	{"root directory", directory("/")},
	{"working directory", directory(".")},
	{"umask", func() (string, error) { return fmt.Sprintf("%#o", unix.Umask(0)), nil }},
	{"descriptors 0 to 2", descriptors},
	{"record locks on them, unless caprun reads the file", locks},
	{"variables", func() (string, error) { return os.Getenv("INHERITED"), nil }},
}

// sessionKeys returns the descriptions of the keys in the session keyring.
func sessionKeys() (string, error) {
	var serials [1024]byte
	n, err := unix.KeyctlBuffer(unix.KEYCTL_READ, unix.KEY_SPEC_SESSION_KEYRING, serials[:], 0)
	if err != nil {
		return "", err
	}
	var list []string
	for key := range slices.Chunk(serials[:min(n, len(serials))], 4) {
		description, err := unix.KeyctlString(unix.KEYCTL_DESCRIBE, int(int32(binary.NativeEndian.Uint32(key))))
		if err != nil {
			return "", err
		}
		list = append(list, description)
	}
	return join(list...), nil
}

// getval is GETVAL of semctl(2).
const getval = 12

// longCPUTime is what a Go program does not use to start, in nanoseconds.
const longCPUTime = 300e6

func join(list ...string) string { return strings.Join(list, " ") }

func number(n int, err error) (string, error) { return fmt.Sprint(n), err }

func result(text string, errno unix.Errno) (string, error) {
	if errno != 0 {
		return "", errno
	}
	return text, nil
}

// call makes a system call of three arguments, which are no pointers.
func call(trap, a, b, c uintptr) (string, error) {
	n, _, errno := unix.RawSyscall(trap, a, b, c)
	return result(fmt.Sprint(n), errno)
}

// get returns what prctl(2) returns.
func get(option int, argument uintptr) string {
	n, _, errno := unix.RawSyscall6(unix.SYS_PRCTL, uintptr(option), argument, 0, 0, 0, 0)
	if errno != 0 {
		return errno.Error()
	}
	return fmt.Sprint(n)
}

// getInto returns what prctl(2) stores in an int.
func getInto(option int) (string, error) {
	n := new(int32)
	_, _, errno := unix.RawSyscall6(unix.SYS_PRCTL, uintptr(option), uintptr(unsafe.Pointer(n)), 0, 0, 0, 0)
	return result(fmt.Sprint(*n), errno)
}

// same says whether a number is the one that runas found.
func same(variable string, now func() int) func() (string, error) {
	return func() (string, error) { return fmt.Sprint(os.Getenv(variable) == fmt.Sprint(now())), nil }
}

func files(paths ...string) func() (string, error) {
	return func() (string, error) {
		var list []string
		for _, path := range paths {
			text, err := os.ReadFile(path)
			if err != nil {
				return "", err
			}
			list = append(list, strings.Fields(string(text))...)
		}
		return join(list...), nil
	}
}

// namespaces says whether the namespaces are those that runas found, and the host name.
func namespaces() (string, error) {
	var name unix.Utsname
	if err := unix.Uname(&name); err != nil {
		return "", err
	}
	entries, err := os.ReadDir("/proc/self/ns")
	var list []string
	for _, e := range entries {
		link, err := os.Readlink("/proc/self/ns/" + e.Name())
		if err != nil {
			return "", err
		}
		list = append(list, link)
	}
	return join(fmt.Sprint(os.Getenv("START_NAMESPACES") == join(list...)), unix.ByteSliceToString(name.Nodename[:])), err
}

// makeFIFO makes a FIFO, which the Landlock domain of runas forbids.
func makeFIFO() (string, error) {
	path := fmt.Sprintf("%s/attributes-%d", os.TempDir(), os.Getpid())
	err := unix.Mkfifo(path, 0o600)
	if err == nil {
		err = os.Remove(path)
	}
	return "none", err
}

func directory(path string) func() (string, error) {
	return func() (string, error) {
		var st unix.Stat_t
		err := unix.Stat(path, &st)
		return fmt.Sprint(st.Dev, st.Ino), err
	}
}

// descriptors returns what is open as 0, 1 and 2, and where.
func descriptors() (string, error) {
	var list []string
	for fd := range 3 {
		var st unix.Stat_t
		if err := unix.Fstat(fd, &st); err != nil {
			list = append(list, err.Error())
			continue
		}
		flags, _ := unix.FcntlInt(uintptr(fd), unix.F_GETFL, 0)
		offset, _ := unix.Seek(fd, 0, unix.SEEK_CUR)
		if st.Mode&unix.S_IFMT == unix.S_IFIFO {
			// A pipe of the test, of which each process has its own.
			st.Ino = 0
		}
		list = append(list, fmt.Sprintf("%d %d %#o %d", st.Dev, st.Ino, flags, offset))
	}
	return strings.Join(list, ", "), nil
}

// locks returns the record locks of this process: proc_locks(5).
func locks() (string, error) {
	text, err := os.ReadFile("/proc/locks")
	var list []string
	for line := range strings.Lines(string(text)) {
		if f := strings.Fields(line); slices.Contains(f, "POSIX") && slices.Contains(f, fmt.Sprint(os.Getpid())) {
			list = append(list, join(f[1:4]...))
		}
	}
	return join(list...), err
}
