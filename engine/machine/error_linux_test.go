package machine

import (
	"errors"
	"os"
	"path/filepath"
	"testing"

	"caprun/policy"

	"golang.org/x/sys/unix"
)

// TestError checks that every error with a hint is an *Error that names its place in the
// profile and wraps its cause.
func TestError(t *testing.T) {
	dir := t.TempDir()
	script, writable := filepath.Join(dir, "script"), filepath.Join(dir, "writable")
	err := errors.Join(os.WriteFile(script, []byte("#!/no/such\n"), 0o755), os.WriteFile(writable, nil, 0o644), os.Chmod(writable, 0o666))
	if err != nil {
		t.Fatal(err)
	}
	none := filepath.Join(dir, "none")
	find := func(p policy.Profile, name string) error {
		_, err := FindProgram(&p, Identity{Resolved: true}, nil, []string{name}, []string{"PATH=/"})
		return err
	}
	read := func(pid int) error { _, err := ReadProcess(pid); return err }
	lookup := func(p policy.Profile) error { _, err := LookupAccounts(&p); return err }
	for _, c := range []struct {
		name                   string
		err                    error
		key                    string // empty for an error about no profile
		cause                  error  // nil for one that has no name
		notExecutable, missing bool
	}{
		{"a program that does not exist", find(policy.Profile{}, none), "", unix.ENOENT, true, true},
		{"an interpreter that does not exist", find(policy.Profile{}, script), "", unix.ENOENT, true, false},
		{"a directory on the way that is none", find(policy.Profile{}, script+"/x"), "", unix.ENOTDIR, true, true},
		{"not a regular file", find(policy.Profile{}, dir), "", errNotRegular, true, false},
		{"nothing in PATH", find(policy.Profile{}, "no-such-program"), "", nil, true, true},
		{"root directory", find(policy.Profile{Chroot: none}, "/x"), "chroot", unix.ENOENT, false, false},
		{"working directory", find(policy.Profile{Cwd: none}, "/x"), "cwd", unix.ENOENT, false, false},
		{"a process that does not exist", read(0), "", ErrNoProcess, false, false},
		{"a profile that others can write", func() error { _, err := ReadTrusted(writable, 1, true); return err }(), "", nil, false, false},
		{"a user without an entry", lookup(policy.Profile{User: "no-such-user"}), "user", nil, false, false},
		{"a group without an entry", lookup(policy.Profile{GID: &policy.Group{ID: 1}, Groups: []policy.Group{{Name: "no-such-group"}}}), "groups[0]", nil, false, false},
	} {
		var failed *Error
		if !errors.As(c.err, &failed) {
			t.Errorf("%s: %v", c.name, c.err)
			continue
		}
		if failed.Key != c.key || (failed.Profile != nil) != (c.key != "") || failed.NotExecutable != c.notExecutable || failed.Missing != c.missing {
			t.Errorf("%s: %+v", c.name, failed)
		}
		if c.cause != nil && !errors.Is(c.err, c.cause) {
			t.Errorf("%s: %v does not lead to %v", c.name, c.err, c.cause)
		}
		if failed.Hint == "" && c.cause != ErrNoProcess || failed.Hint != "" && c.err.Error() != failed.Message()+"; "+failed.Hint {
			t.Errorf("%s: the message is %v", c.name, c.err)
		}
	}
}

// TestWorkingDirectoryHint checks that the hint mentions a root directory only if the
// profile has one.
func TestWorkingDirectoryHint(t *testing.T) {
	dir := t.TempDir()
	for chroot, want := range map[string]string{
		"":  "create it, or correct cwd",
		"/": "create it, or correct cwd",
		dir: "create it inside the root directory, or correct cwd",
	} {
		err := CheckDirectories(&policy.Profile{Chroot: chroot, Cwd: filepath.Join(dir, "none")})
		var failed *Error
		if !errors.As(err, &failed) || failed.Hint != want {
			t.Errorf("chroot %q: %v, want the hint %q", chroot, err, want)
		}
	}
}
