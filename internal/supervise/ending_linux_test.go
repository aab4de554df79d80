package supervise

import (
	"os/exec"
	"os/signal"
	"runtime"
	"syscall"
	"testing"

	"caprun/internal/sigmask"
	"caprun/internal/test/reexec"
	"caprun/internal/test/requires"

	"golang.org/x/sys/unix"
)

// TestInitEndsBySignal: SIGINT, SIGQUIT and SIGTERM end caprun as they ended the target,
// without a core file. Other signals are a status.
func TestInitEndsBySignal(t *testing.T) {
	sh := requires.Tool(t, "sh")
	for _, c := range []struct {
		signal syscall.Signal
		ends   bool
	}{
		{unix.SIGINT, true}, {unix.SIGQUIT, true}, {unix.SIGTERM, true},
		{unix.SIGHUP, false}, {unix.SIGKILL, false}, {unix.SIGUSR1, false},
	} {
		s := supervise(t, bare, nil, sh, "-c", "ulimit -c unlimited; echo ready $$; read line")
		if err := syscall.Kill(s.ready(), c.signal); err != nil {
			t.Fatal(err)
		}
		s.status()
		ws := s.ProcessState.Sys().(syscall.WaitStatus)
		if c.ends != ws.Signaled() || c.ends && ws.Signal() != c.signal || !c.ends && ws.ExitStatus() != 128+int(c.signal) || ws.CoreDump() {
			t.Errorf("%v: wait status %#x", c.signal, uint32(ws))
		}
	}
}

// endRoles are those of TestEndSelf.
var endRoles = reexec.Roles{"end": func() {
	runtime.LockOSThread()
	if _, err := sigmask.Block(unix.SIGTERM); err != nil {
		panic(err)
	}
	signal.Ignore(unix.SIGTERM)
	endSelf(unix.SIGTERM)
}}

// TestEndSelf: a signal that is blocked and ignored ends the process, too.
func TestEndSelf(t *testing.T) {
	if r := reexec.Run(t, "end", nil); r.Status != 143 {
		t.Errorf("status %d: %s", r.Status, r.Stderr)
	}
}

// TestInitEndsAsPID1: the kernel protects PID 1 from signals of its own namespace, so
// caprun exits with a status there.
func TestInitEndsAsPID1(t *testing.T) {
	requires.Root(t)
	s := supervise(t, bare, func(cmd *exec.Cmd) {
		cmd.SysProcAttr = &syscall.SysProcAttr{Cloneflags: syscall.CLONE_NEWPID}
	}, requires.Tool(t, "sh"), "-c", "kill -TERM $$")
	s.status()
	if ws := s.ProcessState.Sys().(syscall.WaitStatus); !ws.Exited() || ws.ExitStatus() != 143 {
		t.Errorf("wait status %#x", uint32(ws))
	}
}

// TestInitGroup: with -init-group, the children of the target get the signals, too.
func TestInitGroup(t *testing.T) {
	sh := requires.Tool(t, "sh")
	const script = `trap "echo target" USR1
		(trap "echo child; exit" USR1; echo ready $$; n=0; while [ $n -lt 600 ]; do sleep 0.05; n=$((n+1)); done) &
		wait; wait`
	for _, group := range []bool{false, true} {
		s := supervise(t, bare, func(cmd *exec.Cmd) {
			if group {
				cmd.Args = append([]string{cmd.Args[0], "-init-group"}, cmd.Args[1:]...)
			}
		}, sh, "-c", script)
		s.ready()
		s.signal(unix.SIGUSR1)
		got := map[string]bool{s.line(): true}
		if group {
			got[s.line()] = true
		}
		if !got["target"] || got["child"] != group {
			t.Errorf("group %t: %v", group, got)
		}
		s.signal(unix.SIGKILL)
	}
}
