package checkrun

import (
	"bytes"
	"errors"
	"fmt"
	"io"
	"os"
	"path/filepath"
	"strings"
	"syscall"
	"testing"
	"time"

	"caprun/engine/review"
	"caprun/internal/render"
)

// TestReplacedByLink: a file that is replaced by a link after the search is not read,
// and neither is a file below a directory that is replaced.
func TestReplacedByLink(t *testing.T) {
	top := t.TempDir()
	const token, good = "hunter2", "version: 1\nno_new_privis: true\n"
	secret := filepath.Join(top, "secret")
	for name, text := range map[string]string{"secret/a.yaml": token, "d/a.yaml": good, "d/sub/a.yaml": good, "d/..data/b.yaml": good, "d/z.yaml": good} {
		path := filepath.Join(top, name)
		if err := errors.Join(os.MkdirAll(filepath.Dir(path), 0o755), os.WriteFile(path, []byte(text), 0o600)); err != nil {
			t.Fatal(err)
		}
	}
	dir, other := filepath.Join(top, "d"), filepath.Join(top, "other")
	if err := errors.Join(os.Symlink("..data/b.yaml", filepath.Join(dir, "b.yaml")), os.Symlink("d", other)); err != nil {
		t.Fatal(err)
	}
	t.Chdir(top)
	for _, arg := range []string{dir, "d", "d/", "./d/../d", other, "other"} {
		var out, messages bytes.Buffer
		env := &render.Env{Stdout: &out, Stderr: &messages}
		run := New(env, review.Options{}, every)
		run.Add([]string{arg}, "", nil)
		if status := run.Print(review.Oneline); status != Findings || strings.Count(out.String(), "unknown-key") != 4 {
			t.Errorf("%s: result %d\n%s%s", arg, status, out.String(), messages.String())
		}
		// Between the search and the reading.
		replace := func(name, to string) func() {
			path := filepath.Join(dir, name)
			if err := errors.Join(os.Rename(path, path+"-"), os.Symlink(to, path)); err != nil {
				t.Fatal(err)
			}
			return func() {
				if err := errors.Join(os.Remove(path), os.Rename(path+"-", path)); err != nil {
					t.Fatal(err)
				}
			}
		}
		files := run.files
		restore := []func(){replace("a.yaml", filepath.Join(secret, "a.yaml")), replace("..data", secret), replace("sub", secret)}
		out.Reset()
		run = New(env, review.Options{}, every)
		run.files = files
		status := run.Print(review.Oneline)
		if status != Failed || strings.Count(out.String(), "unknown-key") != 1 || strings.Contains(out.String(), "secret") || strings.Contains(out.String(), token) {
			t.Errorf("%s, replaced: result %d\n%s%s", arg, status, out.String(), messages.String())
		}
		if n := strings.Count(messages.String(), "replaced by a symbolic link"); n != 3 {
			t.Errorf("%s: %d messages: %s", arg, n, messages.String())
		}
		for _, f := range restore {
			f()
		}
	}
}

// TestParentOfLink: "link/.." is the directory above the destination of the link.
func TestParentOfLink(t *testing.T) {
	top := t.TempDir()
	for _, name := range []string{"d/sub/clean.yaml", "other/d/sub/x.yaml", "other/e/y"} {
		text := "version: 1\ncaps: \"=\"\nno_new_privs: true\n"
		if strings.HasPrefix(name, "other") {
			text = "version: 1\nno_new_privis: true\n"
		}
		path := filepath.Join(top, name)
		if err := errors.Join(os.MkdirAll(filepath.Dir(path), 0o755), os.WriteFile(path, []byte(text), 0o600)); err != nil {
			t.Fatal(err)
		}
	}
	if err := os.Symlink("other/e", filepath.Join(top, "link")); err != nil {
		t.Fatal(err)
	}
	t.Chdir(top)
	var out bytes.Buffer
	if status, messages := check(t, &out, "link/../d"); status != Findings || !strings.HasPrefix(out.String(), "other/d/sub/x.yaml:2:1: ") {
		t.Errorf("result %d, %s%s", status, out.String(), messages)
	}
}

// TestHostileDirectories checks directories with files that another user could create.
func TestHostileDirectories(t *testing.T) {
	dir := t.TempDir()
	deep := dir
	for range 400 { // below 4096 bytes, above which is ENAMETOOLONG
		deep = filepath.Join(deep, strings.Repeat("d", 8))
	}
	sock, err := syscall.Socket(syscall.AF_UNIX, syscall.SOCK_STREAM, 0)
	if err != nil {
		t.Fatal(err)
	}
	defer syscall.Close(sock)
	err = errors.Join(
		os.MkdirAll(deep, 0o755), os.MkdirAll(filepath.Join(dir, "x.yaml", "y.yaml"), 0o755),
		os.WriteFile(filepath.Join(deep, "a.yaml"), []byte("version: 1\ncaps: \"=\"\nno_new_privs: true\n"), 0o600),
		syscall.Mkfifo(filepath.Join(dir, "fifo.yaml"), 0o600), syscall.Bind(sock, &syscall.SockaddrUnix{Name: filepath.Join(dir, "s.yaml")}),
		os.Symlink(dir, filepath.Join(dir, "x.yaml", "loop")), os.Symlink(dir, filepath.Join(dir, "loop.yaml")), os.Symlink("fifo.yaml", filepath.Join(dir, "fifo2.yaml")),
	)
	if err != nil {
		t.Fatal(err)
	}
	if status, messages := check(t, io.Discard, dir); status != Clean || messages != "" {
		t.Errorf("result %d, %s", status, messages)
	}
	// A FIFO without a writer, by paths that resemble those of descriptors.
	for _, path := range []string{"/proc/self/root" + dir + "/fifo.yaml", "/dev/fd/../../.." + dir + "/fifo.yaml"} {
		if status, messages := check(t, io.Discard, path); status != Failed {
			t.Errorf("%s: result %d, %s", path, status, messages)
		}
	}
	if status, _ := check(t, io.Discard, "/proc/self/fdinfo"); status != Failed {
		t.Errorf("/proc/self/fdinfo: result %d", status)
	}
}

// TestChangingFiles checks files while they grow, shrink, disappear and are replaced.
func TestChangingFiles(t *testing.T) {
	dir := t.TempDir()
	stop := make(chan struct{})
	ended := make(chan struct{})
	go func() {
		defer close(ended)
		for n := 0; ; n++ {
			select {
			case <-stop:
				return
			default:
			}
			file := filepath.Join(dir, fmt.Sprint(n%20, ".yaml"))
			switch n % 7 {
			case 0, 1, 2:
				_ = os.WriteFile(file, bytes.Repeat([]byte("a: b\n"), n%20000), 0o600)
			case 3:
				_ = os.Remove(file)
			case 4:
				_ = syscall.Mkfifo(file, 0o600)
			case 5:
				_ = os.Mkdir(file, 0o700)
			case 6:
				_ = os.Symlink("/dev/zero", file)
			}
		}
	}()
	for begin := time.Now(); time.Since(begin) < 300*time.Millisecond; {
		if status, messages := check(t, io.Discard, dir); status == Clean || strings.Contains(messages, "panic") {
			t.Errorf("result %d: %s", status, messages)
		}
	}
	close(stop)
	<-ended
}
