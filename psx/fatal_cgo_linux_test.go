//go:build cgo

package psx

import (
	"bytes"
	"fmt"
	"io"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"syscall"
	"testing"
	"time"
	"unsafe"

	"caprun/internal/test/requires"
	"caprun/psx/internal/churn"
)

// fatalStatus runs this test in a child that ends because of causeFatal, and whose
// standard error is the given file. It returns the exit status of the child.
func fatalStatus(t *testing.T, stderr *os.File, change ...func(*exec.Cmd)) syscall.WaitStatus {
	t.Helper()
	cmd, output := start(t, nil, append(change, func(cmd *exec.Cmd) { cmd.Stderr = stderr })...)
	ended := make(chan error, 1)
	go func() { ended <- cmd.Wait() }()
	select {
	case <-ended:
	case <-time.After(20 * time.Second):
		cmd.Process.Kill()
		<-ended
		t.Errorf("the child has not ended\n%s", output)
	}
	if strings.Contains(output.String(), "--- SKIP") {
		requires.Skip(t, "seccomp: "+output.String())
	}
	if strings.Contains(output.String(), "returned") {
		t.Errorf("the call returned\n%s", output)
	}
	return cmd.ProcessState.Sys().(syscall.WaitStatus)
}

// causeFatal ends the child of fatalStatus: one of its threads gets another result.
func causeFatal(t *testing.T) {
	guest := must[churn.Guest](t)(churn.NewGuest())
	if err := guest.RefuseNames(); err != nil {
		fmt.Println("--- SKIP", err)
		os.Exit(2)
	}
	fmt.Println("returned", setName("after"))
	os.Exit(0)
}

// fill writes to the descriptor until poll(2) reports that it is not writable. A
// terminal consumes some of its input with a delay.
func fill(t *testing.T, fd int) {
	t.Helper()
	const pollout = 4
	event := struct {
		fd              int32
		events, revents int16
	}{int32(fd), pollout, 0}
	var limit syscall.Timespec
	limit.Nsec = 1e8
	for {
		check(t, syscall.SetNonblock(fd, true))
		for err := error(nil); err == nil; {
			_, err = syscall.Write(fd, bytes.Repeat([]byte{'x'}, 64))
		}
		check(t, syscall.SetNonblock(fd, false))
		n, _, errno := syscall.Syscall6(syscall.SYS_PPOLL, uintptr(unsafe.Pointer(&event)), 1, uintptr(unsafe.Pointer(&limit)), 0, 0, 0)
		if errno != 0 {
			t.Fatal(errno)
		}
		if n == 0 {
			return
		}
	}
}

func file(t *testing.T, fd int) *os.File {
	f := os.NewFile(uintptr(fd), "stderr")
	t.Cleanup(func() { f.Close() })
	return f
}

func pipe(t *testing.T) (reader, writer *os.File) {
	var fds [2]int
	check(t, syscall.Pipe2(fds[:], syscall.O_CLOEXEC))
	return file(t, fds[0]), file(t, fds[1])
}

func sockets(t *testing.T, kind int) (reader, writer *os.File) {
	fds := must[[2]int](t)(syscall.Socketpair(syscall.AF_UNIX, kind|syscall.SOCK_CLOEXEC, 0))
	return file(t, fds[0]), file(t, fds[1])
}

func terminal(t *testing.T) (reader, writer *os.File) {
	const noControl = syscall.O_RDWR | syscall.O_NOCTTY | syscall.O_CLOEXEC
	master, err := syscall.Open("/dev/ptmx", noControl, 0)
	if err != nil {
		requires.Skip(t, "pseudo terminals: "+err.Error())
	}
	reader = file(t, master)
	var number, unlock int32
	for request, argument := range map[uintptr]*int32{syscall.TIOCGPTN: &number, syscall.TIOCSPTLCK: &unlock} {
		if _, _, errno := syscall.Syscall(syscall.SYS_IOCTL, uintptr(master), request, uintptr(unsafe.Pointer(argument))); errno != 0 {
			t.Fatal(errno)
		}
	}
	slave := must[int](t)(syscall.Open(fmt.Sprintf("/dev/pts/%d", number), noControl, 0))
	return reader, file(t, slave)
}

