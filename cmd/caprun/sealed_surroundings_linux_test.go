package main

import (
	"bytes"
	"fmt"
	"io"
	"os"
	"os/exec"
	"path/filepath"
	"slices"
	"strings"
	"sync"
	"testing"
	"time"

	"caprun/internal/test/requires"

	"golang.org/x/sys/unix"
)

// TestSealedStuckMessage gives launchers a standard error that nobody reads. They end soon,
// with the right status, also if the caller blocks or ignores every signal.
func TestSealedStuckMessage(t *testing.T) {
	requires.Root(t)
	s := newSealedRunner(t)
	_, launcher, err := s.seal("version: 1\nno_new_privs: true\n")
	if err != nil {
		t.Fatal(err)
	}
	text := filepath.Join(s.dir, "text")
	if err := os.WriteFile(text, nil, 0o644); err != nil {
		t.Fatal(err)
	}
	var every []string
	for n := 1; n < 32; n++ {
		if n != int(unix.SIGKILL) && n != int(unix.SIGSTOP) {
			every = append(every, fmt.Sprint(n))
		}
	}
	signals := map[string][]string{
		"": nil, ", signals blocked": {"block=" + strings.Join(every, ",")}, ", signals ignored": {"ignore=13,14,1,22"},
	}
	if !requires.IsHeavy() {
		signals = map[string][]string{"": nil}
	}
	targets := map[int][]string{125: nil, 126: {text}, 127: {"/no/such/program"}}
	// Each launcher waits, so all run at once.
	var wait sync.WaitGroup
	for name, open := range stuckFiles {
		for about, settings := range signals {
			for want, target := range targets {
				file, end := open(t, t.TempDir())
				cmd := exec.Command(filepath.Join(s.bin, "runas"), slices.Concat(settings, []string{"--", launcher, "--"}, target)...)
				cmd.Stderr = file
				wait.Go(func() {
					began := time.Now()
					killed := time.AfterFunc(hangs, func() { cmd.Process.Kill() })
					err := cmd.Start()
					if err == nil {
						_ = cmd.Wait()
					}
					killed.Stop()
					if got := cmd.ProcessState.ExitCode(); err != nil || got != want {
						t.Errorf("%s%s: status %d, want %d, after %v", name, about, got, want, time.Since(began))
					}
					end()
				})
			}
		}
	}
	wait.Wait()
}

// stuckFiles opens files that cannot be written to without waiting, or at all.
var stuckFiles = map[string]func(*testing.T, string) (*os.File, func()){
	"full pipe": func(t *testing.T, _ string) (*os.File, func()) {
		r, w, err := os.Pipe()
		if err != nil {
			t.Fatal(err)
		}
		fillWriter(t, w)
		return w, func() { r.Close(); w.Close() }
	},
	"pipe without reader": func(t *testing.T, _ string) (*os.File, func()) {
		r, w, err := os.Pipe()
		if err != nil {
			t.Fatal(err)
		}
		r.Close()
		return w, func() { w.Close() }
	},
	"full FIFO": func(t *testing.T, dir string) (*os.File, func()) {
		path := filepath.Join(dir, "stuck")
		if err := unix.Mkfifo(path, 0o600); err != nil {
			t.Fatal(err)
		}
		w, err := os.OpenFile(path, os.O_RDWR, 0)
		if err != nil {
			t.Fatal(err)
		}
		fillWriter(t, w)
		return w, func() { w.Close(); os.Remove(path) }
	},
	"full socket": func(t *testing.T, _ string) (*os.File, func()) {
		pair, err := unix.Socketpair(unix.AF_UNIX, unix.SOCK_STREAM|unix.SOCK_CLOEXEC, 0)
		if err != nil {
			t.Fatal(err)
		}
		w := os.NewFile(uintptr(pair[0]), "socket")
		fillWriter(t, w)
		return w, func() { w.Close(); unix.Close(pair[1]) }
	},
	"stopped terminal": func(t *testing.T, _ string) (*os.File, func()) {
		master, err := os.OpenFile("/dev/ptmx", os.O_RDWR|unix.O_NOCTTY, 0)
		if err != nil {
			requires.Skip(t, err.Error())
		}
		number, err := unix.IoctlGetInt(int(master.Fd()), unix.TIOCGPTN)
		if err == nil {
			err = unix.IoctlSetPointerInt(int(master.Fd()), unix.TIOCSPTLCK, 0)
		}
		if err != nil {
			t.Fatal(err)
		}
		w, err := os.OpenFile(fmt.Sprint("/dev/pts/", number), os.O_RDWR|unix.O_NOCTTY, 0)
		if err != nil {
			t.Fatal(err)
		}
		const suspendOutput = 0 // TCOOFF: tcflow(3)
		if err := unix.IoctlSetInt(int(w.Fd()), unix.TCXONC, suspendOutput); err != nil {
			t.Fatal(err)
		}
		return w, func() { w.Close(); master.Close() }
	},
}

