package engine

import (
	"errors"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"

	"caprun/engine/cred"
	"caprun/internal/need"
	"caprun/policy"

	"golang.org/x/sys/unix"
)

// TestExposed gives a program, its directory, or a directory above it to the
// user whose rights they bring, in every way that there is.
func TestExposed(t *testing.T) {
	need.Root(t)
	base := t.TempDir()
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
		fileToo  bool   // it means the same for a file
		reason   string // empty for nothing
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
					need.Skip(t, "a file system with access control lists: "+err.Error())
				}
			}
			target, err := FindTarget(&policy.Profile{}, id, []string{file}, nil)
			if err != nil {
				t.Fatal(err)
			}
			plan := &Plan{Target: target, After: cred.Cred{Permitted: 1}}
			got := plan.Exposed()
			if c.reason == "" && len(got) > 0 ||
				c.reason != "" && !slices.ContainsFunc(got, func(e Exposure) bool {
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