// TestFatalDoesNotWaitForReader: the process ends although nothing reads its standard
// error.
func TestFatalDoesNotWaitForReader(t *testing.T) {
	if os.Getenv(ownProcessVariable) != "" {
		causeFatal(t)
	}
	full := map[string]func(t *testing.T) *os.File{
		"pipe": func(t *testing.T) *os.File { _, w := pipe(t); fill(t, int(w.Fd())); return w },
		"stream socket": func(t *testing.T) *os.File {
			_, w := sockets(t, syscall.SOCK_STREAM)
			fill(t, int(w.Fd()))
			return w
		},
		"datagram socket": func(t *testing.T) *os.File {
			_, w := sockets(t, syscall.SOCK_DGRAM)
			fill(t, int(w.Fd()))
			return w
		},
		"packet socket": func(t *testing.T) *os.File {
			_, w := sockets(t, syscall.SOCK_SEQPACKET)
			fill(t, int(w.Fd()))
			return w
		},
		"full terminal": func(t *testing.T) *os.File { _, w := terminal(t); fill(t, int(w.Fd())); return w },
		"stopped terminal": func(t *testing.T) *os.File {
			_, w := terminal(t)
			const tcxonc, tcooff = 0x540a, 0
			if _, _, errno := syscall.Syscall(syscall.SYS_IOCTL, w.Fd(), tcxonc, tcooff); errno != 0 {
				t.Skipf("this architecture has other numbers: %v", errno)
			}
			return w
		},
		"closed reader": func(t *testing.T) *os.File { r, w := pipe(t); r.Close(); return w },
	}
	for name, make := range full {
		t.Run(name, func(t *testing.T) {
			if status := fatalStatus(t, make(t)); status.ExitStatus() != 2 {
				t.Errorf("the child ended with %#x, want exit status 2", status)
			}
		})
	}

	// As if another writer filled the pipe between ppoll(2) and write(2).
	t.Run("race", func(t *testing.T) {
		strace := requires.Tool(t, "strace")
		_, w := pipe(t)
		fill(t, int(w.Fd()))
		status := fatalStatus(t, w, func(cmd *exec.Cmd) {
			cmd.Path = strace
			cmd.Args = append([]string{"strace", "-f", "-qq", "-o", "/dev/null", "-e", "trace=ppoll,pwritev2", "-e", "signal=none",
				"-e", "inject=pwritev2:error=EOPNOTSUPP", "-e", "inject=ppoll:retval=1",
				must[string](t)(os.Executable())}, cmd.Args[1:]...)
		})
		if status.Signal() != syscall.SIGKILL {
			t.Errorf("the child ended with %#x, want SIGKILL", status)
		}
	})
}

// TestFatalMessage: the message is written to every kind of file.
func TestFatalMessage(t *testing.T) {
	if os.Getenv(ownProcessVariable) != "" {
		causeFatal(t)
	}
	regular := func(t *testing.T, flags int) (reader, writer *os.File) {
		path := filepath.Join(t.TempDir(), "log")
		w := must[*os.File](t)(os.OpenFile(path, os.O_CREATE|os.O_WRONLY|flags, 0o600))
		t.Cleanup(func() { w.Close() })
		check(t, w.Truncate(0))
		must[int](t)(w.WriteString("before\n"))
		return must[*os.File](t)(os.Open(path)), w
	}
	open := map[string]func(t *testing.T) (reader, writer *os.File){
		"pipe":            pipe,
		"stream socket":   func(t *testing.T) (r, w *os.File) { return sockets(t, syscall.SOCK_STREAM) },
		"datagram socket": func(t *testing.T) (r, w *os.File) { return sockets(t, syscall.SOCK_DGRAM) },
		"terminal":        terminal,
		"file":            func(t *testing.T) (r, w *os.File) { return regular(t, 0) },
		"appended file":   func(t *testing.T) (r, w *os.File) { return regular(t, os.O_APPEND) },
	}
	for name, make := range open {
		t.Run(name, func(t *testing.T) {
			reader, writer := make(t)
			if status := fatalStatus(t, writer); status.ExitStatus() != 2 {
				t.Errorf("the child ended with %#x, want exit status 2", status)
			}
			text := new(strings.Builder)
			check(t, syscall.SetNonblock(int(reader.Fd()), true))
			io.Copy(text, nonblocking(reader.Fd()))
			if !strings.Contains(text.String(), "got a different result than the first thread") || !strings.HasSuffix(strings.TrimRight(text.String(), "\r\n"), "so the process ends.") {
				t.Errorf("the message is %q", text)
			}
			if strings.HasSuffix(name, "file") && !strings.HasPrefix(text.String(), "before\npsx: ") {
				t.Errorf("the file has been overwritten: %q", text)
			}
		})
	}
}

// nonblocking reads what is available. os.File would wait for more.
type nonblocking int

func (fd nonblocking) Read(b []byte) (int, error) {
	n, err := syscall.Read(int(fd), b)
	if n <= 0 || err != nil {
		return 0, io.EOF
	}
	return n, nil
}
