package supervise

import (
	"fmt"
	"io"
	"os"
	"os/exec"
	"strings"
	"testing"
	"time"

	"caprun/internal/message"
	"caprun/internal/test/command"
	"caprun/internal/test/requires"
	"caprun/internal/test/unread"

	"golang.org/x/sys/unix"
)

// TestRefusalDoesNotBlock: a refused launch reports why on every kind of file, and exits
// with its status also if nobody reads the message.
func TestRefusalDoesNotBlock(t *testing.T) {
	profile := command.ProfileFile(t, command.PlainProfile)
	for _, form := range [][]string{
		{"-profile", "/nowhere.yaml", "--", "x"},
		{"-profile", profile, "--", "/nowhere"},
		{"-init", "-profile", profile, "--", "/nowhere"},
		{"-no-such-flag"},
	} {
		want := StatusRefused
		if form[len(form)-1] == "/nowhere" {
			want = StatusNotFound
		}
		for _, m := range unread.Files(t) {
			run := func() (status int) {
				cmd := exec.Command(command.Caprun(t), form...)
				cmd.Stderr = m.File
				_, _, status = command.Run(t, cmd)
				return status
			}
			if got := run(); got != want {
				t.Errorf("%s, %v: status %d, not %d", m.Name, form, got, want)
			}
			eventually(t, "the message arrives: "+m.Name, func() bool { return strings.Contains(m.Text(), "caprun: ") })
			m.Block(t)
			begin := time.Now()
			if got := run(); got != want {
				t.Errorf("%s blocked, %v: status %d, not %d", m.Name, form, got, want)
			}
			t.Logf("%s blocked, %v: %v", m.Name, form[0], time.Since(begin).Round(time.Millisecond))
		}
	}
}

// TestRefusalWithoutReader: a pipe without a reader does not change the status.
func TestRefusalWithoutReader(t *testing.T) {
	r, w, err := os.Pipe()
	if err != nil {
		t.Fatal(err)
	}
	r.Close()
	defer w.Close()
	cmd := exec.Command(command.Caprun(t), "-profile", "/nowhere.yaml", "--", "x")
	cmd.Stderr = w
	if _, _, status := command.Run(t, cmd); status != StatusRefused {
		t.Errorf("status %d", status)
	}
}

// TestInitDoesNotBlock: a supervisor reaps and forwards also if nobody reads its messages.
func TestInitDoesNotBlock(t *testing.T) {
	requires.Root(t)
	with := command.Program(t, "caprun/internal/test/runas")
	for _, m := range unread.Files(t) {
		t.Run(m.Name, func(t *testing.T) {
			s := supervise(t, "uid: 65534\ngid: 65534\ncaps: cap_setuid=eip\n", func(cmd *exec.Cmd) {
				withoutKill(t)(cmd)
				cmd.Stderr = m.File
			}, with, "uid=3301", "--", requires.Tool(t, "sh"), "-c", `echo ready $$
				read line; n=0; while [ $n -lt 50 ]; do (: &) ; n=$((n+1)); done; echo orphans
				read line; exec "$0" uid=65534 -- "$1"`, with, signalreport(t))
			target := s.ready()
			t.Cleanup(func() { _ = unix.Kill(target, unix.SIGKILL) })
			s.signal(unix.SIGUSR1)
			eventually(t, "the message arrives", func() bool {
				return strings.Contains(m.Text(), fmt.Sprintf("forward SIGUSR1 to process %d: operation not permitted", target))
			})
			m.Block(t)
			for range 2 * message.QueueLength {
				s.signal(unix.SIGUSR1)
				s.signal(unix.SIGPIPE)
				s.signal(unix.SIGUSR2)
			}
			in := s.stdin.(io.Writer)
			fmt.Fprintln(in)
			if got := s.line(); got != "orphans" {
				t.Fatal(got)
			}
			eventually(t, "only the target is left", func() bool { return len(children(t, s.Process.Pid)) == 1 })
			fmt.Fprintln(in)
			s.ready()
			s.signal(unix.SIGTERM)
			for got := ""; got != "heard 15"; {
				got = s.line() // perhaps one of the earlier signals
			}
			s.stdin.Close()
			if got := s.status(); got != 0 {
				t.Errorf("status %d", got)
			}
		})
	}
}
