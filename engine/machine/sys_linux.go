package machine

import (
	"errors"
	"fmt"
	"syscall"
	"unsafe"

	"golang.org/x/sys/unix"
)

// This file has the raw system calls. They open files without the poller of the
// runtime, so that a launch needs few descriptors.

func openDir(at int, path string) (int, error) {
	return openAt(at, path, unix.O_PATH|unix.O_DIRECTORY)
}

func openPath(at int, name string) (int, error) {
	return openAt(at, name, unix.O_PATH|unix.O_NOFOLLOW)
}

// openRead opens a regular file. If it is a FIFO or a device, the call does not block, and
// the device does not become the controlling terminal.
func openRead(at int, name string) (int, error) {
	return openAt(at, name, unix.O_RDONLY|unix.O_NOFOLLOW|unix.O_NONBLOCK|unix.O_NOCTTY)
}

func openAt(at int, name string, flags int) (int, error) {
	for {
		fd, err := unix.Openat(at, name, flags|unix.O_CLOEXEC, 0)
		if err != unix.EINTR {
			return fd, err
		}
	}
}

// setNoAtime sets O_NOATIME and O_NONBLOCK for an open file, see fcntl(2), F_SETFL.
func setNoAtime(fd int) error {
	_, err := unix.FcntlInt(uintptr(fd), unix.F_SETFL, unix.O_NOATIME|unix.O_NONBLOCK)
	return err
}

// readLink returns the text of the symbolic link that fd is a descriptor of.
func readLink(fd int) (string, error) { return readLinkAt(fd, "") }

// readLinkAt is readLink for a path below a directory.
func readLinkAt(at int, name string) (string, error) {
	buf := make([]byte, maxPath)
	n, err := unix.Readlinkat(at, name, buf)
	if err != nil {
		return "", err
	}
	if n == 0 {
		return "", unix.ENOENT
	}
	if n == len(buf) {
		return "", unix.ENAMETOOLONG
	}
	return string(buf[:n]), nil
}

// readFile returns the content of a file. If the file has more than max bytes, it returns
// the first max bytes and EFBIG.
func readFile(path string, max int) ([]byte, error) {
	return readFileAt(unix.AT_FDCWD, path, max)
}

// readFileAt is readFile for a path below a directory.
func readFileAt(at int, path string, max int) ([]byte, error) {
	fd, err := openAt(at, path, unix.O_RDONLY|unix.O_NONBLOCK|unix.O_NOCTTY)
	if err != nil {
		return nil, err
	}
	defer unix.Close(fd)
	return readDescriptor(fd, max)
}

// readDescriptor is readFile for an open file.
func readDescriptor(fd, max int) ([]byte, error) {
	data := make([]byte, 0, 1024) // enough for most profiles and for the files of /proc
	for {
		if len(data) == cap(data) {
			data = append(data, 0)[:len(data)]
		}
		n, err := unix.Read(fd, data[len(data):cap(data)])
		switch {
		case err == unix.EINTR:
			n = 0
		case err != nil:
			return nil, err
		case n == 0:
			return data, checkWhole(fd, len(data))
		}
		data = data[:len(data)+n]
		if len(data) > max {
			return data[:max], unix.EFBIG
		}
	}
}

// checkWhole returns an error if a file ended before its size: the missing part could be
// what matters. Files of the proc file system have size 0.
func checkWhole(fd, length int) error {
	var st unix.Stat_t
	if err := unix.Fstat(fd, &st); err != nil {
		return err
	}
	if st.Mode&unix.S_IFMT == unix.S_IFREG && int64(length) < st.Size {
		return errors.New("it ends before its size: a process may be writing it")
	}
	return nil
}

// deathSignal returns the parent-death signal of the calling thread.
func deathSignal() (int, error) {
	// On the heap: the runtime may move the stack, and the kernel writes to this
	// address.
	signal := new(int32)
	*signal = -1
	_, _, errno := syscall.RawSyscall6(unix.SYS_PRCTL, unix.PR_GET_PDEATHSIG, uintptr(unsafe.Pointer(signal)), 0, 0, 0, 0)
	if errno != 0 {
		return 0, errno
	}
	if *signal < 0 {
		return 0, errors.New("it had no effect")
	}
	return int(*signal), nil
}

