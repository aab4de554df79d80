package main

import (
	"fmt"
	"io"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"caprun/internal/test/requires"
	"caprun/internal/test/terminal"

	"golang.org/x/sys/unix"
)

// messageFile is a file that a test has caprun write messages to.
type messageFile struct {
	name string
	file *os.File      // what caprun gets
	read func() string // what there is to read; without waiting for more
}

// messageFiles returns files of every kind that has a reader, which nobody reads.
func messageFiles(t *testing.T) []messageFile {
	t.Helper()
	var list []messageFile
	add := func(name string, write, read int) {
		end := os.NewFile(uintptr(write), name)
		t.Cleanup(func() { end.Close(); unix.Close(read) })
		list = append(list, messageFile{name, end, func() string { return readNow(t, read) }})
	}
	var pair [2]int
	if err := unix.Pipe2(pair[:], unix.O_CLOEXEC); err != nil {
		t.Fatal(err)
	}
	add("pipe", pair[1], pair[0])
	for name, kind := range map[string]int{"stream": unix.SOCK_STREAM, "datagrams": unix.SOCK_DGRAM, "packets": unix.SOCK_SEQPACKET} {
		pair, err := unix.Socketpair(unix.AF_UNIX, kind|unix.SOCK_CLOEXEC, 0)
		if err != nil {
			t.Fatal(err)
		}
		add(name, pair[1], pair[0])
	}
	fifo := filepath.Join(t.TempDir(), "fifo")
	if err := unix.Mkfifo(fifo, 0o600); err != nil {
		t.Fatal(err)
	}
	read, err := unix.Open(fifo, unix.O_RDWR|unix.O_CLOEXEC, 0)
	if err != nil {
		t.Fatal(err)
	}
	write, err := unix.Open(fifo, unix.O_WRONLY|unix.O_CLOEXEC, 0)
	if err != nil {
		t.Fatal(err)
	}
	add("fifo", write, read)
	screen, slave := terminal.New(t)
	t.Cleanup(func() { slave.Close() })
	return append(list, messageFile{"terminal", slave, screen.Text})
}

// readNow reads what a descriptor has to read.
func readNow(t *testing.T, fd int) string {
	t.Helper()
	var text []byte
	for {
		poll := []unix.PollFd{{Fd: int32(fd), Events: unix.POLLIN}}
		if n, err := unix.Poll(poll, 0); err != nil || n == 0 {
			return string(text)
		}
		buf := make([]byte, 1<<16)
		n, err := unix.Read(fd, buf)
		if err != nil || n == 0 {
			return string(text)
		}
		text = append(text, buf[:n]...)
	}
}

// block makes a write to the file wait.
func (m messageFile) block(t *testing.T) {
	t.Helper()
	fd := int(m.file.Fd())
	if m.name == "terminal" {
		if err := unix.IoctlSetInt(fd, unix.TCXONC, unix.TCOOFF); err != nil {
			t.Fatal(err)
		}
		return
	}
	if err := unix.SetNonblock(fd, true); err != nil {
		t.Fatal(err)
	}
	for size := 4096; size > 0; {
		if _, err := unix.Write(fd, make([]byte, size)); err == unix.EAGAIN {
			size /= 2
		} else if err != nil {
			t.Fatal(err)
		}
	}
	if err := unix.SetNonblock(fd, false); err != nil {
		t.Fatal(err)
	}
}

