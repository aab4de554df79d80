package main

import (
	"bytes"
	"fmt"
	"os"
	"os/exec"
	"strconv"
	"strings"
	"sync"
	"syscall"
	"testing"

	"caprun/internal/need"

	"golang.org/x/sys/unix"
)

// typed is a terminal that a test types on.
type typed struct {
	*os.File // the end of the keyboard and the screen
	sync.Mutex
	screen bytes.Buffer
}

// newTerminal returns a terminal, and the end of it that programs get.
func newTerminal(t *testing.T) (*typed, *os.File) {
	t.Helper()
	fd, err := unix.Open("/dev/ptmx", unix.O_RDWR|unix.O_NOCTTY|unix.O_CLOEXEC, 0)
	if err != nil {
		need.Skip(t, "a terminal: "+err.Error())
	}
	master := os.NewFile(uintptr(fd), "ptmx")
	t.Cleanup(func() { master.Close() })
	if err := unix.IoctlSetPointerInt(fd, unix.TIOCSPTLCK, 0); err != nil {
		t.Fatal(err)
	}
	number, err := unix.IoctlGetInt(fd, unix.TIOCGPTN)
	if err != nil {
		t.Fatal(err)
	}
	slave, err := os.OpenFile(fmt.Sprint("/dev/pts/", number), os.O_RDWR|unix.O_NOCTTY, 0)
	if err != nil {
		need.Skip(t, "a terminal: "+err.Error())
	}
	terminal := &typed{File: master}
	go func() {
		buf := make([]byte, 4096)
		for {
			n, err := master.Read(buf)
			terminal.Lock()
			terminal.screen.Write(buf[:n])
			terminal.Unlock()
			if err != nil {
				return
			}
		}
	}()
	return terminal, slave
}

func (terminal *typed) shows(text string) func() bool {
	return func() bool {
		terminal.Lock()
		defer terminal.Unlock()
		return strings.Contains(terminal.screen.String(), text)
	}
}

func (terminal *typed) group(t *testing.T) int {
	t.Helper()
	group, err := unix.IoctlGetInt(int(terminal.Fd()), unix.TIOCGPGRP)
	if err != nil {
		t.Fatal(err)
	}
	return group
}

func (terminal *typed) types(t *testing.T, text string) {
	t.Helper()
	if _, err := terminal.WriteString(text); err != nil {
		t.Fatal(err)
	}
}

const (
	controlC = "\x03"
	controlZ = "\x1a"
)

// onTerminal starts a target under caprun -init, as the leader of a session on
// a terminal, or as a job of a shell that is one.
func onTerminal(t *testing.T, shell string, argv ...string) (*typed, *supervised) {
	t.Helper()
	terminal, slave := newTerminal(t)
	defer slave.Close()
	s := supervise(t, bare, func(cmd *exec.Cmd) {
		cmd.Stdin, cmd.Stdout, cmd.Stderr = slave, slave, slave
		cmd.SysProcAttr = &syscall.SysProcAttr{Setsid: true, Setctty: true, Ctty: 0}
		if shell != "" {
			cmd.Path = need.Tool(t, "sh")
			cmd.Args = append([]string{"sh", "-mc", shell}, cmd.Args...)
		}
	}, argv...)
	return terminal, s
}

// readyOn returns the pid that heard tells on a terminal.
func readyOn(t *testing.T, terminal *typed) (pid int) {
	t.Helper()
	eventually(t, "the target runs", func() bool {
		terminal.Lock()
		defer terminal.Unlock()
		_, rest, _ := strings.Cut(terminal.screen.String(), "ready ")
		line, _, whole := strings.Cut(rest, "\r")
		if whole {
			pid, _ = strconv.Atoi(line)
		}
		return whole
	})
	return pid
}

// TestInitForeground: the target gets what the terminal sends, once.
func TestInitForeground(t *testing.T) {
	terminal, s := onTerminal(t, "", heard(t))
	pid := readyOn(t, terminal)
	if got := terminal.group(t); got != pid {
		t.Errorf("in the foreground is %d, not %d", got, pid)
	}
	terminal.types(t, controlC)
	eventually(t, "^C arrives", terminal.shows("heard 2\r"))
	if err := unix.IoctlSetWinsize(int(terminal.Fd()), unix.TIOCSWINSZ, &unix.Winsize{Row: 5, Col: 50}); err != nil {
		t.Fatal(err)
	}
	eventually(t, "the size arrives", terminal.shows("heard 28\r"))
	terminal.types(t, "\x04")
	if got := s.status(); got != 0 {
		t.Errorf("status %d", got)
	}
	terminal.Lock()
	defer terminal.Unlock()
	if screen := terminal.screen.String(); strings.Count(screen, "heard ") != 2 {
		t.Errorf("it heard more:\n%s", screen)
	}
}

// TestInitNobodyContinues: where nobody could continue caprun, a stop from the
// terminal does not hang it.
func TestInitNobodyContinues(t *testing.T) {
	terminal, s := onTerminal(t, "", need.Tool(t, "sh"), "-c", "echo ready $$; read line; echo got $line")
	pid := readyOn(t, terminal)
	terminal.types(t, controlZ)
	terminal.types(t, "text\r")
	eventually(t, "the target goes on", terminal.shows("got text\r"))
	if got := s.status(); got != 0 {
		t.Errorf("status %d (process %d)", got, pid)
	}
}

// TestInitJob: a shell sees a stopped job, continues it in the foreground and
// sees how it ends.
func TestInitJob(t *testing.T) {
	need.Tool(t, "sh")
	terminal, s := onTerminal(t, `"$0" "$@"; echo stopped with $?; fg >/dev/null; echo ended with $?; read line; echo read $line`,
		need.Tool(t, "sh"), "-c", "echo ready $$; read line; echo got $line; exec sleep 60")
	pid := readyOn(t, terminal)
	eventually(t, "the target is in the foreground", func() bool { return terminal.group(t) == pid })
	terminal.types(t, controlZ)
	eventually(t, "the shell sees a stopped job", terminal.shows("stopped with 1"))
	eventually(t, "the target is in the foreground again", func() bool { return terminal.group(t) == pid })
	terminal.types(t, "text\r")
	eventually(t, "the target reads", terminal.shows("got text\r"))
	terminal.types(t, controlC)
	eventually(t, "the shell sees the end", terminal.shows("ended with 130\r"))
	terminal.types(t, "more\r")
	eventually(t, "the shell reads", terminal.shows("read more\r"))
	s.status()
}

// TestInitAsks: in a pipeline the target gets the terminal when it reads from it.
func TestInitAsks(t *testing.T) {
	need.Tool(t, "cat")
	terminal, s := onTerminal(t, `"$0" "$@" | cat; echo ended`,
		need.Tool(t, "sh"), "-c", "echo ready $$; read line; echo got $line; exec sleep 60")
	readyOn(t, terminal)
	terminal.types(t, "text\r")
	eventually(t, "the target reads", terminal.shows("got text\r"))
	terminal.types(t, controlC)
	eventually(t, "the shell sees the end", terminal.shows("ended"))
	s.status()
}
