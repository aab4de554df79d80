package machine

import (
	"errors"
	"fmt"
	"syscall"
	"unsafe"

	"golang.org/x/sys/unix"
)

// This file holds the raw system calls. Files are opened without the
// runtime's poller, so that a launch needs few descriptors.

func openDir(at int, path string) (int, error) {
	return openAt(at, path, unix.O_PATH|unix.O_DIRECTORY)
}

func openPath(at int, name string) (int, error) {
	return openAt(at, name, unix.O_PATH|unix.O_NOFOLLOW)
}

// openRead opens a regular file. A FIFO or a device in its place neither
// blocks nor becomes the controlling terminal.
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

// setNoAtime sets O_NOATIME for an open file, and O_NONBLOCK: fcntl(2) F_SETFL.
func setNoAtime(fd int) error {
	_, err := unix.FcntlInt(uintptr(fd), unix.F_SETFL, unix.O_NOATIME|unix.O_NONBLOCK)
	return err
}

// readLink returns the text of the symbolic link that fd stands for.
func readLink(fd int) (string, error) { return readLinkAt(fd, "") }

// readLinkAt is readLink for a link below a directory.
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

// readFile returns the content of a file of at most max bytes.
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

// readDescriptor reads to the end of a file. Of one with more than max bytes it
// returns the first max, with EFBIG.
func readDescriptor(fd, max int) ([]byte, error) {
	data := make([]byte, 0, 1024) // most profiles and all that is read of /proc for a plain launch fit
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

// checkWhole refuses a file that ends before its size: what is missing could
// be what matters. Files of the proc file system have none.
func checkWhole(fd, length int) error {
	var st unix.Stat_t
	if err := unix.Fstat(fd, &st); err != nil {
		return err
	}
	if st.Mode&unix.S_IFMT == unix.S_IFREG && int64(length) < st.Size {
		return errors.New("it ends before its size; perhaps it is being written")
	}
	return nil
}

// deathSignal returns the parent-death signal of the calling thread.
func deathSignal() (int, error) {
	// On the heap: the kernel writes to where it is now.
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

// statPath returns what there is at path, links followed. It needs no
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

// executable reports whether the calling thread may execute what is at path, as
// far as permissions tell: faccessat2(2). ENOENT, ENOTDIR and EACCES, after which
// execvp(3) continues, are no errors. Where a filter of system calls answers instead
// of the kernel, every regular file is an *accessError: its mode does not tell,
// as an access control list or a security module may decide.
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

// statOpen is statPath for a file that is open for reading; st is what fstat(2)
// shows for it.
func statOpen(fd int, st *unix.Stat_t) (fileState, error) {
	return readFileState(st, fileCalls{
		statfs: func(fs *unix.Statfs_t) error { return unix.Fstatfs(fd, fs) },
		caps:   func(data []byte) (int, error) { return unix.Fgetxattr(fd, capsAttribute, data) },
		statx:  func(mask int, st *unix.Statx_t) error { return unix.Statx(fd, "", unix.AT_EMPTY_PATH, mask, st) },
	})
}

const capsAttribute = "security.capability"

// fileCalls are the system calls that read what stat does not tell about a file.
type fileCalls struct {
	statfs func(*unix.Statfs_t) error
	caps   func([]byte) (int, error)
	statx  statxCall
}

// readFileState reads what st does not tell about a file. It asks for the mount only
// where that matters.
func readFileState(st *unix.Stat_t, call fileCalls) (fileState, error) {
	s := fileState{id: identifyFile(st)}
	var fs unix.Statfs_t
	if err := ignoreEINTR(func() error { return call.statfs(&fs) }); err != nil {
		return s, fmt.Errorf("its mount flags cannot be read: %w", err)
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

// readCaps returns the attribute security.capability of a file; empty without.
func readCaps(getxattr func([]byte) (int, error)) (string, error) {
	var data [maxFileCaps]byte
	n, err := getxattr(data[:])
	switch {
	case errors.Is(err, unix.ENODATA), errors.Is(err, unix.ENOTSUP), errors.Is(err, unix.EOVERFLOW):
		// EOVERFLOW: they belong to a user namespace that is not ours.
		return "", nil
	case err != nil:
		return "", fmt.Errorf("its file capabilities cannot be read: %w", err)
	case n == 0:
		return "", errors.New("its file capabilities cannot be read: the attribute is empty")
	}
	return string(data[:n]), nil
}

// setsIDs reports whether exec heeds the set-id bits of a mode.
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

// effectiveAccess is faccessat2(2) with the effective ids and capabilities, for an
// open file.
func effectiveAccess(fd int, mode uint32) error {
	return accessAt(fd, "", mode, unix.AT_EACCESS|unix.AT_EMPTY_PATH)
}

// errAccessFiltered says that a filter of system calls answers for faccessat2(2).
var errAccessFiltered = errors.New("a filter of system calls answers for the kernel")

// accessKnown returns nil where the kernel itself answers faccessat2(2). A filter
// that answers in its place answers for a descriptor that is not open, too.
func accessKnown() error {
	switch err := effectiveAccess(-1, unix.W_OK); err {
	case unix.EBADF:
		return nil
	case unix.ENOSYS, unix.EPERM:
		return err
	}
	return errAccessFiltered
}

// accessAt is faccessat2(2). unix.Faccessat guesses the answer from the mode where
// the system call is missing or forbidden.
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

// statmount is statmount(2) for a mount of this namespace; what it returns about
// the mount is left out.
func statmount(id uint64) error {
	request := struct {
		size, spare uint32
		id, param   uint64
	}{size: unix.MNT_ID_REQ_SIZE_VER0, id: id}
	var buf [512]byte // struct statmount, without the strings that nobody asked for
	_, _, errno := unix.Syscall6(unix.SYS_STATMOUNT, uintptr(unsafe.Pointer(&request)), uintptr(unsafe.Pointer(&buf[0])),
		uintptr(len(buf)), 0, 0, 0)
	if errno != 0 {
		return errno
	}
	return nil
}

func getrlimit(resource int) (soft, hard uint64, err error) {
	var r unix.Rlimit
	err = unix.Getrlimit(resource, &r)
	return r.Cur, r.Max, err
}

// descriptorFlags returns the flags of a descriptor: fcntl(2) F_GETFD.
func descriptorFlags(fd int) (closeOnExec bool, err error) {
	flags, err := unix.FcntlInt(uintptr(fd), unix.F_GETFD, 0)
	return flags&unix.FD_CLOEXEC != 0, err
}

// descriptorIsDirectory reports whether a descriptor stands for a directory.
func descriptorIsDirectory(fd int) (bool, error) {
	var st unix.Stat_t
	err := unix.Fstat(fd, &st)
	return st.Mode&unix.S_IFMT == unix.S_IFDIR, err
}
