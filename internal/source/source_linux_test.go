package source

import (
	"errors"
	"io/fs"
	"os"
	"strings"
	"syscall"
	"testing"
)

// TestFileHint: a word that is the name of a profile has a hint, other missing files and
// other errors have none.
func TestFileHint(t *testing.T) {
	dir := t.TempDir() + "/"
	if err := os.WriteFile(dir+"app.yaml", nil, 0o644); err != nil {
		t.Fatal(err)
	}
	missing := &fs.PathError{Op: "open", Path: "x", Err: fs.ErrNotExist}
	for _, test := range []struct {
		arg  string
		err  error
		want string
	}{
		{"app", missing, "; write " + dir + "app.yaml"},
		{"web", missing, "; did you mean builtin:web?"},
		{"nothing", missing, ""},
		{"./web", missing, ""},
		{"web.yaml", missing, ""},
		{"", missing, ""},
		{"app", errors.New("permission denied"), ""},
	} {
		if got := fileHint(dir, test.arg, test.err); got != test.want {
			t.Errorf("%q, %v: %q, want %q", test.arg, test.err, got, test.want)
		}
	}
}

// TestMissingHint: a name without a profile in /etc/caprun, of a file in the working
// directory or of a built-in profile.
func TestMissingHint(t *testing.T) {
	t.Chdir(t.TempDir())
	for n, want := range []string{"; did you mean builtin:web?", "; for the file in the working directory, write ./web.yaml"} {
		if n > 0 {
			if err := os.WriteFile("web.yaml", nil, 0o644); err != nil {
				t.Fatal(err)
			}
		}
		if _, err := os.Stat(etc + "web.yaml"); err == nil {
			continue // this machine has the profile
		}
		src, err := Find("web", strings.NewReader(""))
		if err != nil {
			t.Fatal(err)
		}
		if _, err := src.Text(false); !errors.Is(err, fs.ErrNotExist) || !strings.HasSuffix(err.Error(), want) {
			t.Errorf("%v, want %q", err, want)
		}
	}
}

// TestLaunchedProfile: a built-in profile, and a file only where files are wanted. Standard
// input and a FIFO are not read.
func TestLaunchedProfile(t *testing.T) {
	dir := t.TempDir()
	file, fifo := dir+"/a.yaml", dir+"/fifo.yaml"
	if err := errors.Join(os.WriteFile(file, []byte("version: 1\n"), 0o644), syscall.Mkfifo(fifo, 0o644)); err != nil {
		t.Fatal(err)
	}
	for _, test := range []struct {
		name  string
		files bool
		want  bool
	}{
		{"builtin:web", false, true}, {"builtin:nothing", true, false}, {"-", true, false}, {"", true, false},
		{file, false, false}, {file, true, true}, {fifo, true, false}, {dir, true, false}, {dir + "/no.yaml", true, false},
	} {
		got, err := LaunchedProfile(test.files)(test.name)
		if examined := test.files || strings.HasPrefix(test.name, "builtin:"); (got != nil) != test.want || (err != nil) != (examined && test.name != "-" && !test.want) {
			t.Errorf("%s, %v: %q, %v", test.name, test.files, got, err)
		}
	}
}
