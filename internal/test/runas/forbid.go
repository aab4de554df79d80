//go:build linux

package main

import (
	"errors"
	"fmt"
	"os"
	"runtime"
	"strconv"
	"strings"
	"unsafe"

	"golang.org/x/sys/unix"
)

// forbidden are the system calls that a filter can forbid, by name.
var forbidden = map[string]uint32{
	"capget": unix.SYS_CAPGET, "capset": unix.SYS_CAPSET, "chdir": unix.SYS_CHDIR, "chroot": unix.SYS_CHROOT,
	"close_range": unix.SYS_CLOSE_RANGE, "fcntl": unix.SYS_FCNTL, "fgetxattr": unix.SYS_FGETXATTR, "getxattr": unix.SYS_GETXATTR,
	"getgroups": unix.SYS_GETGROUPS, "getresuid": unix.SYS_GETRESUID, "openat": unix.SYS_OPENAT, "prctl": unix.SYS_PRCTL,
	"prlimit64": unix.SYS_PRLIMIT64, "setgroups": unix.SYS_SETGROUPS, "setresgid": unix.SYS_SETRESGID, "setresuid": unix.SYS_SETRESUID,
	"setfsuid": unix.SYS_SETFSUID, "setsid": unix.SYS_SETSID, "umask": unix.SYS_UMASK, "uname": unix.SYS_UNAME, "wait4": unix.SYS_WAIT4,
	"faccessat2": unix.SYS_FACCESSAT2, "keyctl": unix.SYS_KEYCTL, "add_key": unix.SYS_ADD_KEY, "request_key": unix.SYS_REQUEST_KEY, "statmount": unix.SYS_STATMOUNT, "statx": unix.SYS_STATX,
}

// forbid installs a filter: CALL:ERRNO, or CALL:ERRNO:FIRST for one value of the
// first argument. Errno 0 makes the call succeed without effect. It requires
// cap_sys_admin or no_new_privs: seccomp(2).
func forbid(value string) error {
	name, number, _ := strings.Cut(value, ":")
	number, first, one := strings.Cut(number, ":")
	call, ok := forbidden[name]
	if !ok {
		return fmt.Errorf("unknown system call %s", name)
	}
	refuse := unix.SockFilter{Code: unix.BPF_RET | unix.BPF_K, K: unix.SECCOMP_RET_ERRNO | uint32(parse(number))}
	allow := unix.SockFilter{Code: unix.BPF_RET | unix.BPF_K, K: unix.SECCOMP_RET_ALLOW}
	filter := []unix.SockFilter{
		{Code: unix.BPF_LD | unix.BPF_W | unix.BPF_ABS},
		{Code: unix.BPF_JMP | unix.BPF_JEQ | unix.BPF_K, K: call, Jf: 1},
		refuse, allow,
	}
	if one {
		// The lower half of seccomp_data.args[0], at the higher address on a
		// big-endian machine.
		const firstArgument = 16
		filter = []unix.SockFilter{
			{Code: unix.BPF_LD | unix.BPF_W | unix.BPF_ABS},
			{Code: unix.BPF_JMP | unix.BPF_JEQ | unix.BPF_K, K: call, Jf: 3},
			{Code: unix.BPF_LD | unix.BPF_W | unix.BPF_ABS, K: firstArgument},
			{Code: unix.BPF_JMP | unix.BPF_JEQ | unix.BPF_K, K: uint32(parse(first)), Jf: 1},
			refuse, allow,
		}
	}
	prog := unix.SockFprog{Len: uint16(len(filter)), Filter: &filter[0]}
	err := raw(unix.SYS_SECCOMP, unix.SECCOMP_SET_MODE_FILTER, 0, uintptr(unsafe.Pointer(&prog)))
	runtime.KeepAlive(filter)
	return err
}

// joinPids moves the caller into a pids cgroup, NUMBER:NAME, that allows that many
// threads. If there is no such hierarchy, the error is an errno.
func joinPids(value string) (err error) {
	limit, name, _ := strings.Cut(value, ":")
	for _, parent := range []string{"/sys/fs/cgroup/pids", "/sys/fs/cgroup"} {
		dir := parent + "/" + name
		if err = os.Mkdir(dir, 0o755); err != nil {
			continue
		}
		if err = os.WriteFile(dir+"/pids.max", []byte(limit), 0o644); err == nil {
			return os.WriteFile(dir+"/cgroup.procs", []byte(strconv.Itoa(os.Getpid())), 0o644)
		}
		os.Remove(dir)
	}
	return errors.Unwrap(err) // without the path, which depends on the hierarchy
}
