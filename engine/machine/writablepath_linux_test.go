package machine

import (
	"errors"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"

	"caprun/internal/test/requires"
	"caprun/policy"

	"golang.org/x/sys/unix"
)

// reachableDir returns a temporary directory that every user can search.
func reachableDir(t *testing.T) string {
	t.Helper()
	dir := t.TempDir()
	if err := os.Chmod(filepath.Dir(dir), 0o711); err != nil {
		t.Fatal(err)
	}
	return dir
}

// TestWritablePaths gives the target's user write access to the program, its directory, or
// a directory above it.
func TestWritablePaths(t *testing.T) {
	requires.Root(t)
	base := reachableDir(t)
	above, dir := filepath.Join(base, "above"), filepath.Join(base, "above", "dir")
	file := filepath.Join(dir, "p")
	if err := errors.Join(os.MkdirAll(dir, 0o755), os.WriteFile(file, []byte("text"), 0o755)); err != nil {
		t.Fatal(err)
	}
	const uid, gid, group, other = 3301, 3302, 3303, 3304
	id := Identity{Declared: true, Resolved: true, UID: uid, GID: gid, Groups: []uint32{gid, group}}
	const user, grp = 0x02, 0x08
	for _, c := range []struct {
		name     string
		uid, gid int
		mode     uint32
		list     []byte // access control list
		fileToo  bool   // it has the same effect for a file
		reason   string // empty if the path is not writable
	}{
		{"safe", 0, 0, 0o755, nil, true, ""},
		{"its own", uid, 0, 0o755, nil, true, "belongs to uid 3301"},
		{"its own, without the right to write", uid, 0, 0o555, nil, true, "belongs to uid 3301"},
		{"its group", 0, gid, 0o775, nil, true, "writable by group 3302"},
		{"a group of it", 0, group, 0o775, nil, true, "writable by group 3303"},
		{"its group, which may not write", 0, gid, 0o755, nil, true, ""},
		{"its group, which may not write, and others may", 0, gid, 0o757, nil, true, ""},
		{"another group", 0, other, 0o775, nil, true, ""},
		{"another user", other, other, 0o775, nil, true, ""},
		{"everyone", 0, 0, 0o757, nil, true, "writable by everyone"},
		{"sticky", 0, 0, 0o1777, nil, false, ""},
		{"its own sticky directory", uid, 0, 0o1777, nil, false, "belongs to uid 3301"},
		{"named", 0, 0, 0o755, accessList(user, 7, uid), true, "access control list"},
		{"named group", 0, 0, 0o755, accessList(grp, 7, group), true, "access control list"},
		{"named to read", 0, 0, 0o755, accessList(user, 5, uid), true, ""},
		{"another one named", 0, 0, 0o755, accessList(user, 7, other), true, ""},
	} {
		for _, path := range []string{above, dir, file} {
			if path == file && !c.fileToo {
				continue
			}
			if err := errors.Join(unix.Chown(path, c.uid, c.gid), unix.Chmod(path, c.mode)); err != nil {
				t.Fatal(err)
			}
			if c.list != nil {
				if err := unix.Setxattr(path, "system.posix_acl_access", c.list, 0); err != nil {
					requires.Skip(t, "a file system with access control lists: "+err.Error())
				}
			}
			program, err := findProgram(&policy.Profile{}, id, []string{file}, nil)
			if err != nil {
				t.Fatal(err)
			}
			got := program.WritablePaths
			if c.reason == "" && len(got) > 0 ||
				c.reason != "" && !slices.ContainsFunc(got, func(e WritablePath) bool {
					return e.Path == path && strings.Contains(e.Reason, c.reason) && strings.HasSuffix(e.Hint, " "+path)
				}) || len(got) > 1 {
				t.Errorf("%s: %s: %+v", c.name, path, got)
			}
			if c.list != nil {
				if err := unix.Removexattr(path, "system.posix_acl_access"); err != nil {
					t.Fatal(err)
				}
			}
			if err := errors.Join(unix.Chown(path, 0, 0), unix.Chmod(path, 0o755)); err != nil {
				t.Fatal(err)
			}
		}
	}
}

