package main

import (
	"bytes"
	"debug/elf"
	"fmt"
	"os"
	"path/filepath"
	"regexp"
	"slices"
	"syscall"
	"testing"

	"caprun/internal/test/faults"
	"caprun/policy"
	"caprun/seal"

	"golang.org/x/sys/unix"
)

// TestSealedFaults does with sealed launchers what TestFaults does with caprun.
func TestSealedFaults(t *testing.T) {
	tryScenes(t, &faultTable{file: "testdata/faults_sealed.md", scenes: sealedScenes()})
}

// seal writes the sealed launcher of a profile.
func (p *faultPlace) seal(t *testing.T, profile string) string {
	t.Helper()
	text, err := os.ReadFile(profile)
	if err != nil {
		t.Fatal(err)
	}
	parsed, diagnostics := policy.Parse(profile, text)
	if parsed == nil {
		t.Fatal(diagnostics)
	}
	file, err := seal.Seal(parsed, seal.Options{Arch: seal.AMD64})
	if err != nil {
		t.Fatal(err)
	}
	image, err := elf.NewFile(bytes.NewReader(file))
	if err != nil {
		t.Fatal(err)
	}
	for _, segment := range image.Progs {
		if segment.Flags&elf.PF_X != 0 {
			p.code = [2]uint64{segment.Vaddr, segment.Vaddr + segment.Memsz}
		}
	}
	path := filepath.Join(p.dir, "sealed")
	// A child that is started meanwhile must not have the file open for writing.
	syscall.ForkLock.RLock()
	defer syscall.ForkLock.RUnlock()
	if err := os.WriteFile(path, file, 0o755); err != nil {
		t.Fatal(err)
	}
	return path
}

// sealedErrno is an error in a message of a sealed launcher, whose words have been replaced.
var sealedErrno = regexp.MustCompile(`: ERRNO \(E[A-Z0-9]+\)|: error [0-9]{3}\b`)

// sealedCallTable has the calls that only sealed launchers make, and those that can fail in
// more ways there. Descriptor 9 is open and sometimes kept, 10 is open.
var sealedCallTable = [...]faultCall{
	{nr: unix.SYS_GETPID, name: "getpid", errnos: []unix.Errno{unix.ENOSYS, unix.EPERM}, values: []int64{0, 1}},
	{nr: unix.SYS_GETPGID, name: "getpgid", errnos: []unix.Errno{unix.ENOSYS, unix.EPERM, unix.ESRCH}, values: []int64{0, 1}},
	{nr: unix.SYS_KEYCTL, name: "keyctl", errnos: []unix.Errno{unix.EACCES, unix.EDQUOT, unix.EINVAL, unix.EKEYEXPIRED, unix.EKEYREVOKED, unix.ENOKEY, unix.ENOMEM, unix.ENOSYS, unix.EOPNOTSUPP, unix.EPERM}, values: []int64{0, 1}},
	{nr: unix.SYS_ADD_KEY, name: "add_key", errnos: []unix.Errno{unix.EFAULT, unix.ENOSYS, unix.EPERM}, values: []int64{0, 1}},
	{nr: unix.SYS_REQUEST_KEY, name: "request_key", errnos: []unix.Errno{unix.EFAULT, unix.ENOSYS, unix.EPERM}, values: []int64{0, 1}},
	{nr: unix.SYS_STATX, name: "statx", errnos: []unix.Errno{unix.EACCES, unix.EBADF, unix.EFAULT, unix.EINVAL, unix.EIO, unix.ELOOP, unix.ENAMETOOLONG, unix.ENOENT, unix.ENOMEM, unix.ENOSYS, unix.ENOTDIR, unix.EPERM}, values: []int64{0, 1}},
	{nr: unix.SYS_FACCESSAT2, name: "faccessat2", errnos: []unix.Errno{unix.EACCES, unix.EINVAL, unix.EIO, unix.ELOOP, unix.ENOENT, unix.ENOMEM, unix.ENOSYS, unix.ENOTDIR, unix.EPERM, unix.EROFS}, values: []int64{0, 1}},
	{nr: unix.SYS_EVENTFD2, name: "eventfd2", errnos: []unix.Errno{unix.EINVAL, unix.EMFILE, unix.ENFILE, unix.ENODEV, unix.ENOMEM, unix.ENOSYS, unix.EPERM}, values: []int64{0, 1, 9, 10, 1000}},
	{nr: unix.SYS_OPENAT, name: "openat", errnos: []unix.Errno{unix.EACCES, unix.EINTR, unix.EINVAL, unix.ELOOP, unix.EMFILE, unix.ENAMETOOLONG, unix.ENFILE, unix.ENODEV, unix.ENOENT, unix.ENOMEM, unix.ENOSYS, unix.ENOTDIR, unix.ENXIO, unix.EOVERFLOW, unix.EPERM}, values: []int64{0, 1, 9, 10, 1000}},
	{nr: unix.SYS_READ, name: "read", errnos: []unix.Errno{unix.EAGAIN, unix.EBADF, unix.EINTR, unix.EINVAL, unix.EIO, unix.EISDIR, unix.ENOSYS, unix.EPERM}, values: []int64{0, 1, 256, 1 << 20}},
	{nr: unix.SYS_PREAD64, name: "pread64", errnos: []unix.Errno{unix.EAGAIN, unix.EBADF, unix.EINTR, unix.EINVAL, unix.EIO, unix.EISDIR, unix.ENOSYS, unix.EPERM}, values: []int64{0, 1, 256, 1 << 20}},
	{nr: unix.SYS_GETXATTR, name: "getxattr", errnos: []unix.Errno{unix.E2BIG, unix.EACCES, unix.EIO, unix.ENODATA, unix.ENOENT, unix.ENOSYS, unix.ENOTSUP, unix.EOVERFLOW, unix.EPERM, unix.ERANGE}, values: []int64{0, 1, 20}},
	{nr: unix.SYS_FSTATFS, name: "fstatfs", errnos: []unix.Errno{unix.EBADF, unix.EFAULT, unix.EINTR, unix.EIO, unix.ENOMEM, unix.ENOSYS, unix.EOVERFLOW, unix.EPERM}, values: []int64{0, 1}},
	{nr: unix.SYS_PRCTL, name: "prctl", errnos: []unix.Errno{unix.EACCES, unix.EFAULT, unix.EINVAL, unix.ENOMEM, unix.ENOSYS, unix.EPERM}, values: []int64{0, 1, 2}},
	{nr: unix.SYS_FCNTL, name: "fcntl", errnos: []unix.Errno{unix.EACCES, unix.EBADF, unix.EINVAL, unix.EMFILE, unix.ENOSYS, unix.EPERM}, values: []int64{0, 1, 2}},
	{nr: unix.SYS_GETGROUPS, name: "getgroups", errnos: []unix.Errno{unix.EFAULT, unix.EINVAL, unix.ENOSYS, unix.EPERM}, values: []int64{0, 1, 65536, 1 << 30}},
	{nr: unix.SYS_RT_SIGPROCMASK, name: "rt_sigprocmask", errnos: []unix.Errno{unix.EFAULT, unix.EINVAL, unix.ENOSYS, unix.EPERM}, values: []int64{0, 1}},
	{nr: unix.SYS_RT_SIGACTION, name: "rt_sigaction", errnos: []unix.Errno{unix.EFAULT, unix.EINVAL, unix.ENOSYS, unix.EPERM}, values: []int64{0, 1}},
	{nr: unix.SYS_SETITIMER, name: "setitimer", errnos: []unix.Errno{unix.EFAULT, unix.EINVAL, unix.ENOSYS, unix.EPERM}, values: []int64{0, 1}},
	{nr: unix.SYS_WRITE, name: "write", errnos: []unix.Errno{unix.EAGAIN, unix.EBADF, unix.EDQUOT, unix.EFAULT, unix.EFBIG, unix.EINTR, unix.EINVAL, unix.EIO, unix.ENOSPC, unix.ENOSYS, unix.EPERM, unix.EPIPE}, values: []int64{0, 1}},
	{nr: unix.SYS_MMAP, name: "mmap", errnos: []unix.Errno{unix.EACCES, unix.EAGAIN, unix.EINVAL, unix.ENOMEM, unix.ENOSYS, unix.EPERM}, values: []int64{0, 1}},
	{nr: unix.SYS_EXIT_GROUP, name: "exit_group", errnos: []unix.Errno{unix.ENOSYS, unix.EPERM}, values: []int64{0}},
}

