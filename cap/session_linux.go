package cap

import (
	"bytes"
	"errors"
	"fmt"
	"syscall"

	"caprun/internal/ids"

	"golang.org/x/sys/unix"
)

// executeSession removes the controlling terminal of the process.
//
// A new session has none. The leader of a process group, which a shell starts, cannot
// create a session. It gives the terminal up instead. Only the leader of a session can
// get one again.
func executeSession(_ *Step, fail failFunc) error {
	leads, err := leadsSession()
	if err != nil {
		return fail("getsid", err)
	}
	if !leads {
		err := setsid()
		if err == nil {
			if leads, err = leadsSession(); err == nil && !leads {
				err = ids.ErrNoEffect
			}
		}
		// A seccomp(2) filter may return EPERM, as the kernel does to a leader.
		if err != syscall.EPERM || syscall.Getpgrp() != syscall.Getpid() {
			return fail("setsid", err)
		}
		// A leader of a session also gets here if a filter hides that it is one.
	}
	// The kernel sends SIGHUP to the foreground process group, which may be the
	// group of this process. Go programs do not block it, so while it is ignored,
	// it is discarded.
	old, err := sigaction(syscall.SIGHUP, nil)
	if err != nil {
		return fail("rt_sigaction", err)
	}
	ignored := old
	ignored.ignore()
	if err := setHangUp(&ignored); err != nil {
		return fail("rt_sigaction", err)
	}
	removed := removeTerminal(fail)
	return errors.Join(removed, fail("rt_sigaction", setHangUp(&old)))
}

// setHangUp sets the action of SIGHUP and verifies it. If the call had no effect, the
// signal would end the launch, or the target would ignore it.
func setHangUp(action *signalAction) error {
	if _, err := sigaction(syscall.SIGHUP, action); err != nil {
		return err
	}
	got, err := sigaction(syscall.SIGHUP, nil)
	if err == nil && got != *action {
		err = ids.ErrNoEffect
	}
	return err
}

// removeTerminal gives up the controlling terminal, and verifies that none is left.
func removeTerminal(fail failFunc) error {
	fd, err := openTerminal()
	if err == nil {
		err = giveUpTerminal(fd)
		unix.Close(fd)
		if err != nil {
			return fail("ioctl TIOCNOTTY", err)
		}
		if fd, err = openTerminal(); err == nil {
			unix.Close(fd)
			return fail("ioctl TIOCNOTTY", errors.New("the process still has a controlling terminal"))
		}
	}
	if err == unix.ENXIO {
		return nil
	}
	// Without /dev/tty a standard descriptor may be the terminal.
	for fd := range 3 {
		// The second call shows that the first one had an effect.
		if giveUpTerminal(fd) == nil && giveUpTerminal(fd) == unix.ENOTTY {
			return nil
		}
	}
	if noTerminalListed() {
		return nil
	}
	return fail("open", fmt.Errorf("%s: %w", terminal, err))
}

const terminal = "/dev/tty"

// openTerminal opens the controlling terminal. The error is ENXIO if there is none.
func openTerminal() (int, error) {
	var st unix.Stat_t
	if err := unix.Stat(terminal, &st); err != nil {
		return -1, err
	}
	if st.Mode&unix.S_IFMT != unix.S_IFCHR || uint64(st.Rdev) != unix.Mkdev(5, 0) {
		// ENXIO has other meanings for other files.
		return -1, errors.New("not the device of the controlling terminal")
	}
	for verified := false; ; {
		fd, err := unix.Open(terminal, unix.O_RDWR|unix.O_NOCTTY|unix.O_NONBLOCK|unix.O_CLOEXEC, 0)
		switch {
		case err == unix.EINTR:
		case err == unix.ENXIO && !verified:
			// Only this error means that nothing is to be done, so verify it.
			verified = true
		default:
			return fd, err
		}
	}
}

// noTerminalListed reports whether /proc shows that the process has no controlling
// terminal: field 7 of proc_pid_stat(5).
func noTerminalListed() bool {
	const path, maxSize, number = "/proc/self/stat", 4096, 7
	var fs unix.Statfs_t
	fd, err := unix.Open(path, unix.O_RDONLY|unix.O_CLOEXEC, 0)
	if err != nil {
		return false
	}
	defer unix.Close(fd)
	text := make([]byte, maxSize)
	n, err := unix.Read(fd, text)
	if err != nil || unix.Fstatfs(fd, &fs) != nil || fs.Type != unix.PROC_SUPER_MAGIC {
		return false
	}
	name := bytes.LastIndexByte(text[:n], ')') // field 2 ends here
	fields := bytes.Fields(text[name+1 : n])
	return name >= 0 && len(fields) > number-3 && string(fields[number-3]) == "0"
}