// statPath returns the state of the file at path, following symbolic links. It needs no
// permission to read the file.
func statPath(path string) (fileState, error) {
	var st unix.Stat_t
	if err := unix.Stat(path, &st); err != nil {
		return fileState{}, err
	}
	return readFileState(&st, fileCalls{
		statfs: func(fs *unix.Statfs_t) error { return unix.Statfs(path, fs) },
		caps:   func(data []byte) (int, error) { return unix.Getxattr(path, capsAttribute, data) },
		statx:  func(mask int, st *unix.Statx_t) error { return unix.Statx(unix.AT_FDCWD, path, 0, mask, st) },
	})
}

// executable reports whether the calling thread may execute the file at path, according to
// faccessat2(2). ENOENT, ENOTDIR and EACCES, after which execvp(3) continues, are not
// errors. If the call is not available or a system call filter answers it, the error for a
// regular file is an *accessError: its mode alone does not tell, because of access control
// lists and security modules.
func executable(path string) (bool, error) {
	err := accessKnown()
	if err == nil {
		err = accessAt(unix.AT_FDCWD, path, unix.X_OK, unix.AT_EACCESS)
	}
	var st unix.Stat_t
	switch err {
	case unix.ENOENT, unix.ENOTDIR, unix.EACCES:
		return false, nil
	case nil:
		err = unix.Stat(path, &st)
		return st.Mode&unix.S_IFMT == unix.S_IFREG, err
	}
	switch missing := unix.Stat(path, &st); {
	case missing == unix.ENOENT, missing == unix.ENOTDIR:
		return false, nil
	case missing == nil && st.Mode&unix.S_IFMT != unix.S_IFREG:
		return false, nil
	}
	return false, &accessError{err}
}

// statOpen is statPath for a file that is open for reading; st is the result of fstat(2).
func statOpen(fd int, st *unix.Stat_t) (fileState, error) {
	return readFileState(st, fileCalls{
		statfs: func(fs *unix.Statfs_t) error { return unix.Fstatfs(fd, fs) },
		caps:   func(data []byte) (int, error) { return unix.Fgetxattr(fd, capsAttribute, data) },
		statx:  func(mask int, st *unix.Statx_t) error { return unix.Statx(fd, "", unix.AT_EMPTY_PATH, mask, st) },
	})
}

const capsAttribute = "security.capability"

// fileCalls are the system calls that readFileState makes for a file.
type fileCalls struct {
	statfs func(*unix.Statfs_t) error
	caps   func([]byte) (int, error)
	statx  statxCall
}

// readFileState returns the state of a file; st is the result of stat(2). It reads the
// mount only for a file with set-id bits or capabilities.
func readFileState(st *unix.Stat_t, call fileCalls) (fileState, error) {
	s := fileState{id: identifyFile(st)}
	var fs unix.Statfs_t
	if err := ignoreEINTR(func() error { return call.statfs(&fs) }); err != nil {
		return s, fmt.Errorf("cannot read its mount flags: %w", err)
	}
	s.nosuid, s.noexec = fs.Flags&unix.ST_NOSUID != 0, fs.Flags&unix.ST_NOEXEC != 0
	var err error
	if s.caps, err = readCaps(call.caps); err != nil {
		return s, err
	}
	if (s.caps != "" || setsIDs(st.Mode)) && !s.nosuid {
		s.mount = readMount(call.statx)
	}
	return s, nil
}