// sealedCallOf returns how a call of a sealed launcher can fail.
func sealedCallOf(nr uintptr) faultCall {
	if n := slices.IndexFunc(sealedCallTable[:], func(c faultCall) bool { return c.nr == nr }); n >= 0 {
		return sealedCallTable[n]
	}
	return faultCallOf(nr)
}

// writesMessage reports whether a sealed launcher makes a call to write its message.
func writesMessage(nr uintptr) bool {
	return slices.Contains([]uintptr{unix.SYS_RT_SIGACTION, unix.SYS_RT_SIGPROCMASK, unix.SYS_SETITIMER, unix.SYS_WRITE}, nr)
}

// sealedLabel returns the label of a call whose label differs between sealed launchers and
// caprun, or "".
func sealedLabel(c faults.Call) string {
	switch c.NR {
	case unix.SYS_KEYCTL:
		operations := map[uint64]string{
			unix.KEYCTL_GET_KEYRING_ID: "KEYCTL_GET_KEYRING_ID", unix.KEYCTL_JOIN_SESSION_KEYRING: "KEYCTL_JOIN_SESSION_KEYRING", unix.KEYCTL_READ: "KEYCTL_READ",
		}
		if name := operations[c.Args[0]]; name != "" {
			return "keyctl " + name
		}
		return fmt.Sprintf("keyctl %d", c.Args[0])
	case unix.SYS_FCNTL:
		name := map[uint64]string{unix.F_GETFD: "F_GETFD", unix.F_SETFD: "F_SETFD", unix.F_DUPFD: "F_DUPFD"}[c.Args[1]]
		return fmt.Sprintf("fcntl %d %s", c.Args[0], name)
	case unix.SYS_RT_SIGACTION:
		set := ", set"
		if c.Args[1] == 0 {
			set = ", read"
		}
		return "rt_sigaction " + unix.SignalName(unix.Signal(c.Args[0])) + set
	case unix.SYS_IOCTL:
		if c.Args[1] == unix.TIOCGSID {
			return "ioctl TIOCGSID"
		}
	}
	return ""
}
