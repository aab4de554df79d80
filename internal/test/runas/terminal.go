//go:build linux

package main

import (
	"errors"
	"fmt"
	"io"
	"os"
	"os/exec"
	"syscall"

	"golang.org/x/sys/unix"
)

// onTerminal starts runas with the remaining arguments as the leader of a session on
// a new terminal, which is its standard input and output. This process prints what is
// written there.
func onTerminal(rest []string) {
	master, err := os.OpenFile("/dev/ptmx", os.O_RDWR|unix.O_NOCTTY, 0)
	check("terminal", err)
	number, err := unix.IoctlGetInt(int(master.Fd()), unix.TIOCGPTN)
	check("terminal", err)
	check("terminal", unix.IoctlSetPointerInt(int(master.Fd()), unix.TIOCSPTLCK, 0))
	slave, err := os.OpenFile(fmt.Sprint("/dev/pts/", number), os.O_RDWR|unix.O_NOCTTY, 0)
	check("terminal", err)
	mode, err := unix.IoctlGetTermios(int(slave.Fd()), unix.TCGETS)
	check("terminal", err)
	mode.Oflag &^= unix.OPOST
	check("terminal", unix.IoctlSetTermios(int(slave.Fd()), unix.TCSETS, mode))

	cmd := reexec(rest)
	cmd.Stdin, cmd.Stdout = slave, slave
	cmd.SysProcAttr = &syscall.SysProcAttr{Setsid: true, Setctty: true}
	check("terminal", cmd.Start())
	slave.Close()
	// Ends when no process has the terminal open.
	_, _ = io.Copy(os.Stdout, master)
	endAs("terminal", cmd.Wait())
}

// asJob starts runas with the remaining arguments as a shell starts a job: as the
// leader of a process group, in the foreground of the terminal.
func asJob(rest []string) {
	cmd := reexec(rest)
	cmd.Stdin, cmd.Stdout = os.Stdin, os.Stdout
	cmd.SysProcAttr = &syscall.SysProcAttr{Foreground: true, Ctty: 0}
	endAs("job", cmd.Run())
}

// reexec returns the command for runas with the remaining arguments, with the other
// descriptors of this process.
func reexec(rest []string) *exec.Cmd {
	cmd := exec.Command("/proc/self/exe", rest...)
	cmd.Args[0], cmd.Stderr = "runas", os.Stderr
	return cmd
}

// endAs ends this process as another one ended.
func endAs(what string, err error) {
	var exit *exec.ExitError
	switch {
	case errors.As(err, &exit):
		ws := exit.Sys().(syscall.WaitStatus)
		if ws.Signaled() {
			check(what, syscall.Kill(os.Getpid(), ws.Signal()))
		}
		os.Exit(exit.ExitCode())
	case err != nil:
		fail(what, err)
	}
	os.Exit(0)
}
