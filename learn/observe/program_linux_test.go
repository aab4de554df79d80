package observe

import (
	"errors"
	"os"
	"path/filepath"
	"slices"
	"testing"

	"caprun/internal/test/requires"

	"golang.org/x/sys/unix"
)

func TestExecs(t *testing.T) {
	requireRecording(t)
	dir := newDir(t)
	shell := requires.Tool(t, "sh")
	file, err := filepath.EvalSymlinks(shell)
	if err != nil {
		t.Fatal(err)
	}
	for name, change := range map[string]func(path string) error{
		"plain":      func(string) error { return nil },
		"set-uid":    func(path string) error { return unix.Chmod(path, 0o4755) },
		"set-gid":    func(path string) error { return unix.Chmod(path, 0o2755) },
		"locking":    func(path string) error { return unix.Chmod(path, 0o2705) },
		"capability": setNetRaw,
	} {
		if err := change(copyProgram(t, file, filepath.Join(dir, name, "sh"))); err != nil {
			t.Fatal(err)
		}
	}
	setUID := filepath.Join(dir, "set-uid/sh")
	writeFile(t, filepath.Join(dir, "script"), "#! "+setUID+"\n:\n")
	writeFile(t, filepath.Join(dir, "outer"), "#!"+filepath.Join(dir, "script")+"\n")
	// The bits of a script have no effect.
	if err := os.Chmod(filepath.Join(dir, "script"), 0o4755); err != nil {
		t.Fatal(err)
	}
	want := []Exec{
		{Path: filepath.Join(dir, "plain/sh"), Privileged: No},
		{Path: setUID, Privileged: Yes},
		{Path: filepath.Join(dir, "set-gid/sh"), Privileged: Yes},
		{Path: filepath.Join(dir, "locking/sh"), Privileged: No},
		{Path: filepath.Join(dir, "capability/sh"), Privileged: Yes},
		{Path: filepath.Join(dir, "script"), Interpreter: setUID, Privileged: Yes},
		{Path: filepath.Join(dir, "outer"), Interpreter: setUID, Privileged: Yes},
	}
	script := ""
	for _, e := range want {
		script += e.Path + " -c :\n"
	}
	rec := recordTarget(t, Options{}, program(shell, "-c", script))
	var got []Exec
	for _, e := range rec.Execs {
		if e.Path != shell {
			e.PID, e.Time, e.Command = 0, 0, ""
			got = append(got, e)
		}
	}
	if !slices.Equal(got, want) {
		t.Errorf("executions %+v\nwant       %+v", got, want)
	}
}

// TestProgram: a path and its symbolic links are those of the process's root directory.
func TestProgram(t *testing.T) {
	requires.Root(t)
	dir := newDir(t)
	if err := os.Mkdir(filepath.Join(dir, "dir"), 0o755); err != nil {
		t.Fatal(err)
	}
	writeFile(t, filepath.Join(dir, "plain"), "plain")
	writeFile(t, filepath.Join(dir, "privileged"), "privileged")
	writeFile(t, filepath.Join(dir, "script"), "#!/link")
	writeFile(t, filepath.Join(dir, "dir/script"), "#!../plain\n")
	writeFile(t, filepath.Join(dir, "endless"), "#!/endless\n")
	writeFile(t, filepath.Join(dir, "missing"), "#!/none\n")
	err := errors.Join(
		unix.Chmod(filepath.Join(dir, "privileged"), 0o4755),
		os.Symlink("/privileged", filepath.Join(dir, "link")),
		os.Symlink("/../../../../privileged", filepath.Join(dir, "dir/link")),
		os.Symlink("/proc/self/exe", filepath.Join(dir, "exe")),
		unix.Mkfifo(filepath.Join(dir, "pipe"), 0o4755),
	)
	if err != nil {
		t.Fatal(err)
	}
	target := start(t, role("root", "ROOT="+dir).holding(t))
	target.resume(t)
	for _, want := range []programFile{
		{"/plain", "", No}, {"/link", "", Yes}, {"/script", "/link", Yes}, {"/dir/link", "", Yes},
		{"script", "../plain", No}, {"../plain", "", No}, {"./../privileged", "", Yes},
		{"/none", "", Unknown}, {"none", "", Unknown}, {"/dir", "", Unknown}, {"/pipe", "", Unknown},
		{"/endless", "/endless", Unknown}, {"/missing", "/none", Unknown}, {"/exe", "", Unknown},
		{"/proc/self/exe", "", No}, {"/dev/fd/3", "", No},
	} {
		if got := (live{}).program(target.pid(), want.path); got != want {
			t.Errorf("%+v, want %+v", got, want)
		}
	}
	target.wait(t)
}

// TestUnobserved executes a program with file capabilities as another user: the kernel
// ends the observation.
func TestUnobserved(t *testing.T) {
	requireRecording(t)
	file, err := filepath.EvalSymlinks(requires.Tool(t, "true"))
	if err != nil {
		t.Fatal(err)
	}
	path := copyProgram(t, file, filepath.Join(newDir(t), "true"))
	if err := setNetRaw(path); err != nil {
		t.Fatal(err)
	}
	rec := recordTarget(t, Options{}, role("drop", "EXECUTE="+path))
	if len(rec.Execs) != 2 {
		t.Fatalf("executions %+v, want 2", rec.Execs)
	}
	// The program may have ended before its file was read.
	if e := rec.Execs[1]; !e.Unobserved || e.Command != "true" || e.Privileged == No || e.Path != "" && e.Path != path {
		t.Errorf("%+v", e)
	}
}