// fillWriter writes until nothing more fits, and leaves the file blocking.
func fillWriter(t *testing.T, f *os.File) {
	t.Helper()
	fd := int(f.Fd())
	if err := unix.SetNonblock(fd, true); err != nil {
		t.Fatal(err)
	}
	for {
		if _, err := unix.Write(fd, make([]byte, 4096)); err == unix.EAGAIN {
			break
		} else if err != nil {
			t.Fatal(err)
		}
	}
	if err := unix.SetNonblock(fd, false); err != nil {
		t.Fatal(err)
	}
}

// TestSealedClosedDescriptors starts a target with each combination of the standard
// descriptors closed. It has no others than its caller, and the one that is kept.
func TestSealedClosedDescriptors(t *testing.T) {
	requires.Root(t)
	sh := requires.Tool(t, "sh")
	s := newSealedRunner(t)
	_, launcher, err := s.seal("version: 1\nuid: 3301\ngid: 3302\ncaps: cap_net_bind_service=eip\nkeep_fds: [9]\n")
	if err != nil {
		t.Fatal(err)
	}
	for closed := range 8 {
		args, want := []string{"fd=7:/"}, ""
		for fd := range 3 {
			if closed&(1<<fd) != 0 {
				args = append(args, fmt.Sprintf("close=%d", fd))
			} else {
				want += fmt.Sprint(fd)
			}
		}
		args = append(args, "--", launcher, "--", sh, "-c", "for n in 0 1 2 3 4 5 6 7 8; do [ -e /proc/self/fd/$n ] && printf $n >&9; done; exit 3")
		r, w, err := os.Pipe()
		if err != nil {
			t.Fatal(err)
		}
		cmd := exec.Command(filepath.Join(s.bin, "runas"), args...)
		cmd.ExtraFiles = []*os.File{nil, nil, nil, nil, nil, nil, w}
		err = cmd.Run()
		w.Close()
		got, _ := io.ReadAll(r)
		r.Close()
		if status := cmd.ProcessState.ExitCode(); status != 3 || string(got) != want {
			t.Errorf("closed %03b: status %d, %v, descriptors %q, want %q", closed, status, err, got, want)
		}
	}
}

// TestSealedLittleMemory finds the smallest limits of the address space and of the number
// of processes with which a launcher starts another one.
func TestSealedLittleMemory(t *testing.T) {
	requires.Root(t)
	s := newSealedRunner(t)
	// RLIMIT_NPROC counts all processes of a user: this one has no other.
	_, launcher, err := s.seal(fmt.Sprintf("version: 1\nuid: %d\ngid: 3302\ncaps: cap_net_bind_service=eip\n", 1_000_000_000+os.Getpid()))
	if err != nil {
		t.Fatal(err)
	}
	_, inner, err := s.seal("version: 1\nname: inner\n")
	if err != nil {
		t.Fatal(err)
	}
	const expected = "inner: start: no program to start\n"
	starts := func(setting string) bool {
		out, status := s.run("noenv", setting, "--", launcher, inner)
		return status == exitRefused && out.messages == expected
	}
	size := 4
	for ; size < 1024 && !starts(fmt.Sprintf("limit=9:%d:%d", size<<10, size<<10)); size += 4 {
	}
	t.Logf("RLIMIT_AS: %d KiB", size)
	if size > 256 {
		t.Errorf("a launcher needs %d KiB of address space", size)
	}
	// A user that already has more processes than the limit cannot execute a program.
	if !starts("nproc=1") {
		t.Error("a launcher needs more than one process")
	}
	if !starts("nofile=4") {
		t.Error("a launcher needs more than four descriptors")
	}
}

