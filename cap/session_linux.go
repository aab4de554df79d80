package cap

import (
	"bytes"
	"errors"
	"fmt"
	"syscall"

	"golang.org/x/sys/unix"
)

// executeSession leaves the process without a controlling terminal.
//
// A new session has none. The leader of a process group, which is what a shell
// starts, cannot have one: it gives the terminal up, and without being the
// leader of its session it cannot get one again.
func executeSession(_ *Step, fail failFunc) error {
	leads, err := leadsSession()
	if err != nil {
		return fail("getsid", err)
	}
	if !leads {
		err := setsid()
		if err == nil {
			if leads, err = leadsSession(); err == nil && !leads {
				err = errors.New("it had no effect")
			}
		}
		// A filter that forbids the call says the same as the kernel to a leader.
		if err != syscall.EPERM || syscall.Getpgrp() != syscall.Getpid() {
			return fail("setsid", err)
		}
		// Also the leader of a session that is told otherwise comes here.
	}
	// The kernel sends SIGHUP to the foreground group, which may well be the
	// group of this process. It is never blocked in a Go program, so that one
	// that is ignored is not kept for later.
	old, err := sigaction(syscall.SIGHUP, nil)
	if err != nil {
		return fail("rt_sigaction", err)
	}
	ignored := old
	ignored.ignore()
	if err := setHangUp(&ignored); err != nil {
		return fail("rt_sigaction", err)
	}
	lost := loseTerminal(fail)
	return errors.Join(lost, fail("rt_sigaction", setHangUp(&old)))
}

// setHangUp says what becomes of SIGHUP, and sees that it has an effect: without
// it the signal would end the launch, or the target would never get it.
func setHangUp(action *signalAction) error {
	if _, err := sigaction(syscall.SIGHUP, action); err != nil {
		return err
	}
	got, err := sigaction(syscall.SIGHUP, nil)
	if err == nil && got != *action {
		err = errors.New("it had no effect")
	}
	return err
}

// loseTerminal gives up the controlling terminal, and sees that none is left.
func loseTerminal(fail failFunc) error {
	fd, err := openTerminal()
	if err == nil {
		err = giveUpTerminal(fd)
		unix.Close(fd)
		if err != nil {
			return fail("ioctl TIOCNOTTY", err)
		}
		if fd, err = openTerminal(); err == nil {
			unix.Close(fd)
			return fail("ioctl TIOCNOTTY", errors.New("there is a controlling terminal still"))
		}
	}
	if err == unix.ENXIO {
		return nil
	}
	// Without /dev/tty a standard descriptor may be the terminal.
	for fd := range 3 {
		// Once given up, it is a terminal like any other.
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

// openTerminal opens the controlling terminal: ENXIO without one.
func openTerminal() (int, error) {
	var st unix.Stat_t
	if err := unix.Stat(terminal, &st); err != nil {
		return -1, err
	}
	if st.Mode&unix.S_IFMT != unix.S_IFCHR || uint64(st.Rdev) != unix.Mkdev(5, 0) {
		// Other kinds of file have reasons of their own for ENXIO.
		return -1, errors.New("it is not the device of the controlling terminal")
	}
	for asked := false; ; {
		fd, err := unix.Open(terminal, unix.O_RDWR|unix.O_NOCTTY|unix.O_NONBLOCK|unix.O_CLOEXEC, 0)
		switch {
		case err == unix.EINTR:
		case err == unix.ENXIO && !asked:
			// This alone says that there is nothing to do, so it is asked again.
			asked = true
		default:
			return fd, err
		}
	}
}

// noTerminalListed reports whether the proc file system says that there is no
// controlling terminal: field 7 of proc_pid_stat(5), behind the name.
func noTerminalListed() bool {
	const path, most, number = "/proc/self/stat", 4096, 7
	var fs unix.Statfs_t
	fd, err := unix.Open(path, unix.O_RDONLY|unix.O_CLOEXEC, 0)
	if err != nil {
		return false
	}
	defer unix.Close(fd)
	text := make([]byte, most)
	n, err := unix.Read(fd, text)
	if err != nil || unix.Fstatfs(fd, &fs) != nil || fs.Type != unix.PROC_SUPER_MAGIC {
		return false
	}
	name := bytes.LastIndexByte(text[:n], ')')
	fields := bytes.Fields(text[name+1 : n])
	return name >= 0 && len(fields) > number-3 && string(fields[number-3]) == "0"
}