// TestWritablePathsAround gives the user write access to other directories on the way: of
// links, in PATH, and the working directory.
func TestWritablePathsAround(t *testing.T) {
	requires.Root(t)
	const uid = 3301
	id := Identity{Declared: true, Resolved: true, UID: uid, GID: uid}
	base, err := filepath.EvalSymlinks(reachableDir(t))
	if err != nil {
		t.Fatal(err)
	}
	bin, own, sticky := filepath.Join(base, "bin"), filepath.Join(base, "own"), filepath.Join(base, "sticky")
	err = errors.Join(
		os.MkdirAll(bin, 0o755), os.MkdirAll(filepath.Join(own, "bin"), 0o755), os.MkdirAll(sticky, 0o755),
		os.WriteFile(filepath.Join(bin, "p"), []byte("text"), 0o755), os.WriteFile(filepath.Join(own, "bin", "p"), []byte("text"), 0o755),
		os.WriteFile(filepath.Join(base, "script"), []byte("#!bin/p\n"), 0o755),
		os.Chown(own, uid, uid), os.Chmod(sticky, 0o777|os.ModeSticky),
		os.Symlink("b", filepath.Join(sticky, "a")), os.Symlink("../bin/p", filepath.Join(sticky, "b")), os.Lchown(filepath.Join(sticky, "b"), uid, uid),
	)
	if err != nil {
		t.Fatal(err)
	}
	for _, c := range []struct {
		name    string
		cwd     string
		command string
		path    string // PATH
		want    string // the writable path; empty if there is none
	}{
		{"a safe one", base, "bin/p", "", ""},
		{"the working directory", own, "bin/p", "", own},
		{"above the working directory", filepath.Join(own, "bin"), "./p", "", own},
		{"the working directory of an interpreter", own, filepath.Join(base, "script"), "", own},
		{"no matter where an absolute command starts", own, filepath.Join(bin, "p"), "", ""},
		{"a place of PATH before the program's", "", "p", sticky + ":" + bin, sticky},
		{"a place that can be made", "", "p", filepath.Join(sticky, "none", "x") + ":" + bin, sticky},
		{"a place of PATH behind the program's", "", "p", bin + ":" + sticky, ""},
		{"a place of PATH that is safe", "", "p", base + ":" + bin, ""},
		{"a link to a link", "", filepath.Join(sticky, "a"), "", filepath.Join(sticky, "b")},
	} {
		program, err := findProgram(&policy.Profile{Cwd: c.cwd}, id, []string{c.command}, []string{"PATH=" + c.path})
		if err != nil {
			t.Errorf("%s: %v", c.name, err)
			continue
		}
		var got []string
		for _, e := range program.WritablePaths {
			got = append(got, e.Path)
		}
		if strings.Join(got, " ") != c.want {
			t.Errorf("%s: %q, want %q", c.name, got, c.want)
		}
	}
	list := func(dir string, user uint32) string {
		if err := errors.Join(os.Mkdir(dir, 0o755), os.Chmod(dir, 0o775|os.ModeSticky)); err != nil {
			t.Fatal(err)
		}
		if err := unix.Setxattr(dir, "system.posix_acl_access", accessList(2, 7, user), 0); err != nil {
			requires.Skip(t, "a file system with access control lists: "+err.Error())
		}
		return dir
	}
	listed, others := list(filepath.Join(base, "listed"), uid), list(filepath.Join(base, "others"), uid+1)
	listing, err := findProgram(&policy.Profile{}, id, []string{"p"}, []string{"PATH=" + others + ":" + listed + ":" + bin})
	if err != nil {
		t.Fatal(err)
	}
	if got := listing.WritablePaths; len(got) != 1 || got[0].Path != listed {
		t.Errorf("an access control list: %+v", got)
	}

	t.Chdir(own)
	program, err := findProgram(&policy.Profile{}, id, []string{"bin/p"}, nil)
	if err != nil {
		t.Fatal(err)
	}
	if got := program.WritablePaths; len(got) != 1 || got[0].Path != own {
		t.Errorf("the caller's working directory: %+v", got)
	}
}