// readCaps returns the attribute security.capability of a file; empty if it has none.
func readCaps(getxattr func([]byte) (int, error)) (string, error) {
	var data [maxFileCaps]byte
	n, err := getxattr(data[:])
	switch {
	case errors.Is(err, unix.ENODATA), errors.Is(err, unix.ENOTSUP), errors.Is(err, unix.EOVERFLOW):
		// EOVERFLOW: they belong to another user namespace.
		return "", nil
	case err != nil:
		return "", fmt.Errorf("cannot read its file capabilities: %w", err)
	case n == 0:
		return "", errors.New("cannot read its file capabilities: the attribute is empty")
	}
	return string(data[:n]), nil
}

// setsIDs reports whether a mode has set-id bits that exec applies.
func setsIDs(mode uint32) bool {
	return mode&unix.S_ISUID != 0 || mode&unix.S_ISGID != 0 && mode&unix.S_IXGRP != 0
}

func ignoreEINTR(call func() error) error {
	for {
		if err := call(); err != unix.EINTR {
			return err
		}
	}
}

// effectiveAccess is faccessat2(2) with AT_EACCESS, for an open file.
func effectiveAccess(fd int, mode uint32) error {
	return accessAt(fd, "", mode, unix.AT_EACCESS|unix.AT_EMPTY_PATH)
}

// errAccessFiltered reports that a system call filter answers faccessat2(2).
var errAccessFiltered = errors.New("a system call filter answers instead of the kernel")

// accessKnown returns nil if the kernel itself answers faccessat2(2). A filter that
// answers would also answer for a descriptor that is not open.
func accessKnown() error {
	switch err := effectiveAccess(-1, unix.W_OK); err {
	case unix.EBADF:
		return nil
	case unix.ENOSYS, unix.EPERM:
		return err
	}
	return errAccessFiltered
}

// accessAt is faccessat2(2). It is not unix.Faccessat, which guesses the result from the
// mode if the system call is not available.
func accessAt(at int, path string, mode uint32, flags int) error {
	name, err := unix.BytePtrFromString(path)
	if err != nil {
		return err
	}
	return ignoreEINTR(func() error {
		_, _, errno := unix.Syscall6(unix.SYS_FACCESSAT2, uintptr(at), uintptr(unsafe.Pointer(name)), uintptr(mode), uintptr(flags), 0, 0)
		if errno != 0 {
			return errno
		}
		return nil
	})
}

// statmount calls statmount(2) for a mount of this mount namespace, and returns only
// whether it succeeds.
func statmount(id uint64) error {
	request := struct {
		size, spare uint32
		id, param   uint64
	}{size: unix.MNT_ID_REQ_SIZE_VER0, id: id}
	var buf [512]byte // struct statmount without strings
	_, _, errno := unix.Syscall6(unix.SYS_STATMOUNT, uintptr(unsafe.Pointer(&request)), uintptr(unsafe.Pointer(&buf[0])),
		uintptr(len(buf)), 0, 0, 0)
	if errno != 0 {
		return errno
	}
	return nil
}

// restoreOpenFiles sets the soft limit of open files to the value that the process
// inherited. Only Exec of package syscall can: it restores the limit and then calls
// execve(2), which fails with ENOENT, because no file has an empty name. With any
// other error it is not known whether the limit was restored.
func restoreOpenFiles() error {
	if err := syscall.Exec("", nil, nil); err != unix.ENOENT {
		return fmt.Errorf("execve: %w", err)
	}
	return nil
}

func getrlimit(resource int) (soft, hard uint64, err error) {
	var r unix.Rlimit
	err = unix.Getrlimit(resource, &r)
	return r.Cur, r.Max, err
}

// descriptorFlags returns the flags of a descriptor, see fcntl(2), F_GETFD.
func descriptorFlags(fd int) (closeOnExec bool, err error) {
	flags, err := unix.FcntlInt(uintptr(fd), unix.F_GETFD, 0)
	return flags&unix.FD_CLOEXEC != 0, err
}

// descriptorIsDirectory reports whether a descriptor is that of a directory.
func descriptorIsDirectory(fd int) (bool, error) {
	var st unix.Stat_t
	err := unix.Fstat(fd, &st)
	return st.Mode&unix.S_IFMT == unix.S_IFDIR, err
}
