package supervise

import (
	"errors"
	"fmt"
	"os"
	"os/exec"
	"strconv"
	"strings"
	"syscall"
	"testing"
	"time"

	"caprun/internal/test/command"
	"caprun/internal/test/requires"

	"golang.org/x/sys/unix"
)

// TestInitForwards: the target gets each signal once.
func TestInitForwards(t *testing.T) {
	s := supervise(t, bare, nil, signalreport(t))
	pid := s.ready()
	if pid == s.Process.Pid {
		t.Fatal("the target is caprun's process")
	}
	for sig := syscall.Signal(1); sig <= 64; sig++ {
		if !isForwarded(sig) || sig == unix.SIGTSTP || sig == unix.SIGTTIN || sig == unix.SIGTTOU {
			continue
		}
		s.signal(sig)
		if got := s.line(); got != fmt.Sprint("heard ", int(sig)) {
			t.Errorf("signal %d: %s", sig, got)
		}
	}
	for _, sig := range []syscall.Signal{unix.SIGTSTP, unix.SIGTTIN, unix.SIGTTOU, unix.SIGCONT} {
		s.signal(sig)
		if got := s.line(); got != fmt.Sprint("heard ", int(sig)) {
			t.Errorf("signal %d: %s", sig, got)
		}
	}
	s.stdin.Close()
	if got := s.status(); got != 0 {
		t.Errorf("status %d", got)
	}
	if line, more := <-s.lines; more {
		t.Errorf("unexpected line %q", line)
	}
}

// TestInitFirstRealTime: a signal that cannot be forwarded does not end caprun, and the
// target can still catch it. The target is not a Go program, which could not.
func TestInitFirstRealTime(t *testing.T) {
	requires.Tool(t, "sleep")
	s := supervise(t, bare, nil, requires.Tool(t, "sh"), "-c",
		`trap 'echo heard 34; exit 5' 34; echo ready $$; n=0; while [ $n -lt 600 ]; do sleep 0.05; n=$((n+1)); done`)
	pid := s.ready()
	s.signal(firstRealTime)
	if err := syscall.Kill(pid, firstRealTime); err != nil {
		t.Fatal(err)
	}
	if got := s.line(); got != "heard 34" {
		t.Error(got)
	}
	if got := s.status(); got != 5 {
		t.Errorf("status %d", got)
	}
}

// TestInitForwardsToAnotherUser: with cap_kill, a target of another user gets signals.
func TestInitForwardsToAnotherUser(t *testing.T) {
	requires.Root(t)
	s := supervise(t, "uid: 65534\ngid: 65534\n", nil, signalreport(t))
	s.ready()
	s.signal(unix.SIGUSR1)
	if got := s.line(); got != "heard 10" {
		t.Error(got)
	}
}

// TestInitBrokenPipe: caprun reports a signal that it cannot forward. It does not forward
// the SIGPIPE of a message without a reader.
func TestInitBrokenPipe(t *testing.T) {
	requires.Root(t)
	r, w, err := os.Pipe()
	if err != nil {
		t.Fatal(err)
	}
	defer w.Close()
	s := supervise(t, "uid: 65534\ngid: 65534\ncaps: cap_setuid=eip\n", func(cmd *exec.Cmd) {
		withoutKill(t)(cmd)
		cmd.Stderr = w
	}, command.Program(t, "caprun/internal/test/runas"), "uid=3301", "--", requires.Tool(t, "sh"), "-c", "echo ready $$; exec sleep 60")
	target := s.ready()
	t.Cleanup(func() { _ = unix.Kill(target, unix.SIGKILL) })
	s.signal(unix.SIGUSR1)
	message := make([]byte, 4096)
	n, _ := r.Read(message)
	if got := string(message[:n]); !strings.Contains(got, "if the target has changed its user, caprun needs cap_kill") {
		t.Errorf("%q", got)
	}
	r.Close()
	ticks := func() (sum int) {
		text, err := os.ReadFile(fmt.Sprintf("/proc/%d/stat", s.Process.Pid))
		if err != nil {
			t.Fatal(err)
		}
		fields := strings.Fields(string(text[strings.LastIndexByte(string(text), ')'):]))
		for _, field := range fields[12:14] {
			n, err := strconv.Atoi(field)
			if err != nil {
				t.Fatal(err)
			}
			sum += n
		}
		return sum
	}
	before := ticks()
	s.signal(unix.SIGTERM)
	time.Sleep(500 * time.Millisecond)
	if busy := ticks() - before; busy > 5 {
		t.Errorf("caprun was busy for %d ticks after one signal that it cannot forward", busy)
	}
	s.signal(unix.SIGKILL)
	s.status()
}

// TestInitIgnored: signals that the caller ignores stay ignored, and are not caught.
func TestInitIgnored(t *testing.T) {
	sh := requires.Tool(t, "sh")
	s := supervise(t, bare, func(cmd *exec.Cmd) {
		cmd.Args = append([]string{"sh", "-c", `trap '' HUP INT; exec "$0" "$@"`}, cmd.Args...)
		cmd.Path = sh
	}, signalreport(t))
	s.ready()
	for _, sig := range []syscall.Signal{unix.SIGHUP, unix.SIGINT, unix.SIGTERM} {
		s.signal(sig)
	}
	if got := s.line(); got != "heard 15" {
		t.Error(got)
	}
}

// TestInitEarlySignal: a signal at any moment of the launch ends caprun or the target.
func TestInitEarlySignal(t *testing.T) {
	sleep := requires.Tool(t, "sleep")
	for n := range 40 {
		s := supervise(t, bare, nil, sleep, "60")
		time.Sleep(time.Duration(n) * 500 * time.Microsecond)
		for _, sig := range []syscall.Signal{unix.SIGTERM, unix.SIGUSR1, unix.SIGHUP}[:1+n%3] {
			// An earlier signal may have ended it.
			if err := s.Process.Signal(sig); err != nil && !errors.Is(err, os.ErrProcessDone) {
				t.Fatal(err)
			}
		}
		status := s.status()
		ws := s.ProcessState.Sys().(syscall.WaitStatus)
		if status != 143 && status != 138 && status != 129 && !ws.Signaled() {
			t.Errorf("launch %d: %v", n, s.ProcessState)
		}
	}
}
