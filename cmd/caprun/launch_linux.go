package main

import (
	"os"

	"golang.org/x/sys/unix"
)

// atSecure is AT_SECURE of getauxval(3).
const atSecure = 23

// secureMode reports whether the kernel started caprun with AT_SECURE: set-id,
// or with file capabilities. It fails closed when that cannot be told.
func secureMode() bool {
	vector, err := unix.Auxv()
	if err != nil {
		return true
	}
	for _, entry := range vector {
		if entry[0] == atSecure {
			return entry[1] != 0
		}
	}
	return true
}

// closeStdin puts the null device in place of standard input, which the
// profile was read from.
func closeStdin() error {
	fd, err := unix.Open(os.DevNull, unix.O_RDONLY|unix.O_CLOEXEC, 0)
	if err != nil {
		return err
	}
	defer unix.Close(fd)
	return unix.Dup3(fd, 0, 0)
}
