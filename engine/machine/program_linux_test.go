package machine

import (
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"caprun/engine/cred"
	"caprun/policy"

	"golang.org/x/sys/unix"
)

// jail creates a directory tree. Names with a trailing slash are directories, "a -> b" is a
// symbolic link, other names are programs.
func jail(t *testing.T, entries ...string) string {
	t.Helper()
	root := t.TempDir()
	for _, e := range entries {
		name, text, link := strings.Cut(e, " -> ")
		path := filepath.Join(root, name)
		if err := os.MkdirAll(filepath.Dir(path), 0o755); err != nil {
			t.Fatal(err)
		}
		var err error
		switch {
		case link:
			err = os.Symlink(text, path)
		case strings.HasSuffix(name, "/"):
			err = os.MkdirAll(path, 0o755)
		default:
			name, text, _ = strings.Cut(e, " = ")
			err = os.WriteFile(filepath.Join(root, name), []byte(text), 0o755)
		}
		if err != nil {
			t.Fatal(err)
		}
	}
	return root
}

// TestFindProgram resolves paths inside a root directory.
func TestFindProgram(t *testing.T) {
	root := jail(t, "bin/prog", "work/here", "abs -> /bin/prog", "up -> ../../../../bin/prog", "dir -> /bin", "loop -> loop",
		"bin/link -> prog", "deep/a/b -> ../../bin", "dangling -> /etc/passwd", "bin/script = #!/bin/prog\n", "bin/lost = #!/bin/none\n",
		"bin/sh2 = #!/bin/script\n", "bin/self = #!/bin/self\n", "bin/crlf = #!/bin/prog\r\n", "notdir", "fifo.d/", "plain = x")
	if err := os.Chmod(filepath.Join(root, "plain"), 0o644); err != nil {
		t.Fatal(err)
	}
	if err := unix.Mkfifo(filepath.Join(root, "fifo"), 0o777); err != nil {
		t.Fatal(err)
	}
	p := &policy.Profile{Chroot: root}
	id := Identity{Resolved: true, UID: 0}
	env := []string{"PATH=/none:/bin"}
	for command, want := range map[string]string{
		"/bin/prog": "/bin/prog", "/abs": "/abs", "/up": "/up", "/dir/prog": "/dir/prog", "/bin/link": "/bin/link", "/deep/a/b/prog": "/deep/a/b/prog",
		"bin/prog": "bin/prog", "./bin/../bin//prog": "./bin/../bin//prog", "/../../bin/prog": "/../../bin/prog",
		"prog": "/bin/prog", "script": "/bin/script", "/bin/sh2": "/bin/sh2",
	} {
		got, err := findProgram(p, id, []string{command}, env)
		if err != nil || got.Path != want {
			t.Errorf("%s: %s, %v", command, got.Path, err)
		}
		if err == nil && got.File.UID != uint32(os.Getuid()) {
			t.Errorf("%s: read the wrong file: %+v", command, got.File)
		}
	}
	for command, want := range map[string]struct {
		says    string
		missing bool
	}{
		"/dangling":                         {"no such file", true},
		"/etc/passwd":                       {"no such file", true},
		"/notdir/x":                         {"not a directory", true},
		"/bin/prog/":                        {"not a directory", true},
		"/loop":                             {"too many levels", false},
		"/bin":                              {"not a regular file", false},
		"/fifo":                             {"not a regular file", false},
		"/plain":                            {"may not execute", false},
		"/bin/lost":                         {"interpreter /bin/none: no such file", false},
		"/bin/crlf":                         {"interpreter /bin/prog\r: no such file", false},
		"/bin/self":                         {"more than five nested interpreters", false},
		"none":                              {"not found in PATH", true},
		"/" + strings.Repeat("x/", maxPath): {"too long", false},
	} {
		_, err := findProgram(p, id, []string{command}, env)
		var failed *Error
		if !errors.As(err, &failed) || !strings.Contains(failed.Message(), want.says) || !failed.NotExecutable || failed.Missing != want.missing || failed.Hint == "" {
			t.Errorf("%.40q: %+v", command, err)
		}
	}
	for path, says := range map[string]string{"": `entry ""`, "/bin:": `entry ""`, ".:/bin": `entry "."`} {
		if _, err := findProgram(p, id, []string{"none"}, []string{"PATH=" + path}); err == nil || !strings.Contains(err.Error(), says) {
			t.Errorf("PATH=%s: %v", path, err)
		}
	}
	if _, err := findProgram(p, id, []string{"prog"}, nil); err == nil || !strings.Contains(err.Error(), "PATH is not set") {
		t.Errorf("no PATH: %v", err)
	}
	p.Cwd = "/work"
	if got, err := findProgram(p, id, []string{"./here"}, env); err != nil || got.Path != "./here" {
		t.Errorf("from cwd: %+v, %v", got, err)
	}
	p.Cwd = "/notdir"
	var dir *Error
	if _, err := findProgram(p, id, []string{"./here"}, env); !errors.As(err, &dir) || dir.Profile != p || dir.Key != "cwd" || !strings.Contains(err.Error(), "not a directory") {
		t.Errorf("cwd that is a file: %v", err)
	}
	p.Chroot = root + "/none"
	if _, err := findProgram(p, id, []string{"./here"}, env); !errors.As(err, &dir) || dir.Profile != p || dir.Key != "chroot" || !strings.Contains(err.Error(), "no such file") {
		t.Errorf("no root directory: %v", err)
	}
}

