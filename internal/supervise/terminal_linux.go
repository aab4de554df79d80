package supervise

import (
	"caprun/internal/sigmask"

	"golang.org/x/sys/unix"
)

// tty is the controlling terminal of a supervisor, whose foreground process
// group is either that of the supervisor or that of the target.
type tty struct {
	fd  int // one of 0, 1 and 2; -1 without a terminal
	own int // the process group of the supervisor

	// eager tells to put the target into the foreground at once. Where standard
	// input or output is another file, a pipeline may have another program that
	// reads from the terminal. There the target has to ask for the foreground: the
	// kernel stops it with SIGTTIN or SIGTTOU.
	eager bool

	given bool // the target is in the foreground, as far as is known
}

// findTTY returns the first controlling terminal among 0, 1 and 2.
func findTTY() tty {
	t := tty{fd: -1, own: unix.Getpgrp()}
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

// isForeground reports whether the supervisor is in the foreground.
func (t *tty) isForeground() bool {
	if t.fd < 0 {
		return false
	}
	group, err := unix.IoctlGetInt(t.fd, unix.TIOCGPGRP)
	return err == nil && group == t.own
}

// give puts the target into the foreground, if the supervisor is there. If that
// fails, the target reads and writes as a background process does.
func (t *tty) give(group int) {
	if t.isForeground() {
		t.given = t.set(group) == nil
	}
}

// reclaim puts the supervisor into the foreground in place of the target.
func (t *tty) reclaim() {
	if t.given {
		_ = t.set(t.own)
		t.given = false
	}
}

// set changes the foreground process group: tcsetpgrp(3). The kernel would stop a
// background process that calls it, unless the process blocks SIGTTOU.
func (t *tty) set(group int) error {
	before, err := sigmask.Block(unix.SIGTTOU)
	if err != nil {
		return err
	}
	defer sigmask.Restore(before)
	return unix.IoctlSetPointerInt(t.fd, unix.TIOCSPGRP, group)
}

// stopWithTarget handles a stop of the target by a signal: the target gets the
// foreground when that is what it stopped for, or caprun stops too, so that the shell
// that controls the job notices.
func (s *supervisor) stopWithTarget(sig unix.Signal) {
	if (sig == unix.SIGTTIN || sig == unix.SIGTTOU) && s.terminal.isForeground() {
		s.terminal.give(s.child)
		s.resume()
		return
	}
	s.terminal.reclaim()
	by := sig
	if by != unix.SIGTTIN && by != unix.SIGTTOU {
		by = unix.SIGTSTP
	}
	stopSelf(by)
	// Now caprun was continued, and forwards SIGCONT. Or the kernel did not stop it,
	// because nobody could continue it: pid 1, an orphaned process group. Without a
	// supervisor, SIGTSTP would not have stopped the target then either.
	if sig == unix.SIGTSTP {
		s.resume()
	}
}

// resume continues the target, in the foreground if caprun is there.
func (s *supervisor) resume() {
	if s.terminal.eager {
		s.terminal.give(s.child)
	}
	if unix.Kill(-s.child, unix.SIGCONT) != nil {
		_ = unix.Kill(s.child, unix.SIGCONT)
	}
}

// stopSelf stops caprun as an uncaught signal of job control does.
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
