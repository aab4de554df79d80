package main

import (
	"golang.org/x/sys/unix"
)

// foreground is that of the controlling terminal of a supervisor.
type foreground struct {
	fd  int // one of 0, 1 and 2; -1 without a terminal
	own int // the process group of the supervisor

	// eager tells to hand the foreground to the target without being asked.
	// Where standard input or output is something else, there may be a pipeline
	// with another program that reads from the terminal, so the target has to
	// ask first: it is stopped by SIGTTIN or SIGTTOU.
	eager bool

	handed bool // the target has it, as far as is known
}

func findForeground() foreground {
	t := foreground{fd: -1, own: unix.Getpgrp()}
	var is [3]bool
	for fd := range is {
		if _, err := unix.IoctlGetInt(fd, unix.TIOCGPGRP); err == nil {
			is[fd] = true
			if t.fd < 0 {
				t.fd = fd
			}
		}
	}
	t.eager = is[0] && is[1]
	return t
}

// held reports whether the supervisor has the foreground.
func (t *foreground) held() bool {
	if t.fd < 0 {
		return false
	}
	group, err := unix.IoctlGetInt(t.fd, unix.TIOCGPGRP)
	return err == nil && group == t.own
}

// hand gives the foreground to the target, if the supervisor has it. Where
// that fails the target reads and writes as one in the background does.
func (t *foreground) hand(group int) {
	if t.held() {
		t.handed = t.set(group) == nil
	}
}

// take takes the foreground back from the target.
func (t *foreground) take() {
	if t.handed {
		_ = t.set(t.own)
		t.handed = false
	}
}

// set changes the foreground: tcsetpgrp(3). The kernel would stop a process in
// the background that tries, unless it blocks the signal for that.
func (t *foreground) set(group int) error {
	var block, old unix.Sigset_t
	addSignal(&block, unix.SIGTTOU)
	if err := unix.PthreadSigmask(unix.SIG_BLOCK, &block, &old); err != nil {
		return err
	}
	defer unix.PthreadSigmask(unix.SIG_SETMASK, &old, nil)
	return unix.IoctlSetPointerInt(t.fd, unix.TIOCSPGRP, group)
}

// stopped does what a stop of the target asks for: caprun stops too, so that
// whoever controls the job sees it.
func (s *supervisor) stopped(sig unix.Signal) {
	if (sig == unix.SIGTTIN || sig == unix.SIGTTOU) && s.foreground.held() {
		s.foreground.hand(s.child)
		s.resume()
		return
	}
	s.foreground.take()
	by := sig
	if by != unix.SIGTTIN && by != unix.SIGTTOU {
		by = unix.SIGTSTP
	}
	stopSelf(by)
	// Here caprun was continued, and SIGCONT will be forwarded. Or the kernel did
	// not stop it, as nobody could continue it: pid 1, an orphaned process group.
	// The target alone would not have been stopped by SIGTSTP then either.
	if sig == unix.SIGTSTP {
		s.resume()
	}
}

// resume continues the target, in the foreground if caprun was put there.
func (s *supervisor) resume() {
	if s.foreground.eager {
		s.foreground.hand(s.child)
	}
	if unix.Kill(-s.child, unix.SIGCONT) != nil {
		_ = unix.Kill(s.child, unix.SIGCONT)
	}
}

// stopSelf stops caprun as a signal of job control does that is not caught.
func stopSelf(sig unix.Signal) {
	// Package signal leaves its handler in place when asked to reset one.
	var standard, old kernelAction
	if sigaction(sig, &standard, &old) != nil {
		return
	}
	// To this thread, so that it is handled before the call returns.
	_ = unix.Tgkill(unix.Getpid(), unix.Gettid(), sig)
	_ = sigaction(sig, &old, nil)
}
