package cap

import (
	"runtime"
	"strings"
	"syscall"
	"unsafe"

	"caprun/internal/ids"
	"caprun/psx"

	"golang.org/x/sys/unix"
)

// This file holds the system calls, one function each.

// scope is the set of threads on which a system call runs.
type scope bool

const (
	thisThread scope = false
	allThreads scope = true
)

// call makes a system call on every thread of s. Arguments that were pointers stay
// alive and in place during the call.
//
//go:uintptrescapes
func (s scope) call(nr, a1, a2, a3, a4, a5 uintptr) (uintptr, error) {
	return s.call6(nr, a1, a2, a3, a4, a5, 0)
}

//go:uintptrescapes
func (s scope) call6(nr, a1, a2, a3, a4, a5, a6 uintptr) (uintptr, error) {
	var r uintptr
	var errno syscall.Errno
	if s == allThreads {
		r, _, errno = psx.Syscall6(nr, a1, a2, a3, a4, a5, a6)
	} else {
		r, _, errno = syscall.RawSyscall6(nr, a1, a2, a3, a4, a5, a6)
	}
	if errno != 0 {
		return ^uintptr(0), errno
	}
	return r, nil
}

// prctl6 is prctl(2) with all five arguments.
func (s scope) prctl6(option uintptr, a [5]uintptr) (int, error) {
	r, err := s.call6(unix.SYS_PRCTL, option, a[0], a[1], a[2], a[3], a[4])
	return int(r), err
}

// prctl is prctl(2) without pointers: it does not keep memory in place.
func (s scope) prctl(option int, args ...uintptr) (int, error) {
	var a [4]uintptr
	copy(a[:], args)
	r, err := s.call(unix.SYS_PRCTL, uintptr(option), a[0], a[1], a[2], a[3])
	return int(r), err
}

func gettid() int { return syscall.Gettid() }

// capHeader and capData are struct __user_cap_header_struct and two of struct
// __user_cap_data_struct: capget(2).
type capHeader struct {
	version uint32
	pid     int32
}

type capData [2]struct{ effective, permitted, inheritable uint32 }

// capget returns the effective, permitted and inheritable sets of a thread; pid 0 is
// the calling thread. It does not use scope.call, which would allocate memory.
//
// A seccomp(2) filter can make the call succeed without effect. The initial value
// shows that: no kernel returns effective capabilities that are not permitted.
func capget(pid int) (e, p, i Mask, err error) {
	hdr := capHeader{version: unix.LINUX_CAPABILITY_VERSION_3, pid: int32(pid)}
	d := capData{{effective: ^uint32(0)}, {effective: ^uint32(0)}}
	if _, _, errno := syscall.RawSyscall(unix.SYS_CAPGET, uintptr(unsafe.Pointer(&hdr)), uintptr(unsafe.Pointer(&d)), 0); errno != 0 {
		return 0, 0, 0, errno
	}
	if d[0].effective&^d[0].permitted != 0 || d[1].effective&^d[1].permitted != 0 {
		return 0, 0, 0, ids.ErrNoEffect
	}
	return Mask(d[0].effective) | Mask(d[1].effective)<<32,
		Mask(d[0].permitted) | Mask(d[1].permitted)<<32,
		Mask(d[0].inheritable) | Mask(d[1].inheritable)<<32, nil
}

func (s scope) capset(e, p, i Mask) error {
	hdr := &capHeader{version: unix.LINUX_CAPABILITY_VERSION_3}
	d := &capData{
		{uint32(e), uint32(p), uint32(i)},
		{uint32(e >> 32), uint32(p >> 32), uint32(i >> 32)},
	}
	_, err := s.call(unix.SYS_CAPSET, uintptr(unsafe.Pointer(hdr)), uintptr(unsafe.Pointer(d)), 0, 0, 0)
	runtime.KeepAlive(hdr)
	runtime.KeepAlive(d)
	return err
}

func boundingHas(v Value) (bool, error) {
	r, err := thisThread.prctl(unix.PR_CAPBSET_READ, uintptr(v))
	return r == 1, err
}

func (s scope) boundingDrop(v Value) error {
	_, err := s.prctl(unix.PR_CAPBSET_DROP, uintptr(v))
	return err
}

func ambientHas(v Value) (bool, error) {
	r, err := thisThread.prctl(unix.PR_CAP_AMBIENT, unix.PR_CAP_AMBIENT_IS_SET, uintptr(v))
	return r == 1, err
}

