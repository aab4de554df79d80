package supervise

import (
	"os/exec"
	"strconv"
	"strings"
	"syscall"
	"testing"

	"caprun/internal/test/requires"
	"caprun/internal/test/terminal"

	"golang.org/x/sys/unix"
)

const (
	controlC = "\x03"
	controlZ = "\x1a"
)

// onTerminal runs caprun -init with a target, as the leader of a session on a terminal, or
// as a job of a shell that is the leader.
func onTerminal(t *testing.T, shell string, argv ...string) (*terminal.Terminal, *supervised) {
	t.Helper()
	screen, slave := terminal.New(t)
	defer slave.Close()
	s := supervise(t, bare, func(cmd *exec.Cmd) {
		cmd.Stdin, cmd.Stdout, cmd.Stderr = slave, slave, slave
		cmd.SysProcAttr = &syscall.SysProcAttr{Setsid: true, Setctty: true, Ctty: 0}
		if shell != "" {
			cmd.Path = requires.Tool(t, "sh")
			cmd.Args = append([]string{"sh", "-mc", shell}, cmd.Args...)
		}
	}, argv...)
	return screen, s
}

// readyOn returns the process ID that the target prints on a terminal.
func readyOn(t *testing.T, screen *terminal.Terminal) (pid int) {
	t.Helper()
	eventually(t, "the target runs", func() bool {
		_, rest, _ := strings.Cut(screen.Text(), "ready ")
		line, _, whole := strings.Cut(rest, "\r")
		if whole {
			pid, _ = strconv.Atoi(line)
		}
		return whole
	})
	return pid
}

// TestInitForeground: the target gets each signal of the terminal once.
func TestInitForeground(t *testing.T) {
	screen, s := onTerminal(t, "", signalreport(t))
	pid := readyOn(t, screen)
	if got := screen.Group(t); got != pid {
		t.Errorf("the foreground process group is %d, not %d", got, pid)
	}
	screen.Types(t, controlC)
	eventually(t, "^C arrives", screen.Shows("heard 2\r"))
	if err := unix.IoctlSetWinsize(int(screen.Fd()), unix.TIOCSWINSZ, &unix.Winsize{Row: 5, Col: 50}); err != nil {
		t.Fatal(err)
	}
	eventually(t, "the size arrives", screen.Shows("heard 28\r"))
	screen.Types(t, "\x04")
	if got := s.status(); got != 0 {
		t.Errorf("status %d", got)
	}
	if text := screen.Text(); strings.Count(text, "heard ") != 2 {
		t.Errorf("unexpected signals:\n%s", text)
	}
}

// TestInitWithoutJobControl: a stop from the terminal has no effect if no process could
// continue caprun.
func TestInitWithoutJobControl(t *testing.T) {
	screen, s := onTerminal(t, "", requires.Tool(t, "sh"), "-c", "echo ready $$; read line; echo got $line")
	pid := readyOn(t, screen)
	screen.Types(t, controlZ)
	screen.Types(t, "text\r")
	eventually(t, "the target continues", screen.Shows("got text\r"))
	if got := s.status(); got != 0 {
		t.Errorf("status %d (process %d)", got, pid)
	}
}

// TestInitJob: a shell notices that the job stops, continues it in the foreground, and
// gets its status.
func TestInitJob(t *testing.T) {
	requires.Tool(t, "sh")
	// Without the trap, ^C would end the shell.
	screen, s := onTerminal(t, `trap true INT; "$0" "$@"; echo stopped with $?; fg >/dev/null; echo ended with $?; read line; echo read $line`,
		requires.Tool(t, "sh"), "-c", "echo ready $$; read line; echo got $line; exec sleep 60")
	pid := readyOn(t, screen)
	eventually(t, "the target is in the foreground", func() bool { return screen.Group(t) == pid })
	screen.Types(t, controlZ)
	eventually(t, "the shell notices the stop", screen.Shows("stopped with 1"))
	eventually(t, "the target is in the foreground again", func() bool { return screen.Group(t) == pid })
	screen.Types(t, "text\r")
	eventually(t, "the target reads", screen.Shows("got text\r"))
	screen.Types(t, controlC)
	eventually(t, "the shell notices the end", screen.Shows("ended with 130\r"))
	screen.Types(t, "more\r")
	eventually(t, "the shell reads", screen.Shows("read more\r"))
	s.status()
}

// TestInitScriptStops: ^C ends a script, as it does without a supervisor.
func TestInitScriptStops(t *testing.T) {
	requires.Tool(t, "sh")
	screen, s := onTerminal(t, `"$0" "$@"; echo not stopped`, requires.Tool(t, "sh"), "-c", "echo ready $$; exec sleep 60")
	readyOn(t, screen)
	screen.Types(t, controlC)
	if got := s.status(); got != 130 || strings.Contains(screen.Text(), "not stopped") {
		t.Errorf("status %d\n%s", got, screen.Text())
	}
}

// TestInitPipeline: in a pipeline, the target gets the foreground when it reads the
// terminal.
func TestInitPipeline(t *testing.T) {
	requires.Tool(t, "cat")
	screen, s := onTerminal(t, `"$0" "$@" | cat; echo ended`,
		requires.Tool(t, "sh"), "-c", "echo ready $$; read line; echo got $line; exec sleep 60")
	readyOn(t, screen)
	screen.Types(t, "text\r")
	eventually(t, "the target reads", screen.Shows("got text\r"))
	screen.Types(t, controlC)
	eventually(t, "the shell notices the end", screen.Shows("ended"))
	s.status()
}
