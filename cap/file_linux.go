package cap

import "golang.org/x/sys/unix"

const fileAttribute = "security.capability"

func readDescriptorCaps(fd int) ([]byte, error) {
	// One more byte than any version has, to detect a longer attribute.
	data := make([]byte, fileSize3+1)
	n, err := unix.Fgetxattr(fd, fileAttribute, data)
	if err != nil {
		return nil, err
	}
	return data[:n], nil
}

func writeDescriptorCaps(fd int, data []byte) error {
	if data == nil {
		return unix.Fremovexattr(fd, fileAttribute)
	}
	var st unix.Stat_t
	if err := unix.Fstat(fd, &st); err != nil {
		return err
	}
	if st.Mode&unix.S_IFMT != unix.S_IFREG {
		return ErrBadPath
	}
	return unix.Fsetxattr(fd, fileAttribute, data, 0)
}

// readFileCaps does not open the file: reading the attribute needs no permission to
// read the file.
func readFileCaps(path string) ([]byte, error) {
	data := make([]byte, fileSize3+1)
	n, err := unix.Getxattr(path, fileAttribute, data)
	if err != nil {
		return nil, err
	}
	return data[:n], nil
}

// writeFileCaps does not open the file: that could need permission to read, wait for
// the other end of a FIFO, or rewind a tape. It follows no symbolic link, also if one
// replaces the file in the meantime. The kernel does not execute other kinds of file
// that replace it.
func writeFileCaps(path string, data []byte) error {
	var st unix.Stat_t
	if err := unix.Lstat(path, &st); err != nil {
		return err
	}
	kind := st.Mode & unix.S_IFMT
	switch {
	case kind == unix.S_IFLNK, kind != unix.S_IFREG && data != nil:
		return ErrBadPath
	case data == nil:
		return unix.Lremovexattr(path, fileAttribute)
	}
	return unix.Lsetxattr(path, fileAttribute, data, 0)
}
