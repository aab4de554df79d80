// Package unread has files of each kind on which a write can block until another
// process reads.
package unread

import (
	"os"
	"path/filepath"
	"testing"

	"caprun/internal/test/terminal"

	"golang.org/x/sys/unix"
)

// File is a file that a program can write to, and that no process reads.
type File struct {
	Name     string
	*os.File               // the program's side
	Text     func() string // reads what has been written, without blocking
}

// Files returns a file of each kind that has a reader.
func Files(t *testing.T) []File {
	t.Helper()
	var list []File
	add := func(name string, write, read int) {
		end := os.NewFile(uintptr(write), name)
		t.Cleanup(func() { end.Close(); unix.Close(read) })
		list = append(list, File{name, end, func() string { return readNow(t, read) }})
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
	return append(list, File{"terminal", slave, screen.Text})
}

// readNow reads what is available from a descriptor.
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

// Block fills the file, so that a write blocks.
func (f File) Block(t *testing.T) {
	t.Helper()
	fd := int(f.Fd())
	if f.Name == "terminal" {
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
