package cap

import "syscall"

// GetProc returns the capability set of the process: capget(2). It panics
// when the kernel has no capabilities.
func GetProc() *Set {
	c, err := GetPID(0)
	if err != nil {
		panic(err)
	}
	return c
}

// GetPID returns the capability set of another process, or for pid 0 of the
// caller: capget(2). The error is a syscall.Errno: ESRCH, EINVAL.
func GetPID(pid int) (*Set, error) {
	if int(int32(pid)) != pid {
		// The kernel would cut it, and answer for somebody else.
		return nil, syscall.ESRCH
	}
	e, p, i, err := capget(pid)
	if err != nil {
		return nil, err
	}
	return SetOf(e, p, i), nil
}

// SetProc makes c the capability set of every thread of the process:
// capset(2). The error is EPERM for a set that the kernel does not allow.
func (c *Set) SetProc() error {
	e, p, i, err := c.Masks()
	if err != nil {
		return err
	}
	return change(func(s scope) error { return s.capset(e, p, i) })
}

// withEffective raises val around fn, and leaves the effective set empty.
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

// raise makes val effective too.
func (s scope) raise(val Value) error {
	e, p, i, err := capget(0)
	if err != nil {
		return err
	}
	return s.capset(e|1<<val, p, i)
}
