package cap

import "syscall"

// GetProc returns the capabilities of the calling thread: capget(2). It panics if
// capget fails, as on a kernel without capabilities.
func GetProc() *Set {
	c, err := GetPID(0)
	if err != nil {
		panic(err)
	}
	return c
}

// GetPID returns the capabilities of the process pid, or of the calling thread if pid
// is 0: capget(2). The error is a syscall.Errno: ESRCH if there is no such process, or
// EINVAL if pid is negative.
func GetPID(pid int) (*Set, error) {
	if int(int32(pid)) != pid {
		// The kernel would use the lower 32 bits, which may be another process.
		return nil, syscall.ESRCH
	}
	e, p, i, err := capget(pid)
	if err != nil {
		return nil, err
	}
	return SetOf(e, p, i), nil
}

// SetProc sets the capabilities of every thread of the process to c: capset(2). The
// error is ErrBadSet for a nil or zero Set, or EPERM if the kernel does not allow c.
func (c *Set) SetProc() error {
	e, p, i, err := c.Masks()
	if err != nil {
		return err
	}
	return change(func(s scope) error { return s.capset(e, p, i) })
}

// withEffective raises val in the effective set, calls fn, and empties the effective
// set.
func withEffective(s scope, val Value, fn func() error) (err error) {
	defer func() {
		// fn may have changed the permitted and inheritable sets.
		_, p, i, readErr := capget(0)
		if readErr == nil {
			readErr = s.capset(0, p, i)
		}
		if err == nil {
			err = readErr
		}
	}()
	if err := s.raise(val); err != nil {
		return err
	}
	return fn()
}

// raise adds val to the effective set.
func (s scope) raise(val Value) error {
	e, p, i, err := capget(0)
	if err != nil {
		return err
	}
	return s.capset(e|1<<val, p, i)
}
