package supervise

import (
	"caprun/internal/sigmask"

	"golang.org/x/sys/unix"
)

// tty is the controlling terminal of a supervisor. The supervisor moves the target into
// the foreground and back.
type tty struct {
	fd  int // 0, 1 or 2; -1 without a terminal
	own int // the process group of the supervisor

	// eager is set if the target gets the foreground at once. It is not set if standard
	// input or output is another file: another program of the pipeline may read the
	// terminal. Then the target gets the foreground when it uses the terminal, and the
	// kernel stops it with SIGTTIN or SIGTTOU.
	eager bool

	given bool // the target was moved into the foreground
}

// findTTY returns the first controlling terminal among 0, 1 and 2.
func findTTY() tty {
	t := tty{fd: -1, own: unix.Getpgrp()}
	var isTerminal [3]bool
	for fd := range isTerminal {
		if _, err := unix.IoctlGetInt(fd, unix.TIOCGPGRP); err == nil {
			isTerminal[fd] = true
			if t.fd < 0 {
				t.fd = fd
			}
		}
	}
	t.eager = isTerminal[0] && isTerminal[1]
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

// give moves the target into the foreground, if the supervisor is there. If this fails,
// the target stays a background process.
func (t *tty) give(group int) {
	if t.isForeground() {
		t.given = t.set(group) == nil
	}
}

// reclaim moves the supervisor back into the foreground.
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

// stopWithTarget handles a stop of the target by a signal. If the target stopped because
// it is in the background, it gets the foreground if caprun has it. Otherwise caprun
// stops, too, so that the shell notices.
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
	// Either caprun has been continued, and forwards SIGCONT; or the kernel did not stop
	// it because nobody could continue it (PID 1, an orphaned process group). In that case
	// SIGTSTP would not have stopped the target without a supervisor either.
	if sig == unix.SIGTSTP {
		s.resume()
	}
}

// resume continues the target, and gives it the foreground if caprun has it.
func (s *supervisor) resume() {
	if s.terminal.eager {
		s.terminal.give(s.child)
	}
	if unix.Kill(-s.child, unix.SIGCONT) != nil || s.leftGroup() {
		_ = unix.Kill(s.child, unix.SIGCONT)
	}
}

// stopSelf stops caprun by a signal of job control, with its default action.
func stopSelf(sig unix.Signal) {
	// signal.Reset does not restore the default action.
	var defaults, old kernelAction
	if sigaction(sig, &defaults, &old) != nil {
		return
	}
	// To this thread: then the call returns after the signal was handled.
	_ = unix.Tgkill(unix.Getpid(), unix.Gettid(), sig)
	_ = sigaction(sig, &old, nil)
}
