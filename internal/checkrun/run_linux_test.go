package checkrun

import (
	"bytes"
	"fmt"
	"io"
	"iter"
	"os"
	"os/signal"
	"path/filepath"
	"runtime"
	"strings"
	"syscall"
	"testing"
	"time"

	"caprun/engine"
	"caprun/engine/cred"
	"caprun/engine/review"
	"caprun/internal/render"
	"caprun/internal/source"
	"caprun/internal/test/terminal"
	"caprun/policy"
)

// checkTimeout is much longer than any run takes.
const checkTimeout = 5 * time.Minute

// manyProfiles writes profiles, and returns the directory. One profile in seven has a
// mistake, and each subdirectory has one that cannot be read.
func manyProfiles(t *testing.T, files int) string {
	t.Helper()
	dir := t.TempDir()
	for n := range files {
		text := fmt.Sprintf("version: 1\nname: p%d\ncaps: \"=\"\nno_new_privs: true\n", n)
		if n%7 == 0 {
			text = fmt.Sprintf("version: 1\nname: p%d\nno_new_privis: true\n", n)
		}
		sub := filepath.Join(dir, fmt.Sprintf("d%d", n*7919%13))
		if err := os.MkdirAll(sub, 0o755); err != nil {
			t.Fatal(err)
		}
		if err := os.WriteFile(filepath.Join(sub, fmt.Sprintf("%d.yaml", n*7919%files)), []byte(text), 0o644); err != nil {
			t.Fatal(err)
		}
	}
	for n := range 13 {
		if err := os.Symlink("nowhere", filepath.Join(dir, fmt.Sprintf("d%d", n), "5x.yaml")); err != nil {
			t.Fatal(err)
		}
	}
	return dir
}

// every counts each finding.
func every(review.Finding) bool { return true }

// check runs check with the arguments and the format oneline.
func check(t *testing.T, stdout io.Writer, args ...string) (result Result, stderr string) {
	t.Helper()
	var messages bytes.Buffer
	done := make(chan Result, 1)
	go func() {
		run := New(&render.Env{Stdin: os.Stdin, Stdout: stdout, Stderr: &messages}, review.Options{}, every)
		run.Add(args, "", nil)
		done <- run.Print(review.Oneline)
	}()
	select {
	case result = <-done:
	case <-time.After(checkTimeout):
		t.Fatal("check hangs")
	}
	return result, messages.String()
}

// goroutines returns the number of goroutines before a run. One of package os/signal
// never ends.
func goroutines() int {
	c := make(chan os.Signal, 1)
	signal.Notify(c, syscall.SIGPIPE)
	signal.Stop(c)
	return runtime.NumGoroutine()
}

// expectGoroutines fails if there are more goroutines after a run than before.
func expectGoroutines(t *testing.T, before int) {
	t.Helper()
	for range 3000 {
		if runtime.NumGoroutine() <= before {
			return
		}
		time.Sleep(10 * time.Millisecond)
	}
	t.Errorf("%d goroutines, %d before", runtime.NumGoroutine(), before)
}

// TestMany: the output for thousands of files is the same in every run, and the same as
// if they were checked one after the other.
func TestMany(t *testing.T) {
	dir := manyProfiles(t, 3000)
	before := goroutines()
	run := func() (string, string) {
		var out bytes.Buffer
		status, messages := check(t, &out, dir)
		if status != Failed {
			t.Errorf("the result is %d", status)
		}
		return out.String(), messages
	}
	var want, errs strings.Builder
	listed := New(&render.Env{Stdout: io.Discard, Stderr: io.Discard}, review.Options{}, every)
	listed.Add([]string{dir}, "", nil)
	for _, file := range listed.files {
		text, err := os.ReadFile(file.name)
		if err != nil {
			fmt.Fprintf(&errs, "caprun: %s: broken symbolic link to nowhere\n", file.name)
			continue
		}
		for _, f := range review.Check(file.name, text, review.Options{}).Findings {
			fmt.Fprintln(&want, f.String())
		}
	}
	if n := strings.Count(want.String(), "unknown-key"); n < 400 {
		t.Fatalf("only %d mistakes", n)
	}
	for range 3 {
		out, messages := run()
		if out != want.String() {
			t.Errorf("the output has %d bytes and differs from that of one file after the other, %d bytes", len(out), want.Len())
		}
		if messages != errs.String() {
			t.Errorf("got the messages\n%s\nwant\n%s", messages, errs.String())
		}
	}
	expectGoroutines(t, before)
}

