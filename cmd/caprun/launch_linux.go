package main

import (
	"os"

	"golang.org/x/sys/unix"
)

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
