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
	"caprun/engine/machine"
	"caprun/engine/review"
	"caprun/internal/render"
	"caprun/internal/test/terminal"
	"caprun/policy"
)

// checkTimeout is far more than any of the runs takes.
const checkTimeout = 5 * time.Minute

// manyProfiles writes profiles, one in seven with a mistake and one that
// cannot be read in each directory, and returns the directory.
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

// check checks what arguments name, and prints a line for each finding.
func check(t *testing.T, stdout io.Writer, args ...string) (result Result, stderr string) {
	t.Helper()
	var messages bytes.Buffer
	done := make(chan Result, 1)
	go func() {
		run := New(&render.Env{Stdin: os.Stdin, Stdout: stdout, Stderr: &messages}, review.Options{}, every)
		run.Add(args, "")
		done <- run.Print(review.Oneline)
	}()
	select {
	case result = <-done:
	case <-time.After(checkTimeout):
		t.Fatal("check hangs")
	}
	return result, messages.String()
}

// goroutines counts those that are there before a run. Package os/signal keeps
// one for ever.
func goroutines() int {
	c := make(chan os.Signal, 1)
	signal.Notify(c, syscall.SIGPIPE)
	signal.Stop(c)
	return runtime.NumGoroutine()
}

// noneLeft fails if goroutines of check are left after a run that began when
// there were so many.
func noneLeft(t *testing.T, before int) {
	t.Helper()
	for range 3000 {
		if runtime.NumGoroutine() <= before {
			return
		}
		time.Sleep(10 * time.Millisecond)
	}
	t.Errorf("%d goroutines, %d before", runtime.NumGoroutine(), before)
}

// TestMany: thousands of files give the same output in every run, and
// the same as one after the other.
func TestMany(t *testing.T) {
	dir := manyProfiles(t, 3000)
	before := goroutines()
	run := func() (string, string) {
		var out bytes.Buffer
		status, messages := check(t, &out, dir)
		if status != Trouble {
			t.Errorf("the result is %d", status)
		}
		return out.String(), messages
	}
	var want, troubles strings.Builder
	listed := New(&render.Env{Stdout: io.Discard, Stderr: io.Discard}, review.Options{}, every)
	listed.Add([]string{dir}, "")
	for _, file := range listed.files {
		text, err := os.ReadFile(file.name)
		if err != nil {
			fmt.Fprintf(&troubles, "caprun: %s: %v\n", file.name, syscall.ENOENT)
			continue
		}
		for _, f := range review.Check(file.name, text, review.Options{}).Findings {
			fmt.Fprintln(&want, f.String())
		}
	}
	if n := strings.Count(want.String(), "unknown-key"); n < 400 {
		t.Fatalf("%d mistakes only", n)
	}
	for range 3 {
		out, messages := run()
		if out != want.String() {
			t.Errorf("the output is not that of one file after the other: %d bytes, %d", len(out), want.Len())
		}
		if messages != troubles.String() {
			t.Errorf("got the messages\n%s\nwant\n%s", messages, troubles.String())
		}
	}
	noneLeft(t, before)
}

// fullWriter takes so many bytes.
type fullWriter struct{ left int }

func (w *fullWriter) Write(p []byte) (int, error) {
	if w.left -= len(p); w.left < 0 {
		return 0, syscall.ENOSPC
	}
	return len(p), nil
}

// TestWriteError: an output that ends ends the run, wherever it is.
func TestWriteError(t *testing.T) {
	dir := manyProfiles(t, 2000)
	before := goroutines()
	for _, left := range []int{0, 1, 5_000, 20_000} {
		status, messages := check(t, &fullWriter{left}, dir)
		if status != Trouble || !strings.HasSuffix(messages, "caprun: standard output: no space left on device\n") {
			t.Errorf("after %d bytes: result %d, %s", left, status, messages)
		}
	}
	noneLeft(t, before)
}

// TestPanic: a panic while one file is checked is trouble with that file.
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
	run.Add([]string{dir}, "")
	if status := run.Print(review.Oneline); status != Trouble {
		t.Errorf("the result is %d", status)
	}
	if n := strings.Count(messages.String(), "caprun panicked: a mistake; "); n != 1 {
		t.Errorf("%d messages: %s", n, messages.String())
	}
	if n := strings.Count(out.String(), "unknown-key"); n != 15 {
		t.Errorf("%d mistakes: %s", n, out.String())
	}
	noneLeft(t, before)
}

// TestFIFO: a FIFO below a directory is left out, one that takes the
// place of a file or is an argument is refused, and an open pipe is read.
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
	var r fileReader
	if _, err := r.read(fifo); err == nil || !strings.Contains(err.Error(), errNotRegular.Error()) {
		t.Errorf("in the place of a file: %v", err)
	}
	if status, messages := check(t, io.Discard, fifo); status != Trouble || messages != "caprun: "+fifo+": not a regular file\n" {
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

// TestFileReader: the text of a file, and one byte too many of a large
// one, the same as what a launch reads.
func TestFileReader(t *testing.T) {
	file := filepath.Join(t.TempDir(), "x.yaml")
	var r fileReader
	for _, size := range []int{0, 1, 600, policy.MaxSize, policy.MaxSize + 1, 3 * policy.MaxSize} {
		if err := os.WriteFile(file, bytes.Repeat([]byte("x"), size), 0o644); err != nil {
			t.Fatal(err)
		}
		text, err := r.read(file)
		want, wantErr := machine.ReadTrusted(file, policy.MaxSize+1, false)
		if !bytes.Equal(text, want) || err != nil || wantErr != nil {
			t.Errorf("%d bytes: %d, %v; %d, %v", size, len(text), err, len(want), wantErr)
		}
	}
}

// TestProgress: on a terminal, a long run says how far it is, and leaves
// nothing behind. Where the output is no terminal, it is the same as ever.
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
			// A machine that is slow enough sees the progress of every run.
			progress := c.progress || !c.slow && time.Since(began) >= progressDelay
			if stdout != slave {
				fmt.Fprint(slave, "the end")
			}
			for begin := time.Now(); !screen.Shows("the end")(); time.Sleep(10 * time.Millisecond) {
				if time.Since(begin) > checkTimeout {
					t.Fatal("the terminal shows nothing")
				}
			}
			text := screen.Text()
			if has := strings.Contains(text, fmt.Sprintf(" of %d files\x1b[K", len(run.files))); has != progress && (c.slow || has != c.progress) {
				t.Errorf("progress: %v, want %v: %q", has, progress, text)
			}
			if !progress && strings.Contains(text, "\x1b") {
				t.Errorf("escapes: %q", text)
			}
			// Whatever follows a line of progress erases it first.
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

// newPipe returns the end to write of a pipe that somebody reads.
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
