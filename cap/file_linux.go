package cap

import (
	"errors"
	"io/fs"

	"golang.org/x/sys/unix"
)

const fileAttribute = "security.capability"

func readDescriptorCaps(fd int) ([]byte, error) {
	if err := regular(fd); err != nil {
		return nil, err
	}
	// One byte more than the largest version, so that a larger one shows.
	data := make([]byte, fileSize3+1)
	n, err := unix.Fgetxattr(fd, fileAttribute, data)
	if err != nil {
		return nil, err
	}
	return data[:n], nil
}

func writeDescriptorCaps(fd int, data []byte) error {
	if err := regular(fd); err != nil {
		return err
	}
	if data == nil {
		return unix.Fremovexattr(fd, fileAttribute)
	}
	return unix.Fsetxattr(fd, fileAttribute, data, 0)
}

func regular(fd int) error {
	var st unix.Stat_t
	if err := unix.Fstat(fd, &st); err != nil {
		return err
	}
	if st.Mode&unix.S_IFMT != unix.S_IFREG {
		return ErrBadPath
	}
	return nil
}

// readFileCaps asks by path: reading the attribute needs no permission to read
// the file.
func readFileCaps(path string) ([]byte, error) {
	if err := regularPath("getxattr", path); err != nil {
		return nil, err
	}
	data := make([]byte, fileSize3+1)
	n, err := unix.Getxattr(path, fileAttribute, data)
	if err != nil {
		return nil, &fs.PathError{Op: "getxattr", Path: path, Err: err}
	}
	return data[:n], nil
}

// writeFileCaps looks at the type before it opens, since opening a device has
// effects, and again after, since the file may have changed. Nothing waits for
// the other end of a FIFO.
func writeFileCaps(path string, data []byte) error {
	if err := regularPath("setxattr", path); err != nil {
		return err
	}
	fd, err := unix.Open(path, unix.O_RDONLY|unix.O_NONBLOCK|unix.O_NOCTTY|unix.O_CLOEXEC, 0)
	if err != nil {
		return &fs.PathError{Op: "open", Path: path, Err: err}
	}
	defer unix.Close(fd)
	err = writeDescriptorCaps(fd, data)
	if err != nil && !errors.Is(err, ErrBadPath) {
		return &fs.PathError{Op: "setxattr", Path: path, Err: err}
	}
	return err
}

func regularPath(op, path string) error {
	var st unix.Stat_t
	if err := unix.Stat(path, &st); err != nil {
		return &fs.PathError{Op: op, Path: path, Err: err}
	}
	if st.Mode&unix.S_IFMT != unix.S_IFREG {
		return ErrBadPath
	}
	return nil
}
