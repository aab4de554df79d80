//go:build !entrypoint

package main

import (
	"errors"
	"slices"

	"golang.org/x/sys/unix"
)

// read makes no other system calls than it must, and no os.File.
func (r *fileReader) read(path string) ([]byte, error) {
	fd, err := uninterrupted(func() (int, error) {
		return unix.Open(path, unix.O_RDONLY|unix.O_CLOEXEC|unix.O_NONBLOCK|unix.O_NOCTTY, 0)
	})
	if err != nil {
		return nil, err
	}
	defer unix.Close(fd)
	var st unix.Stat_t
	if err := unix.Fstat(fd, &st); err != nil {
		return nil, err
	}
	if st.Mode&unix.S_IFMT != unix.S_IFREG {
		return nil, errNotRegular
	}
	n := 0
	for n < len(r.buffer) {
		got, err := uninterrupted(func() (int, error) { return unix.Read(fd, r.buffer[n:]) })
		if err != nil {
			return nil, err
		}
		// A file that has its length is at its end; one of /proc has none.
		if n += got; got == 0 || int64(n) == st.Size {
			break
		}
	}
	return slices.Clone(r.buffer[:n]), nil
}

// uninterrupted calls again what a signal ended: some file systems let that
// happen.
func uninterrupted(call func() (int, error)) (n int, err error) {
	for {
		if n, err = call(); !errors.Is(err, unix.EINTR) {
			return n, err
		}
	}
}