// findProgram is FindProgram for a process with this identity and no capability.
func findProgram(p *policy.Profile, id Identity, argv, env []string) (Program, error) {
	var as *Accessor
	if id.Resolved {
		as = &Accessor{cred.Cred{FSUID: id.UID, FSGID: id.GID, Groups: id.Groups}, id.Name()}
	}
	return FindProgram(p, id, as, argv, env)
}

// TestFindProgramByProcLink finds a program through a link of the proc file system, which
// the kernel follows although its text is not a path.
func TestFindProgramByProcLink(t *testing.T) {
	root := jail(t, "prog", "dir/other")
	open := func(name string) string {
		f, err := os.Open(filepath.Join(root, name))
		if err != nil {
			t.Fatal(err)
		}
		t.Cleanup(func() { f.Close() })
		return fmt.Sprintf("/proc/self/fd/%d", f.Fd())
	}
	prog, dir := open("prog"), open("dir")
	own := Identity{Resolved: true, UID: uint32(os.Getuid()), GID: uint32(os.Getgid())}
	if err := os.Rename(root, root+" moved"); err != nil {
		t.Fatal(err)
	}
	if err := os.Remove(filepath.Join(root+" moved", "prog")); err != nil {
		t.Fatal(err)
	}
	for command, says := range map[string]string{prog: "", dir + "/other": "", dir: "not a regular file", prog + "/x": "not a directory", dir + "/none": "no such file"} {
		_, err := findProgram(&policy.Profile{}, own, []string{command}, nil)
		if says == "" && err != nil || says != "" && (err == nil || !strings.Contains(err.Error(), says)) {
			t.Errorf("%s: %v, want %q", command, err, says)
		}
	}
}

// TestReplacedWhileRead replaces a program between the walk that finds it and the read.
func TestReplacedWhileRead(t *testing.T) {
	root := jail(t, "prog", "other")
	r, err := openRoot(&policy.Profile{Chroot: root})
	if err != nil {
		t.Fatal(err)
	}
	defer r.close()
	f, err := r.walk("/prog")
	if err != nil {
		t.Fatal(err)
	}
	defer f.close()
	if _, err := r.readProgram("program", &f); err != nil {
		t.Fatal(err)
	}
	if err := os.Rename(filepath.Join(root, "other"), filepath.Join(root, "prog")); err != nil {
		t.Fatal(err)
	}
	if _, err := r.readProgram("program", &f); !errors.Is(err, errReplaced) || !strings.Contains(readHint(err), "who can write the file") {
		t.Errorf("a program replaced while it was read: %v; %s", err, readHint(err))
	}
}

func TestDecodeFileCaps(t *testing.T) {
	v2 := []byte{1, 0, 0, 2, 0, 0x20, 0, 0, 1, 0, 0, 0, 1, 0, 0, 0, 0, 0, 0, 0}
	v3 := append(append([]byte{}, v2...), 0, 0, 0, 0)
	v3[3] = 3
	foreign := append([]byte{}, v3...)
	foreign[20] = 5
	full := cred.File{HasCaps: true, Effective: true, Permitted: 1<<13 | 1<<32, Inheritable: 1}
	for name, c := range map[string]struct {
		data []byte
		want cred.File
		ok   bool
	}{
		"version 1":  {[]byte{0, 0, 0, 1, 0, 0x20, 0, 0, 0, 0, 0, 0}, cred.File{HasCaps: true, Permitted: 1 << 13}, true},
		"version 2":  {v2, full, true},
		"version 3":  {v3, full, true},
		"foreign":    {foreign, cred.File{}, true},
		"empty":      {nil, cred.File{}, false},
		"short":      {v2[:19], cred.File{}, false},
		"version 9":  {append([]byte{0, 0, 0, 9}, v2[4:]...), cred.File{}, false},
		"v2 as long": {append(append([]byte{}, v2...), 0, 0, 0, 0), cred.File{}, false},
	} {
		var got cred.File
		if err := decodeFileCaps(c.data, &got); (err == nil) != c.ok || got != c.want {
			t.Errorf("%s: %+v, %v", name, got, err)
		}
	}
}

