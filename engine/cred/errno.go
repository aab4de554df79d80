package cred

import "strconv"

// Errno is an error number of the kernel. The zero value means success. The values are
// those of Linux on every operating system.
//
// Errno implements error, but a zero Errno stored in an error is not nil: use [Errno.Err]
// to return one as an error.
type Errno uint16

// The error numbers that the rules of this package give.
const (
	EPERM  Errno = 1  // the credentials do not permit it
	EINVAL Errno = 22 // an argument that the kernel does not know, or an ID that the user namespace does not map
)

// Error returns the text of strerror(3).
func (e Errno) Error() string {
	switch e {
	case 0:
		return "success"
	case EPERM:
		return "operation not permitted"
	case EINVAL:
		return "invalid argument"
	}
	return "errno " + strconv.Itoa(int(e))
}

// Err returns e as an error; nil for success.
func (e Errno) Err() error {
	if e == 0 {
		return nil
	}
	return e
}
