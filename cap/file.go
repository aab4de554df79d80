package cap

import (
	"os"
	"syscall"
)

// GetFile returns the capabilities of the file at path, links followed. The
// error is a syscall.Errno, ENODATA for a file without capabilities, or
// ErrBadSize or ErrBadMagic for an attribute that is none.
func GetFile(path string) (*Set, error) {
	data, err := readFileCaps(path)
	if err != nil {
		return nil, err
	}
	return decodeFile(data)
}

// GetFd is GetFile for an open file. The error for a closed one is
// os.ErrClosed, and EBADF for nil.
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

// SetFile makes c the capabilities of the file at path; a nil c removes them.
// It needs CAP_SETFCAP, and no permission to read. The error is ErrBadPath for
// a symbolic link, and for giving capabilities to something other than a
// regular file; nothing is opened to find that out. Other errors of the system
// are a syscall.Errno.
//
// A file stores no effective set but one bit: it is set when the effective
// flag shares a capability with the permitted or inheritable one, and then the
// kernel makes effective all that the program gets. A namespace owner other
// than 0 (see SetNSOwner) is stored too: such capabilities work only in user
// namespaces whose root that uid is.
func (c *Set) SetFile(path string) error {
	data, err := c.fileData()
	if err != nil {
		return err
	}
	return writeFileCaps(path, data)
}

// SetFd is SetFile for an open file.
func (c *Set) SetFd(file *os.File) error {
	data, err := c.fileData()
	if err != nil {
		return err
	}
	return withDescriptor(file, func(fd int) error { return writeDescriptorCaps(fd, data) })
}

// fileData returns the attribute for c, nil for a nil c. The error is
// ErrBadSet for a zero Set, ErrBadValue for an owner that is no uid.
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

// withDescriptor calls fn with the descriptor of an open file, which stays
// open meanwhile.
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
		// The one reason that Control has; its error is not os.ErrClosed itself.
		return os.ErrClosed
	}
	return inner
}