// TestSearchPath checks which entries of PATH the search passes over, as execvp(3) does,
// and which end it.
func TestSearchPath(t *testing.T) {
	root := jail(t, "closed/prog", "open/prog", "text/prog = x", "dir/prog/", "lost/prog = #!/no/such\n", "bare/prog = #!\n", "loop/prog -> prog",
		"shut/x", "link/prog -> ../shut/x", "script/prog = #!/shut/x\n")
	for name, mode := range map[string]os.FileMode{"closed": 0o700, "shut": 0o700, "text/prog": 0o644} {
		if err := os.Chmod(filepath.Join(root, name), mode); err != nil {
			t.Fatal(err)
		}
	}
	p := &policy.Profile{Chroot: root}
	as := func(uid uint32, caps ...int) *Accessor {
		return &Accessor{cred.Cred{FSUID: uid, FSGID: uid, Effective: cred.CapsOf(caps...)}, "the process"}
	}
	own, other := uint32(os.Getuid()), uint32(os.Getuid())+1
	for _, c := range []struct {
		path   string
		as     *Accessor
		found  string
		passed string
		says   string
	}{
		{path: "/closed:/open", as: as(other), found: "/open/prog", passed: "/closed/prog"},
		{path: "/closed:/open", as: as(own), found: "/closed/prog"},
		{path: "/closed:/open", as: as(other, cred.DAC_READ_SEARCH), found: "/closed/prog"},
		{path: "/closed:/open", as: as(other, cred.DAC_OVERRIDE), found: "/closed/prog"},
		{path: "/text:/open", as: as(other, cred.DAC_OVERRIDE), found: "/open/prog", passed: "/text/prog"},
		{path: "/none:/text/prog:/dir:/open", as: as(other), found: "/open/prog", passed: "/none/prog /text/prog/prog /dir/prog"},
		{path: "/lost:/link:/script:/open", as: as(other), found: "/open/prog", passed: "/no/such /link/prog /shut/x"},
		{path: "/bare:/open", as: as(other), says: "names no interpreter"},
		{path: "/loop:/open", as: as(other), says: "too many levels"},
		{path: "/none:/closed:/none", as: as(other), says: "/closed/prog: the process may not search"},
		{path: "/none:/shut", as: as(other), says: "prog: not found in PATH=/none:/shut, and the process may not search "},
		{path: "/shut:/closed", as: as(other), says: "/closed/prog: the process may not search"},
		{path: "/shut:/lost", as: as(other), says: "/lost/prog: its interpreter"},
		{path: "/none:/lost", as: as(other), says: "/lost/prog: its interpreter"},
		{path: "/none", as: as(other), says: "not found in PATH"},
	} {
		target, err := FindProgram(p, Identity{Resolved: true}, c.as, []string{"prog"}, []string{"PATH=" + c.path})
		switch {
		case c.says != "":
			if err == nil || !strings.Contains(err.Error(), c.says) {
				t.Errorf("%s: %v, want %q", c.path, err, c.says)
			}
		case err != nil || target.Path != c.found || strings.Join(target.passed, " ") != c.passed:
			t.Errorf("%s: found %q, passed over %q, %v; want %q and %q", c.path, target.Path, target.passed, err, c.found, c.passed)
		}
	}
}

// TestCheckSearch checks that a launch is refused if the target may execute a file that the
// search passed over.
func TestCheckSearch(t *testing.T) {
	root := jail(t, "prog", "text = x", "dir/", "loop -> loop")
	if err := os.Chmod(filepath.Join(root, "text"), 0o644); err != nil {
		t.Fatal(err)
	}
	for name, says := range map[string]string{
		"none": "", "text/below": "", "text": "", "dir": "",
		"prog": "before /found in PATH, and the target may execute it", "loop": "too many levels",
	} {
		p := Program{Path: "/found", passed: []string{filepath.Join(root, name)}}
		_, err := p.CheckSearch()
		if says == "" && err != nil || says != "" && (err == nil || !strings.Contains(err.Error(), says)) {
			t.Errorf("%s: %v, want %q", name, err, says)
		}
	}
}