// fullWriter accepts a number of bytes, then fails.
type fullWriter struct{ left int }

func (w *fullWriter) Write(p []byte) (int, error) {
	if w.left -= len(p); w.left < 0 {
		return 0, syscall.ENOSPC
	}
	return len(p), nil
}

// TestWriteError: a run ends when its output cannot be written.
func TestWriteError(t *testing.T) {
	dir := manyProfiles(t, 2000)
	before := goroutines()
	for _, left := range []int{0, 1, 5_000, 20_000} {
		status, messages := check(t, &fullWriter{left}, dir)
		if status != Failed || !strings.HasSuffix(messages, "caprun: standard output: no space left on device\n") {
			t.Errorf("after %d bytes: result %d, %s", left, status, messages)
		}
	}
	expectGoroutines(t, before)
}

// TestPanic: a panic while a file is checked becomes the error of that file.
func TestPanic(t *testing.T) {
	dir := manyProfiles(t, 100)
	before := goroutines()
	var out, messages bytes.Buffer
	run := New(&render.Env{Stdout: &out, Stderr: &messages}, review.Options{Host: func(p *policy.Profile) (*engine.Plan, []policy.Diagnostic) {
		if p.Name == "p33" {
			panic("a mistake")
		}
		return engine.Compile(p, cred.Root(), engine.OrdinaryTarget())
	}}, every)
	run.Add([]string{dir}, "", nil)
	if status := run.Print(review.Oneline); status != Failed {
		t.Errorf("the result is %d", status)
	}
	if n := strings.Count(messages.String(), "caprun panicked: a mistake; "); n != 1 {
		t.Errorf("%d messages: %s", n, messages.String())
	}
	if n := strings.Count(out.String(), "unknown-key"); n != 15 {
		t.Errorf("%d mistakes: %s", n, out.String())
	}
	expectGoroutines(t, before)
}

// TestFIFO: a FIFO below a directory is skipped, one that replaces a file or is an
// argument is refused, and an open pipe is read.
func TestFIFO(t *testing.T) {
	dir := t.TempDir()
	fifo := filepath.Join(dir, "x.yaml")
	if err := syscall.Mkfifo(fifo, 0o600); err != nil {
		t.Fatal(err)
	}
	const bad = "version: 1\nno_new_privis: true\n"
	if err := os.WriteFile(filepath.Join(dir, "y.yaml"), []byte(bad), 0o644); err != nil {
		t.Fatal(err)
	}
	var out bytes.Buffer
	if status, messages := check(t, &out, dir); status != Findings || messages != "" || strings.Count(out.String(), "\n") != 1 {
		t.Errorf("below a directory: result %d, %s%s", status, messages, out.String())
	}
	var r source.Reader
	if _, err := r.Read(fifo, fifo); err == nil || !strings.Contains(err.Error(), source.ErrNotRegular.Error()) {
		t.Errorf("instead of a file: %v", err)
	}
	if status, messages := check(t, io.Discard, fifo); status != Failed || messages != "caprun: "+fifo+": not a regular file\n" {
		t.Errorf("an argument: result %d, %s", status, messages)
	}
	pr, pw, err := os.Pipe()
	if err != nil {
		t.Fatal(err)
	}
	defer pr.Close()
	if _, err := io.WriteString(pw, bad); err != nil {
		t.Fatal(err)
	}
	pw.Close()
	pipe := fmt.Sprint("/dev/fd/", pr.Fd())
	out.Reset()
	status, messages := check(t, &out, pipe, pipe, dir)
	if status != Findings || messages != "" || !strings.HasPrefix(out.String(), pipe+":2:1: ") || strings.Count(out.String(), "\n") != 2 {
		t.Errorf("an open pipe: result %d, %s%s", status, messages, out.String())
	}
}