func (s scope) ambientRaise(v Value) error {
	_, err := s.prctl(unix.PR_CAP_AMBIENT, unix.PR_CAP_AMBIENT_RAISE, uintptr(v))
	return err
}

func (s scope) ambientLower(v Value) error {
	_, err := s.prctl(unix.PR_CAP_AMBIENT, unix.PR_CAP_AMBIENT_LOWER, uintptr(v))
	return err
}

func (s scope) ambientClear() error {
	_, err := s.prctl(unix.PR_CAP_AMBIENT, unix.PR_CAP_AMBIENT_CLEAR_ALL)
	return err
}

func getSecurebits() (Secbits, error) {
	r, err := thisThread.prctl(unix.PR_GET_SECUREBITS)
	return Secbits(r), err
}

func (s scope) setSecurebits(bits Secbits) error {
	_, err := s.prctl(unix.PR_SET_SECUREBITS, uintptr(bits))
	return err
}

func (s scope) setKeepCaps(on bool) error {
	v := uintptr(0)
	if on {
		v = 1
	}
	_, err := s.prctl(unix.PR_SET_KEEPCAPS, v)
	return err
}

func (s scope) setNoNewPrivs() error {
	_, err := s.prctl(unix.PR_SET_NO_NEW_PRIVS, 1)
	return err
}

func getNoNewPrivs() (bool, error) {
	r, err := thisThread.prctl(unix.PR_GET_NO_NEW_PRIVS)
	return r == 1, err
}

func setDeathSignal(signal int) error {
	_, err := thisThread.prctl(unix.PR_SET_PDEATHSIG, uintptr(signal))
	return err
}

func getDeathSignal() (int, error) {
	signal := new(int32)
	*signal = -1
	_, err := thisThread.call(unix.SYS_PRCTL, unix.PR_GET_PDEATHSIG, uintptr(unsafe.Pointer(signal)), 0, 0, 0)
	if err == nil && *signal < 0 {
		err = ids.ErrNoEffect
	}
	return int(*signal), err
}

func getppid() int { return syscall.Getppid() }

func getuids() ([4]uint32, error)  { return ids.UIDs() }
func getgids() ([4]uint32, error)  { return ids.GIDs() }
func getgroups() ([]uint32, error) { return ids.Groups() }

// readOverflowIDs reads the overflow IDs before the root directory changes.
func readOverflowIDs()                 { ids.ReadOverflow() }
func mayBeUnmappedUID(uid uint32) bool { return ids.MayBeUnmappedUID(uid) }
func mayBeUnmappedGID(gid uint32) bool { return ids.MayBeUnmappedGID(gid) }

func (s scope) setuids(uid uint32) error {
	_, err := s.call(ids.SysSetresuid, uintptr(uid), uintptr(uid), uintptr(uid), 0, 0)
	return err
}

func (s scope) setgids(gid uint32) error {
	_, err := s.call(ids.SysSetresgid, uintptr(gid), uintptr(gid), uintptr(gid), 0, 0)
	return err
}

func (s scope) setgroups(groups []uint32) error {
	if len(groups) == 0 {
		_, err := s.call(ids.SysSetgroups, 0, 0, 0, 0, 0)
		return err
	}
	_, err := s.call(ids.SysSetgroups, uintptr(len(groups)), uintptr(unsafe.Pointer(&groups[0])), 0, 0, 0)
	runtime.KeepAlive(groups)
	return err
}

func getfdFlags(fd int) (int, error) {
	r, err := thisThread.call(unix.SYS_FCNTL, uintptr(fd), unix.F_GETFD, 0, 0, 0)
	return int(r), err
}

func setfdFlags(fd, flags int) error {
	_, err := thisThread.call(unix.SYS_FCNTL, uintptr(fd), unix.F_SETFD, uintptr(flags), 0, 0)
	return err
}

// maxDescriptor is the largest number that a descriptor can have.
const maxDescriptor = 1<<31 - 1

// closeOnExecRange marks the open descriptors first to last close-on-exec:
// close_range(2), or one at a time on a kernel without CLOSE_RANGE_CLOEXEC (before 5.11).
func closeOnExecRange(first, last int) error {
	_, err := thisThread.call(unix.SYS_CLOSE_RANGE, uintptr(first), uintptr(last), unix.CLOSE_RANGE_CLOEXEC, 0, 0)
	if err != syscall.ENOSYS && err != syscall.EINVAL {
		return err
	}
	// A descriptor can be above the soft limit, if that has been lowered. The hard
	// limit is seldom lowered.
	_, hard, err := getrlimit(unix.RLIMIT_NOFILE)
	if err != nil {
		return err
	}
	for fd := first; fd <= last && uint64(fd) < min(hard, maxOpenFiles); fd++ {
		flags, err := getfdFlags(fd)
		if err == syscall.EBADF {
			continue
		}
		if err == nil {
			err = setfdFlags(fd, flags|unix.FD_CLOEXEC)
		}
		if err != nil {
			return err
		}
	}
	return nil
}

