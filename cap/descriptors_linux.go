package cap

import (
	"fmt"
	"slices"
	"strconv"
	"syscall"

	"golang.org/x/sys/unix"
)

// checkCloseOnExec returns an error if a descriptor above 2 would reach the
// target that is not one of keep: nothing later would tell that the call that
// marks them had no effect.
func checkCloseOnExec(keep []int) error {
	open, ok := listDescriptors()
	if !ok {
		// Without the proc file system. A descriptor beyond these is as good
		// as marked: this only sees whether the call has an effect.
		_, hard, err := getrlimit(unix.RLIMIT_NOFILE)
		if err != nil {
			return err
		}
		for fd := range int(min(hard, maxWalked)) {
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

const maxWalked = 1 << 16

// listDescriptors returns the open descriptors as the proc file system lists
// them; false where it does not.
func listDescriptors() ([]int, bool) {
	dir, err := unix.Open("/proc/self/fd", unix.O_RDONLY|unix.O_DIRECTORY|unix.O_CLOEXEC, 0)
	if err != nil {
		return nil, false
	}
	defer unix.Close(dir)
	var list []int
	buf := make([]byte, 4096)
	for {
		n, err := unix.ReadDirent(dir, buf)
		if err != nil {
			return nil, false
		}
		if n <= 0 {
			// Its own is one of them, unless this is something else.
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