// TestProgress: on a terminal, a long run shows its progress and erases it at the end. If
// stdout is a pipe, it shows none.
func TestProgress(t *testing.T) {
	dir := t.TempDir()
	fast := filepath.Join(dir, "fast.yaml")
	if err := os.WriteFile(fast, []byte("version: 1\ncaps: \"=\"\nno_new_privs: true\n"), 0o644); err != nil {
		t.Fatal(err)
	}
	for name, c := range map[string]struct {
		stdout   func(slave *os.File) *os.File
		slow     bool
		progress bool
	}{
		"a fast run":         {func(slave *os.File) *os.File { return slave }, false, false},
		"the same terminal":  {func(slave *os.File) *os.File { return slave }, true, true},
		"a file":             {func(*os.File) *os.File { return newFile(t) }, true, true},
		"a pipe":             {func(*os.File) *os.File { return newPipe(t) }, true, false},
		"half a line before": {func(slave *os.File) *os.File { return slave }, true, false},
	} {
		t.Run(name, func(t *testing.T) {
			screen, slave := terminal.New(t)
			defer slave.Close()
			stdout := c.stdout(slave)
			files, began := 0, time.Now()
			run := New(&render.Env{Stdout: stdout, Stderr: slave}, review.Options{Host: func(p *policy.Profile) (*engine.Plan, []policy.Diagnostic) {
				if c.slow {
					time.Sleep(progressDelay / 50)
				}
				return engine.Compile(p, cred.Root(), engine.OrdinaryTarget())
			}}, every)
			for range 6 * ahead * runtime.GOMAXPROCS(0) {
				run.files = append(run.files, file{name: fast})
			}
			if name == "half a line before" {
				fmt.Fprint(run, "half")
			}
			run.Print(func(w io.Writer, reports iter.Seq[review.Report]) error {
				for range reports {
					if files++; files%ahead == 0 && name != "half a line before" {
						fmt.Fprintln(w, "a finding")
					}
				}
				fmt.Fprint(w, "the end")
				return nil
			})
			// On a slow machine, every run is long.
			progress := c.progress || !c.slow && time.Since(began) >= progressDelay
			if stdout != slave {
				fmt.Fprint(slave, "the end")
			}
			for begin := time.Now(); !screen.Shows("the end")(); time.Sleep(10 * time.Millisecond) {
				if time.Since(begin) > checkTimeout {
					t.Fatal("no output on the terminal")
				}
			}
			text := screen.Text()
			if has := strings.Contains(text, fmt.Sprintf(" of %d files\x1b[K", len(run.files))); has != progress && (c.slow || has != c.progress) {
				t.Errorf("progress: %v, want %v: %q", has, progress, text)
			}
			if !progress && strings.Contains(text, "\x1b") {
				t.Errorf("escapes: %q", text)
			}
			// Any output after a progress line erases it first.
			for n, line := range strings.Split(text, "\n") {
				if rest := line[strings.LastIndex(line, "\r\x1b[K")+1:]; strings.Contains(rest, " files") {
					t.Errorf("line %d keeps the progress: %q", n, line)
				}
			}
		})
	}
}

func newFile(t *testing.T) *os.File {
	f, err := os.Create(filepath.Join(t.TempDir(), "out"))
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { f.Close() })
	return f
}

// newPipe returns the write end of a pipe that a goroutine reads.
func newPipe(t *testing.T) *os.File {
	r, w, err := os.Pipe()
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { w.Close() })
	go func() {
		_, _ = io.Copy(io.Discard, r)
		r.Close()
	}()
	return w
}
