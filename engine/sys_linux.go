package engine

import (
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

// readLink returns the text of the symbolic link that fd stands for.
func readLink(fd int) (string, error) {
	buf := make([]byte, maxPath)
	n, err := unix.Readlinkat(fd, "", buf)
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
	data := make([]byte, 0, 4096)
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
			return data, nil
		}
		data = data[:len(data)+n]
		if len(data) > max {
			return data[:max], unix.EFBIG
		}
	}
}

// uids returns the real, effective, saved and file system uid of the calling
// thread, gids its gids. setfsuid(2) with an id that no user has changes
// nothing and returns the current one.
func uids() (r, e, s, fs uint32, err error) {
	ruid, euid, suid := unix.Getresuid()
	fsuid, err := unix.SetfsuidRetUid(-1)
	return uint32(ruid), uint32(euid), uint32(suid), uint32(fsuid), err
}

func gids() (r, e, s, fs uint32, err error) {
	rgid, egid, sgid := unix.Getresgid()
	fsgid, err := unix.SetfsgidRetGid(-1)
	return uint32(rgid), uint32(egid), uint32(sgid), uint32(fsgid), err
}

// lookAt returns what identifies the file at path, links followed.
func lookAt(path string) (fileID, error) {
	var st unix.Stat_t
	if err := unix.Stat(path, &st); err != nil {
		return fileID{}, err
	}
	return identifyFile(&st), nil
}

// descriptorFlags returns the flags of a descriptor: fcntl(2) F_GETFD.
func descriptorFlags(fd int) (closeOnExec bool, err error) {
	flags, err := unix.FcntlInt(uintptr(fd), unix.F_GETFD, 0)
	return flags&unix.FD_CLOEXEC != 0, err
}
