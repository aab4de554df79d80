//go:build linux && (amd64 || arm64)

package cred_test

import (
	"debug/elf"
	"encoding/binary"
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"syscall"
	"testing"

	"caprun/engine/cred"
	"caprun/internal/test/requires"

	"golang.org/x/sys/unix"
)

// setAttributes sets the attributes of the file at path to the facts f. The owner comes
// first, because a change of owner clears set-id bits and capabilities.
func setAttributes(path string, f cred.File) error {
	if err := unix.Chown(path, int(f.UID), int(f.GID)); err != nil {
		return fmt.Errorf("chown %d:%d: %w", f.UID, f.GID, err)
	}
	mode := uint32(0o705)
	if f.Setuid {
		mode |= unix.S_ISUID
	}
	if f.Setgid {
		mode |= unix.S_ISGID
	}
	if f.GroupExec {
		mode |= 0o050
	}
	if err := unix.Chmod(path, mode); err != nil {
		return fmt.Errorf("chmod %o: %w", mode, err)
	}
	if f.HasCaps {
		return setFileCaps(path, f, nil)
	}
	return nil
}

// setFileCaps writes the attribute security.capability, in version 3 if rootID is given.
func setFileCaps(path string, f cred.File, rootID *uint32) error {
	var magic uint32 = 0x02000000
	if rootID != nil {
		magic = 0x03000000
	}
	if f.Effective {
		magic |= 1
	}
	words := []uint32{
		magic,
		uint32(f.Permitted), uint32(f.Inheritable),
		uint32(f.Permitted >> 32), uint32(f.Inheritable >> 32),
	}
	if rootID != nil {
		words = append(words, *rootID)
	}
	var data []byte
	for _, w := range words {
		data = binary.LittleEndian.AppendUint32(data, w)
	}
	if err := unix.Setxattr(path, "security.capability", data, 0); err != nil {
		return fmt.Errorf("set capabilities of %s: %w", path, err)
	}
	return nil
}

// remountNoSuid mounts the working directory over itself with nosuid.
func remountNoSuid() error {
	dir, err := os.Getwd()
	if err != nil {
		return err
	}
	if err := unix.Mount("", "/", "", unix.MS_REC|unix.MS_PRIVATE, ""); err != nil {
		return fmt.Errorf("make mounts private: %w", err)
	}
	if err := unix.Mount(dir, dir, "", unix.MS_BIND, ""); err != nil {
		return fmt.Errorf("bind: %w", err)
	}
	if err := unix.Mount("", dir, "", unix.MS_REMOUNT|unix.MS_BIND|unix.MS_NOSUID, ""); err != nil {
		return fmt.Errorf("remount nosuid: %w", err)
	}
	return os.Chdir(dir)
}

// makeHelper returns a new directory below base with a copy of the test binary, owned by
// owner.
func makeHelper(t *testing.T, base, binary string, owner int) string {
	dir, err := os.MkdirTemp(base, "")
	if err != nil {
		t.Fatal(err)
	}
	chmod(t, dir, 0o755)
	helper := filepath.Join(dir, "helper")
	copyFile(t, binary, helper)
	if owner != os.Getuid() {
		if err := os.Chown(helper, owner, owner); err != nil {
			t.Fatal(err)
		}
	}
	return dir
}

// hostCaps are the capabilities of the fixed files that have some.
var hostCaps = cred.File{
	HasCaps: true, Effective: true,
	Permitted: 1<<cred.CHOWN | 1<<netRaw, Inheritable: 1<<cred.SETUID | 1<<sysPtrace,
}

// makeFixed creates files in base that belong to root of the initial user namespace: one
// with capabilities, one with set-id bits, and one with capabilities for a namespace that
// does not exist.
func makeFixed(t *testing.T, base, binary string) error {
	path := func(name string) string {
		path := filepath.Join(base, name)
		copyFile(t, binary, path)
		return path
	}
	chmod(t, path("host-setid"), 0o755|os.ModeSetuid|os.ModeSetgid)
	nobodysRoot := uint32(5555)
	return errors.Join(
		setFileCaps(path("host-caps"), hostCaps, nil),
		setFileCaps(path("other-caps"), hostCaps, &nobodysRoot),
	)
}

// linkFixed links the fixed files into dir. owner is their owner as a worker sees it.
func linkFixed(t *testing.T, base, dir string, owner uint32) []fixed {
	plain := cred.File{UID: owner, GID: owner, GroupExec: true}
	caps, setid := plain, plain
	caps.HasCaps, caps.Effective, caps.Permitted, caps.Inheritable = true, true, hostCaps.Permitted, hostCaps.Inheritable
	setid.Setuid, setid.Setgid = true, true

	files := []fixed{{"host-caps", caps}, {"host-setid", setid}, {"other-caps", plain}}
	for _, f := range files {
		if err := os.Link(filepath.Join(base, f.Path), filepath.Join(dir, f.Path)); err != nil {
			t.Fatal(err)
		}
	}
	return files
}

// inInitialNamespace returns an error unless the test is root in a namespace in which every
// ID exists. Root of another user namespace cannot reach all states.
func inInitialNamespace() error {
	text, err := os.ReadFile("/proc/self/uid_map")
	if err != nil {
		return err
	}
	everything := []string{"0", "0", "4294967295"}
	if os.Geteuid() != 0 || !slices.Equal(strings.Fields(string(text)), everything) {
		return errors.New("uid 0 of the initial user namespace")
	}
	return nil
}

// isStatic reports whether the binary needs no dynamic loader. With the race detector it
// does.
func isStatic(t *testing.T, binary string) bool {
	f, err := elf.Open(binary)
	if err != nil {
		t.Fatal(err)
	}
	defer f.Close()
	return !slices.ContainsFunc(f.Progs, func(p *elf.Prog) bool { return p.Type == elf.PT_INTERP })
}

// suidDirectory returns a new directory that every user can search, on a mount without
// nosuid and noexec.
func suidDirectory(t *testing.T) string {
	for _, parent := range []string{os.TempDir(), "/var/tmp"} {
		var st unix.Statfs_t
		if unix.Statfs(parent, &st) != nil || st.Flags&(unix.ST_NOSUID|unix.ST_NOEXEC) != 0 {
			continue
		}
		dir, err := os.MkdirTemp(parent, "cred-test-")
		if err != nil {
			continue
		}
		t.Cleanup(func() { os.RemoveAll(dir) })
		chmod(t, dir, 0o755)
		return dir
	}
	requires.Skip(t, "a temporary directory without nosuid and noexec")
	return ""
}

func copyFile(t *testing.T, from, to string) {
	data, err := os.ReadFile(from)
	if err != nil {
		t.Fatal(err)
	}
	// Tests run side by side: a child of another one, while it is started, must
	// not have a program open for writing.
	syscall.ForkLock.RLock()
	err = os.WriteFile(to, data, 0o755)
	syscall.ForkLock.RUnlock()
	if err != nil {
		t.Fatal(err)
	}
	chmod(t, to, 0o755)
}

// chmod sets a mode without applying the umask.
func chmod(t *testing.T, path string, mode os.FileMode) {
	if err := os.Chmod(path, mode); err != nil {
		t.Fatal(err)
	}
}

func testBinary(t *testing.T) string {
	path, err := os.Executable()
	if err != nil {
		t.Fatal(err)
	}
	return path
}
