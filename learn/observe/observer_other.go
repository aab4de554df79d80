//go:build !linux

package observe

import "errors"

// An Observer records the events of a process tree.
type Observer struct{}

var errNotLinux = errors.New("recording of capability checks: not supported on this system; it needs Linux")

// Available returns nil if checks can be recorded here, or else an error that says what
// is missing and what to do.
func Available() error { return errNotLinux }

// Open prepares to record a process and everything that it starts, from its next
// execve(2) on. The process must have one thread and must not execute before Open
// returns: it waits, for example stopped by ptrace(2), or reading a pipe.
func Open(pid int, o Options) (*Observer, error) { return nil, errNotLinux }

// Close stops recording and returns everything that was recorded. The tree may still run.
func (*Observer) Close() (*Recording, error) { return nil, errNotLinux }

// RemoveProbes removes the tracefs probes of observers whose process has ended without
// Close. There are none on Linux 6.14 and later. A process that cleans up after a killed
// observer calls it.
func RemoveProbes() error { return errNotLinux }
