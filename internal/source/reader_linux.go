package source

import (
	"errors"
	"io"
	"strings"

	"golang.org/x/sys/unix"
)

func (r *Reader) read(path string) ([]byte, error) {
	fd, err := uninterrupted(func() (int, error) { return unix.Open(path, readFlags, 0) })
	if err != nil {
		return nil, err
	}
	return r.readAll(path, fd)
}

func (r *Reader) readNoLinks(path string) ([]byte, error) {
	how := unix.OpenHow{Flags: readFlags, Resolve: unix.RESOLVE_NO_SYMLINKS}
	fd, err := uninterrupted(func() (int, error) { return unix.Openat2(unix.AT_FDCWD, path, &how) })
	if err == unix.ENOSYS || err == unix.EPERM {
		// Before Linux 5.6, or an older seccomp filter.
		fd, err = openStepwise(path)
	}
	if err == unix.ELOOP {
		err = errReplaced
	}
	if err != nil {
		return nil, err
	}
	return r.readAll(path, fd)
}

const readFlags = unix.O_RDONLY | unix.O_CLOEXEC | unix.O_NONBLOCK | unix.O_NOCTTY

// openStepwise opens a path directory by directory, without following links.
func openStepwise(path string) (fd int, err error) {
	at, rest := unix.AT_FDCWD, path
	for {
		name, more, deeper := strings.Cut(rest, "/")
		if name == "" {
			name = "/" // the beginning of a clean absolute path
		}
		flags := readFlags
		if deeper {
			flags = unix.O_PATH | unix.O_DIRECTORY | unix.O_CLOEXEC
		}
		fd, err = uninterrupted(func() (int, error) { return unix.Openat(at, name, flags|unix.O_NOFOLLOW, 0) })
		if at != unix.AT_FDCWD {
			unix.Close(at)
		}
		switch {
		case err == unix.ENOTDIR && deeper:
			return -1, unix.ELOOP // probably a link
		case err != nil || !deeper:
			return fd, err
		}
		at, rest = fd, more
	}
}

// readAll reads an open file and closes it, with fewer system calls than an os.File.
func (r *Reader) readAll(path string, fd int) ([]byte, error) {
	defer unix.Close(fd)
	var st unix.Stat_t
	if err := unix.Fstat(fd, &st); err != nil {
		return nil, err
	}
	if st.Mode&unix.S_IFMT != unix.S_IFREG {
		return nil, ErrNotRegular
	}
	n := 0
	for n < len(r.buffer) {
		got, err := readOnce(fd, r.buffer[n:])
		if err != nil {
			return nil, err
		}
		// A file of /proc has no size: read until there is no more.
		if n += got; got == 0 || int64(n) == st.Size {
			break
		}
	}
	return r.finish(path, descriptor(fd), n)
}

func readOnce(fd int, b []byte) (int, error) {
	return uninterrupted(func() (int, error) { return unix.Read(fd, b) })
}

// descriptor is an open file.
type descriptor int

func (d descriptor) Read(b []byte) (int, error) {
	n, err := readOnce(int(d), b)
	if n == 0 && err == nil {
		err = io.EOF
	}
	return max(n, 0), err
}

// uninterrupted repeats a call that a signal interrupts, as on some file systems.
func uninterrupted(call func() (int, error)) (n int, err error) {
	for {
		if n, err = call(); !errors.Is(err, unix.EINTR) {
			return n, err
		}
	}
}
