package supervise

import (
	"errors"
	"os"
	"strconv"

	"golang.org/x/sys/unix"
)

// closeInherited closes the descriptors above 2 that caprun inherited. They are for the
// target: a socket would stay bound after the target has closed it. Only descriptors
// that caprun or the Go runtime opened are close-on-exec.
func closeInherited() error {
	list, err := openDescriptors()
	if err != nil {
		return err
	}
	for _, fd := range list {
		flags, err := unix.FcntlInt(uintptr(fd), unix.F_GETFD, 0)
		if err != nil || flags&unix.FD_CLOEXEC != 0 {
			continue
		}
		// Whatever close(2) returns, the descriptor is closed.
		_ = unix.Close(fd)
	}
	return nil
}

// maxOpenFiles bounds the search for descriptors without /proc; it is the default of
// fs.nr_open.
const maxOpenFiles = 1 << 20

// openDescriptors returns the open descriptors above 2, perhaps with others.
func openDescriptors() ([]int, error) {
	if list, err := listDescriptors(); err == nil {
		return list, nil
	}
	// Without /proc. A descriptor can be above the soft limit.
	var limit unix.Rlimit
	if err := unix.Getrlimit(unix.RLIMIT_NOFILE, &limit); err != nil {
		return nil, err
	}
	var list []int
	for fd := 3; fd < maxOpenFiles && uint64(fd) < limit.Max; fd++ {
		if _, err := unix.FcntlInt(uintptr(fd), unix.F_GETFD, 0); err == nil {
			list = append(list, fd)
		}
	}
	return list, nil
}

// listDescriptors reads the descriptors of the process from /proc.
func listDescriptors() ([]int, error) {
	dir, err := unix.Open("/proc/self/fd", unix.O_RDONLY|unix.O_DIRECTORY|unix.O_CLOEXEC, 0)
	if err != nil {
		return nil, err
	}
	defer unix.Close(dir)
	var list []int
	buf := make([]byte, 8192)
	for {
		n, err := unix.ReadDirent(dir, buf)
		if err == unix.EINTR {
			continue
		}
		if err != nil || n == 0 {
			return list, err
		}
		_, _, names := unix.ParseDirent(buf[:n], -1, nil)
		for _, name := range names {
			if fd, err := strconv.Atoi(name); err == nil && fd > 2 {
				list = append(list, fd)
			}
		}
	}
}

// NullStdin replaces standard input, from which the profile was read, by the null
// device.
func NullStdin() error { return openStdin(os.DevNull) }

// openStdin opens a path as standard input. It refuses any file except the null device,
// null(4), and does not wait for the writer of a FIFO.
func openStdin(path string) error {
	fd, err := unix.Open(path, unix.O_RDONLY|unix.O_NONBLOCK|unix.O_NOCTTY|unix.O_CLOEXEC, 0)
	if err != nil {
		return err
	}
	defer unix.Close(fd)
	var st unix.Stat_t
	if err := unix.Fstat(fd, &st); err != nil {
		return err
	}
	if st.Mode&unix.S_IFMT != unix.S_IFCHR || uint64(st.Rdev) != unix.Mkdev(1, 3) {
		return errors.New("not the null device")
	}
	if _, err := unix.FcntlInt(uintptr(fd), unix.F_SETFL, 0); err != nil {
		return err
	}
	return unix.Dup3(fd, 0, 0)
}
