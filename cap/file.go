package cap

import (
	"os"
	"syscall"
)

// GetFile returns the capabilities of the file at path, and follows symbolic links:
// getxattr(2). The error is a syscall.Errno, ENODATA for a file without
// capabilities; or ErrBadSize or ErrBadMagic for an invalid attribute.
func GetFile(path string) (*Set, error) {
	data, err := readFileCaps(path)
	if err != nil {
		return nil, err
	}
	return decodeFile(data)
}

// GetFd is like GetFile for an open file: fgetxattr(2). The error is os.ErrClosed
// for a closed file, and EBADF for nil.
func GetFd(file *os.File) (*Set, error) {
	var set *Set
	err := withDescriptor(file, func(fd int) error {
		data, err := readDescriptorCaps(fd)
		if err == nil {
			set, err = decodeFile(data)
		}
		return err
	})
	return set, err
}

// SetFile sets the capabilities of the file at path to c, or removes them if c is
// nil: lsetxattr(2), lremovexattr(2). It needs CAP_SETFCAP, but no permission to
// read the file, and does not open it.
//
// The error is ErrBadPath for a symbolic link, and if c is not nil for any file
// that is not a regular file; ErrBadSet for a zero Set; one that wraps ErrBadID for
// an invalid namespace owner; or a syscall.Errno.
//
// A file stores the effective set as one bit. It is set if the effective flag has a
// capability that the permitted or the inheritable flag also has. The kernel then
// makes all capabilities effective that a program gets from the file. A namespace
// owner other than 0 is stored, too: see SetNSOwner.
func (c *Set) SetFile(path string) error {
	data, err := c.fileData()
	if err != nil {
		return err
	}
	return writeFileCaps(path, data)
}

// SetFd is like SetFile for an open file: fsetxattr(2), fremovexattr(2). The error is
// os.ErrClosed for a closed file, and EBADF for nil.
func (c *Set) SetFd(file *os.File) error {
	data, err := c.fileData()
	if err != nil {
		return err
	}
	return withDescriptor(file, func(fd int) error { return writeDescriptorCaps(fd, data) })
}

// fileData returns the file attribute for c, or nil if c is nil. The error is
// ErrBadSet for a zero Set, and wraps ErrBadID for an invalid owner.
func (c *Set) fileData() ([]byte, error) {
	if c == nil {
		return nil, nil
	}
	e, p, i, err := c.Masks()
	if err != nil {
		return nil, err
	}
	owner, err := c.GetNSOwner()
	if err != nil {
		return nil, err
	}
	id, err := kernelID(owner)
	if err != nil {
		return nil, err
	}
	return encodeFile(e, p, i, id), nil
}

// withDescriptor calls fn with the descriptor of an open file, and keeps the file
// open until fn returns.
func withDescriptor(file *os.File, fn func(fd int) error) error {
	if file == nil {
		return syscall.EBADF
	}
	raw, err := file.SyscallConn()
	if err != nil {
		return err
	}
	var inner error
	if raw.Control(func(fd uintptr) { inner = fn(int(fd)) }) != nil {
		// Control has no other error, but wraps this one.
		return os.ErrClosed
	}
	return inner
}