// maxOpenFiles bounds the search above. It is the default of fs.nr_open.
const maxOpenFiles = 1 << 20

// openDirectory opens a directory, which need not be readable.
func openDirectory(path string) (int, error) {
	return unix.Open(path, unix.O_PATH|unix.O_DIRECTORY|unix.O_CLOEXEC, 0)
}

func closeDescriptor(fd int) { unix.Close(fd) }

// isDirectory returns an error unless path is the directory fd.
func isDirectory(path string, fd int) error {
	var at, want unix.Stat_t
	if err := unix.Stat(path, &at); err != nil {
		return err
	}
	if err := unix.Fstat(fd, &want); err != nil {
		return err
	}
	if at.Dev != want.Dev || at.Ino != want.Ino {
		return ids.ErrNoEffect
	}
	return nil
}

// statInRoot is stat(2) of a path in a root directory, in which symbolic links are
// resolved: openat2(2). It has no effect on a kernel without that call (before 5.6) or
// under a filter that forbids it.
func statInRoot(root, path string) {
	dir, err := openDirectory(root)
	if err != nil {
		return
	}
	defer closeDescriptor(dir)
	fd, err := unix.Openat2(dir, path, &unix.OpenHow{Flags: unix.O_PATH | unix.O_CLOEXEC, Resolve: unix.RESOLVE_IN_ROOT})
	if err != nil {
		return
	}
	defer closeDescriptor(fd)
	var st unix.Stat_t
	_ = unix.Fstat(fd, &st)
}

func setsid() error {
	_, err := thisThread.call(unix.SYS_SETSID, 0, 0, 0, 0, 0)
	return err
}

// leadsSession reports whether the process is the leader of its session.
func leadsSession() (bool, error) {
	sid, err := unix.Getsid(0)
	return sid == syscall.Getpid(), err
}

// keyctl is keyctl(2) with an operation that takes one serial number, or none.
func keyctl(operation, serial int) (int, error) {
	r, err := thisThread.call(unix.SYS_KEYCTL, uintptr(operation), uintptr(serial), 0, 0, 0)
	return int(int32(r)), err
}

// giveUpTerminal gives up the controlling terminal fd. The error is ENOTTY if fd is not
// the controlling terminal.
func giveUpTerminal(fd int) error {
	_, err := thisThread.call(unix.SYS_IOCTL, uintptr(fd), unix.TIOCNOTTY, 0, 0, 0)
	return err
}

// signalAction is large enough for the kernel's struct sigaction on every architecture.
// It begins with the handler, on MIPS with the flags.
type signalAction [20]uintptr

func (a *signalAction) ignore() {
	const sigIgn = 1
	if strings.HasPrefix(runtime.GOARCH, "mips") {
		a[1] = sigIgn
	} else {
		a[0] = sigIgn
	}
}

// sigaction sets the action of a signal if act is not nil, and returns the old action:
// rt_sigaction(2). The Go runtime does not notice the change.
func sigaction(sig syscall.Signal, act *signalAction) (signalAction, error) {
	maskSize := uintptr(8)
	if strings.HasPrefix(runtime.GOARCH, "mips") {
		maskSize = 16
	}
	old := new(signalAction)
	_, err := thisThread.call(unix.SYS_RT_SIGACTION, uintptr(sig), uintptr(unsafe.Pointer(act)), uintptr(unsafe.Pointer(old)), maskSize, 0)
	return *old, err
}

func chroot(path string) error { return syscall.Chroot(path) }

func chdir(path string) error { return syscall.Chdir(path) }

func umask(mask uint32) uint32 { return uint32(syscall.Umask(int(mask))) }

func getrlimit(resource int) (soft, hard uint64, err error) {
	var r syscall.Rlimit
	err = syscall.Getrlimit(resource, &r)
	return r.Cur, r.Max, err
}

// setrlimit uses package syscall. Otherwise syscall.Exec would restore the RLIMIT_NOFILE
// that the process had when it started.
func setrlimit(resource int, soft, hard uint64) error {
	return syscall.Setrlimit(resource, &syscall.Rlimit{Cur: soft, Max: hard})
}

func execve(path string, args, env []string) error { return syscall.Exec(path, args, env) }
