package machine

import (
	"errors"
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"syscall"
	"testing"

	"caprun/internal/test/requires"
	"caprun/internal/test/subject"
	"caprun/policy"

	"golang.org/x/sys/unix"
)

// TestForeignMount finds a set-user-ID program through the root directory of a process in
// another mount namespace.
func TestForeignMount(t *testing.T) {
	requires.Root(t)
	dir := jail(t, "prog")
	prog := filepath.Join(dir, "prog")
	if err := errors.Join(os.Chown(prog, 3305, 3302), unix.Chmod(prog, 0o4755)); err != nil {
		t.Fatal(err)
	}
	other := subject.Start(t, "", func(cmd *exec.Cmd) { cmd.SysProcAttr = &syscall.SysProcAttr{Cloneflags: syscall.CLONE_NEWNS} })
	there := fmt.Sprintf("/proc/%d/root", other.Process.Pid)
	for _, test := range []struct {
		name    string
		profile policy.Profile
		command string
		foreign bool
	}{
		{"this namespace", policy.Profile{}, prog, false},
		{"this namespace, cwd", policy.Profile{Cwd: dir}, "./prog", false},
		{"this namespace, chroot", policy.Profile{Chroot: dir}, "/prog", false},
		{"its own root", policy.Profile{}, "/proc/self/root" + prog, false},
		{"path", policy.Profile{}, there + prog, true},
		{"cwd", policy.Profile{Cwd: there + dir}, "./prog", true},
		{"cwd, the program in the root directory", policy.Profile{Cwd: there + dir}, prog, false},
		{"cwd, one up", policy.Profile{Cwd: there + dir}, "../" + filepath.Base(dir) + "/prog", true},
		{"chroot", policy.Profile{Chroot: there}, prog, true},
		{"chroot below", policy.Profile{Chroot: there + dir}, "/prog", true},
	} {
		got, err := findProgram(&test.profile, Identity{Resolved: true}, []string{test.command}, nil)
		if err != nil {
			t.Errorf("%s: %v", test.name, err)
			continue
		}
		if f := got.File; !f.Setuid || f.UID != 3305 || f.NoSuid != test.foreign || got.ForeignMount != test.foreign || got.Alternatives != nil {
			t.Errorf("%s: %+v, foreign mount %v, alternatives %v", test.name, f, got.ForeignMount, got.Alternatives)
		}
	}
}

// TestMountinfo looks mounts up in /proc, as on kernels without statmount(2).
func TestMountinfo(t *testing.T) {
	id := func(path string) uint64 {
		return mountID(func(mask int, st *unix.Statx_t) error { return unix.Statx(unix.AT_FDCWD, path, 0, mask, st) }, statxMountID)
	}
	if id("/") == 0 {
		requires.Skip(t, "mount ids: Linux 5.8")
	}
	if !inMountinfo(id("/proc")) {
		t.Error("/proc is not in mountinfo")
	}
	if inMountinfo(noMount) || inMountinfo(0) {
		t.Error("a mount that does not exist is in mountinfo")
	}
	requires.Root(t)
	other := subject.Start(t, "", func(cmd *exec.Cmd) { cmd.SysProcAttr = &syscall.SysProcAttr{Cloneflags: syscall.CLONE_NEWNS} })
	if there := id(fmt.Sprintf("/proc/%d/root", other.Process.Pid)); there == 0 || inMountinfo(there) {
		t.Errorf("the mount %d of another mount namespace is in mountinfo", there)
	}
}

// TestStatmount looks mounts up with statmount(2).
func TestStatmount(t *testing.T) {
	id := func(path string) uint64 {
		return mountID(func(mask int, st *unix.Statx_t) error { return unix.Statx(unix.AT_FDCWD, path, 0, mask, st) }, unix.STATX_MNT_ID_UNIQUE)
	}
	if statmount(noMount) != unix.ENOENT {
		requires.Skip(t, "statmount(2): Linux 6.8")
	}
	if got := askStatmount(id("/proc")); got != answerYes {
		t.Errorf("/proc: %v", got)
	}
	if got := askStatmount(noMount); got != answerNo {
		t.Errorf("a mount that does not exist: %v", got)
	}
	requires.Root(t)
	other := subject.Start(t, "", func(cmd *exec.Cmd) { cmd.SysProcAttr = &syscall.SysProcAttr{Cloneflags: syscall.CLONE_NEWNS} })
	if got := askStatmount(id(fmt.Sprintf("/proc/%d/root", other.Process.Pid))); got != answerNo {
		t.Errorf("a mount of another mount namespace: %v", got)
	}
}
