package run

import (
	"fmt"
	"os"
	"sync"

	"golang.org/x/sys/unix"
)

// procRoot returns a descriptor of the proc file system. It is opened before the program
// runs: a program that may mount can cover /proc, and could hide its processes from the
// one that ends them.
var procRoot = sync.OnceValues(func() (int, error) {
	fd, err := unix.Open("/proc", unix.O_PATH|unix.O_DIRECTORY|unix.O_CLOEXEC, 0)
	if err != nil {
		return -1, fmt.Errorf("open /proc: %w", err)
	}
	return fd, nil
})

// openProc opens a file or directory of /proc for reading.
func openProc(path string) (int, error) {
	root, err := procRoot()
	if err != nil {
		return -1, err
	}
	return unix.Openat(root, path, unix.O_RDONLY|unix.O_CLOEXEC|unix.O_NOCTTY, 0)
}

// readProcFile reads at most max bytes of a small file of /proc, without the poller.
func readProcFile(path string, max int) ([]byte, error) {
	fd, err := openProc(path)
	if err != nil {
		return nil, err
	}
	defer unix.Close(fd)
	var data []byte
	buf := make([]byte, min(max, 4<<10))
	for len(data) < max {
		n, err := unix.Read(fd, buf)
		switch {
		case err == unix.EINTR:
			continue
		case err != nil:
			return nil, err
		case n == 0:
			return data, nil
		}
		data = append(data, buf[:n]...)
	}
	return data, nil
}

// readProcNames returns the names in a directory of /proc.
func readProcNames(path string) ([]string, error) {
	fd, err := openProc(path)
	if err != nil {
		return nil, fmt.Errorf("open /proc/%s: %w", path, err)
	}
	dir := os.NewFile(uintptr(fd), "/proc/"+path)
	defer dir.Close()
	return dir.Readdirnames(-1)
}