// TestRefusalWaitsForNobody: a launch that is refused says why on every kind of
// file, and ends with its status where nobody reads that.
func TestRefusalWaitsForNobody(t *testing.T) {
	profile := profileFile(t, plainProfile)
	for _, form := range [][]string{
		{"-profile", "/nowhere.yaml", "--", "x"},
		{"-profile", profile, "--", "/nowhere"},
		{"-init", "-profile", profile, "--", "/nowhere"},
		{"-no-such-flag"},
	} {
		want := exitRefused
		if form[len(form)-1] == "/nowhere" {
			want = exitNotFound
		}
		for _, m := range messageFiles(t) {
			run := func() (status int) {
				cmd := exec.Command(caprun(t), form...)
				cmd.Stderr = m.file
				_, _, status = outcome(t, cmd)
				return status
			}
			if got := run(); got != want {
				t.Errorf("%s, %v: status %d, not %d", m.name, form, got, want)
			}
			eventually(t, "the message is there: "+m.name, func() bool { return strings.Contains(m.read(), "caprun: ") })
			m.block(t)
			begin := time.Now()
			if got := run(); got != want {
				t.Errorf("%s blocked, %v: status %d, not %d", m.name, form, got, want)
			}
			t.Logf("%s blocked, %v: %v", m.name, form[0], time.Since(begin).Round(time.Millisecond))
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
	cmd := exec.Command(caprun(t), "-profile", "/nowhere.yaml", "--", "x")
	cmd.Stderr = w
	if _, _, status := outcome(t, cmd); status != exitRefused {
		t.Errorf("status %d", status)
	}
}

// TestMessageLastResort: where a file can be written to only in a way that may
// wait, a message arrives, and caprun does not wait.
func TestMessageLastResort(t *testing.T) {
	for _, m := range messageFiles(t) {
		if m.name == "stream" || m.name == "datagrams" || m.name == "packets" {
			continue
		}
		w := &messageWriter{fd: int(m.file.Fd()), own: -1, noFlag: true, noOwn: true}
		if n, err := io.WriteString(w, "first\n"); n != 6 || err != nil {
			t.Errorf("%s: %d, %v", m.name, n, err)
		}
		eventually(t, "the message is there: "+m.name, func() bool { return strings.Contains(m.read(), "first") })
		m.block(t)
		for range 3 {
			if n, err := io.WriteString(w, "second\n"); n != 0 || err != unix.EAGAIN {
				t.Errorf("%s blocked: %d, %v", m.name, n, err)
			}
		}
	}

	// What poll says about this file is not true of a long message.
	r, f, err := os.Pipe()
	if err != nil {
		t.Fatal(err)
	}
	defer f.Close()
	w := &messageWriter{fd: int(f.Fd()), own: -1, noFlag: true, noOwn: true}
	if n, err := w.Write(make([]byte, 1<<20)); n != 0 || err != unix.EAGAIN {
		t.Errorf("%d, %v", n, err)
	}
	if n, err := io.WriteString(w, "while the other waits\n"); n != 0 || err != unix.EAGAIN {
		t.Errorf("%d, %v", n, err)
	}
	r.Close()
	<-w.blocked
}

// TestInitWaitsForNobody: a supervisor whose messages nobody reads reaps and
// forwards as before.
func TestInitWaitsForNobody(t *testing.T) {
	requires.Root(t)
	runas := program(t, "caprun/internal/test/runas")
	for _, m := range messageFiles(t) {
		t.Run(m.name, func(t *testing.T) {
			s := supervise(t, "uid: 65534\ngid: 65534\ncaps: cap_setuid=eip\n", func(cmd *exec.Cmd) {
				withoutKill(t)(cmd)
				cmd.Stderr = m.file
			}, runas, "uid=3301", "--", requires.Tool(t, "sh"), "-c", `echo ready $$
				read line; n=0; while [ $n -lt 50 ]; do (: &) ; n=$((n+1)); done; echo orphans
				read line; exec "$0" uid=65534 -- "$1"`, runas, signalreport(t))
			target := s.ready()
			t.Cleanup(func() { _ = unix.Kill(target, unix.SIGKILL) })
			s.signal(unix.SIGUSR1)
			eventually(t, "the message is there", func() bool {
				return strings.Contains(m.read(), fmt.Sprintf("forward SIGUSR1 to process %d: operation not permitted", target))
			})
			m.block(t)
			for range 2 * maxMessages {
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
				got = s.line() // perhaps one of the others that was still to be forwarded
			}
			s.stdin.Close()
			if got := s.status(); got != 0 {
				t.Errorf("status %d", got)
			}
		})
	}
}