// TestSealedAlone starts a static program in a root directory that has only the launcher
// and the program.
func TestSealedAlone(t *testing.T) {
	requires.Root(t)
	s := newSealedRunner(t)
	_, launcher, err := s.seal("version: 1\nuid: 3301\ngid: 3302\ncaps: cap_net_bind_service=eip\nno_new_privs: true\nnew_session: true\n")
	if err != nil {
		t.Fatal(err)
	}
	out, status := s.run("mkdir=$DIR/alone", "copy="+launcher+":$DIR/alone/web", "copy=$BIN/creds:$DIR/alone/server",
		"chroot=$DIR/alone", "cwd=/", "--", "/web", "/server")
	for _, want := range []string{"uids: 3301 3301 3301 3301\n", "permitted: 400\n", "ambient: 400\n", "root: server web\n"} {
		if status != 0 || !strings.Contains(out.text, want) {
			t.Errorf("status %d, no %q: %s%s", status, want, out.text, out.messages)
		}
	}
}

// TestSealedSignals compares the signals that a target inherits from the caller.
func TestSealedSignals(t *testing.T) {
	requires.Root(t)
	grep := requires.Tool(t, "grep")
	s := newSealedRunner(t)
	for _, text := range []string{
		"version: 1\nuid: 3301\ngid: 3302\ncaps: '='\n",
		"version: 1\nuid: 3301\ngid: 3302\ncaps: '='\nnew_session: true\n",
	} {
		_, launcher, err := s.seal(text)
		if err != nil {
			t.Fatal(err)
		}
		for _, settings := range [][]string{nil, {"block=1,14,13"}, {"ignore=1,13,14"}, {"ignore=1,2,3,22", "block=1,2,14"}} {
			target := []string{grep, "^Sig[BI]", "/proc/self/status"}
			want, _ := s.run(append(append(settings, "--"), target...)...)
			got, status := s.run(append(append(settings, "--", launcher), target...)...)
			if status != 0 || got.text != want.text || want.text == "" {
				t.Errorf("%v: status %d, signals\n%s, want\n%s%s", settings, status, got.text, want.text, got.messages)
			}
		}
	}
}

// TestSealedManyVariables passes on the environment up to the limit of a launcher, and
// refuses more.
func TestSealedManyVariables(t *testing.T) {
	requires.Root(t)
	s := newSealedRunner(t)
	_, launcher, err := s.seal("version: 1\nno_new_privs: true\n")
	if err != nil {
		t.Fatal(err)
	}
	for count, want := range map[int]int{100: 0, 16000: 0, 16385: exitRefused, 40000: exitRefused} {
		cmd := exec.Command(launcher, filepath.Join(s.bin, "creds"))
		for n := range count {
			cmd.Env = append(cmd.Env, fmt.Sprintf("V%d=", n))
		}
		var stdout, stderr bytes.Buffer
		cmd.Stdout, cmd.Stderr = &stdout, &stderr
		began := time.Now()
		_ = cmd.Run()
		status := cmd.ProcessState.ExitCode()
		switch {
		case status != want:
			t.Errorf("%d variables: status %d, want %d: %s", count, status, want, stderr.String())
		case want == 0 && strings.Count(stdout.String(), "\nenv: V") != count:
			t.Errorf("%d variables: the target has %d", count, strings.Count(stdout.String(), "\nenv: V"))
		case want != 0 && !strings.Contains(stderr.String(), "argument list too long (E2BIG)"):
			t.Errorf("%d variables: message %q", count, stderr.String())
		}
		t.Logf("%d variables: status %d after %v", count, status, time.Since(began).Round(time.Millisecond))
	}
}
