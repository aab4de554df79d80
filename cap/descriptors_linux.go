package cap

import (
	"fmt"
	"slices"
	"strconv"
	"syscall"

	"golang.org/x/sys/unix"
)

// checkCloseOnExec returns an error if the target would get a descriptor above 2
// that is not in keep. No later step would fail if the call that marks the
// descriptors had no effect.
func checkCloseOnExec(keep []int) error {
	open, ok := listDescriptors()
	if !ok {
		// Without /proc, check only the first descriptors: that shows whether
		// the call has an effect.
		_, hard, err := getrlimit(unix.RLIMIT_NOFILE)
		if err != nil {
			return err
		}
		for fd := range int(min(hard, maxChecked)) {
			open = append(open, fd)
		}
	}
	for _, fd := range open {
		if fd <= 2 || slices.Contains(keep, fd) {
			continue
		}
		flags, err := getfdFlags(fd)
		switch {
		case err == syscall.EBADF:
		case err != nil:
			return err
		case flags&unix.FD_CLOEXEC == 0:
			return fmt.Errorf("descriptor %d stays open", fd)
		}
	}
	return nil
}

// maxChecked bounds the descriptors that are checked without /proc.
const maxChecked = 1 << 16

// listDescriptors returns the open descriptors, from /proc/self/fd. ok is false if
// that cannot be read.
func listDescriptors() (list []int, ok bool) {
	dir, err := unix.Open("/proc/self/fd", unix.O_RDONLY|unix.O_DIRECTORY|unix.O_CLOEXEC, 0)
	if err != nil {
		return nil, false
	}
	defer unix.Close(dir)
	buf := make([]byte, 4096)
	for {
		n, err := unix.ReadDirent(dir, buf)
		if err != nil {
			return nil, false
		}
		if n <= 0 {
			// A list without dir is not that of this process.
			return list, slices.Contains(list, dir)
		}
		_, _, names := unix.ParseDirent(buf[:n], -1, nil)
		for _, name := range names {
			if fd, err := strconv.Atoi(name); err == nil {
				list = append(list, fd)
			}
		}
	}
}
