package kernel

import (
	"fmt"
	"math/rand/v2"
	"os"
	"path/filepath"
	"runtime"
	"strings"
	"syscall"
	"testing"
	"unsafe"

	"caprun/engine/cred"
	"caprun/internal/test/requires"

	"golang.org/x/sys/unix"
)

// TestAccess compares permissions and path resolution with the kernel, for random files and
// random credentials.
func TestAccess(t *testing.T) {
	requires.Root(t)
	base := t.TempDir()
	for _, dir := range []string{filepath.Dir(base), base} {
		if err := os.Chmod(dir, 0o755); err != nil {
			t.Fatal(err)
		}
	}
	wrong := 0
	for round := range requires.Rounds(60, 2000) {
		r := rand.New(rand.NewPCG(3, uint64(round)))
		dir := filepath.Join(base, fmt.Sprint(round))
		if err := os.MkdirAll(filepath.Join(dir, "a/b"), 0o777); err != nil {
			t.Fatal(err)
		}
		k := New(&World{Rules: cred.Latest(), Tree: NewRoot()}, Task{Cred: accessor(r)})
		k.Task.Root = k.Tree
		k.Cwd = k.Tree.Add("a/b", Node{Mode: Directory | 0o755})
		randomTree(t, r, k, dir)
		fd, err := unix.Open(filepath.Join(dir, "a/b"), unix.O_PATH, 0)
		if err != nil {
			t.Fatal(err)
		}
		paths := make([]string, 40)
		for n := range paths {
			paths[n] = randomPath(r)
		}
		got := accessOf(t, &k.Cred, fd, paths)
		for n, path := range paths {
			var want [2]int64
			var found *Node
			if found, want[0] = k.walk(k.Cwd, path, true); want[0] != 0 {
				want[1] = want[0]
			} else if !k.may(found, mayExec) {
				want[1] = EACCES
			}
			if got[n] != want {
				t.Errorf("round %d: %q as uid %d, gid %d, groups %v with %v: the kernel returns %v, the model %v",
					round, path, k.Cred.FSUID, k.Cred.FSGID, k.Cred.Groups, k.Cred.Effective.String(), got[n], want)
				wrong++
			}
		}
		unix.Close(fd)
		if wrong > 10 {
			return
		}
	}
}

// accessor returns random credentials, with some of the capabilities that override
// permissions.
func accessor(r *rand.Rand) cred.Cred {
	c := cred.Root()
	uid, gid := uint32(1000+r.IntN(2)), uint32(1000+r.IntN(2))
	c.UID, c.EUID, c.SUID, c.FSUID = uid, uid, uid, uid
	c.GID, c.EGID, c.SGID, c.FSGID = gid, gid, gid, gid
	if r.IntN(2) == 0 {
		c.Groups = []uint32{1002}
	}
	c.Permitted = cred.CapsOf([][]int{{}, {}, {cred.DAC_OVERRIDE}, {cred.DAC_READ_SEARCH}}[r.IntN(4)]...)
	c.Effective = c.Permitted
	return c
}

// names are the names of files; the first are those of the directories.
var names = []string{"a", "b", "c", "d", "e"}

// randomTree makes the same files in the model and in a directory.
func randomTree(t *testing.T, r *rand.Rand, k *Kernel, dir string) {
	for range 12 {
		path := strings.Join([]string{names[r.IntN(2)], names[r.IntN(3)], names[r.IntN(5)]}[:1+r.IntN(3)], "/")
		real := filepath.Join(dir, path)
		n := Node{UID: uint32(1000 + r.IntN(3)), GID: uint32(1000 + r.IntN(3)), Mode: uint32(r.IntN(0o1000))}
		var err error
		switch r.IntN(3) {
		case 0:
			n.Mode |= Directory
			err = os.Mkdir(real, 0)
		case 1:
			n.Mode |= Regular
			var f *os.File
			if f, err = os.OpenFile(real, os.O_CREATE|os.O_EXCL, 0); err == nil {
				f.Close()
			}
		case 2:
			n.Mode, n.Link = Symlink|0o777, randomPath(r)
			if !strings.Contains(path, "/") {
				n.Link = strings.TrimPrefix(n.Link, "../") // it would leave the tree
			}
			err = os.Symlink(n.Link, real)
		}
		if err != nil {
			continue // there is one, or its parent is not a directory
		}
		parent := k.Tree
		for name := range strings.SplitSeq(filepath.Dir(path), "/") {
			if name != "." {
				parent = parent.Entries[name]
			}
		}
		if parent == nil || parent.Entries == nil {
			os.RemoveAll(real) // created through a symbolic link
			continue
		}
		parent.Add(filepath.Base(path), n)
		if err := os.Lchown(real, int(n.UID), int(n.GID)); err != nil {
			t.Fatal(err)
		}
		if n.Link == "" {
			if err := os.Chmod(real, os.FileMode(n.Mode&0o777)); err != nil {
				t.Fatal(err)
			}
		}
	}
}

// randomPath returns a path relative to a/b that does not leave the tree by itself.
func randomPath(r *rand.Rand) string {
	parts := []string{}
	for range 1 + r.IntN(4) {
		parts = append(parts, []string{"a", "b", "c", "d", ".", "a", "b", "c"}[r.IntN(8)])
	}
	path := strings.Join(parts, "/")
	if r.IntN(3) == 0 {
		path = "../" + path
	}
	if r.IntN(6) == 0 {
		path += "/"
	}
	return path
}

// accessOf returns the errors of statx and of faccessat2 for X_OK, of a thread with these
// credentials.
func accessOf(t *testing.T, c *cred.Cred, fd int, paths []string) [][2]int64 {
	type result struct {
		list [][2]int64
		err  error
	}
	done := make(chan result)
	go func() {
		runtime.LockOSThread() // the thread ends with the goroutine
		if err := become(c); err != nil {
			done <- result{err: err}
			return
		}
		list := make([][2]int64, len(paths))
		for n, path := range paths {
			var st unix.Statx_t
			list[n] = [2]int64{number(unix.Statx(fd, path, 0, unix.STATX_BASIC_STATS, &st)), number(unix.Faccessat2(fd, path, unix.X_OK, unix.AT_EACCESS))}
		}
		done <- result{list, nil}
	}()
	r := <-done
	if r.err != nil {
		t.Fatal(r.err)
	}
	return r.list
}

func number(err error) int64 {
	errno, _ := err.(syscall.Errno)
	return int64(errno)
}

// become changes the credentials of the calling thread.
func become(c *cred.Cred) error {
	call := func(nr, a, b, d uintptr) error {
		if _, _, errno := syscall.RawSyscall(nr, a, b, d); errno != 0 {
			return errno
		}
		return nil
	}
	var groups uintptr
	if len(c.Groups) > 0 {
		groups = uintptr(unsafe.Pointer(&c.Groups[0]))
	}
	if err := call(unix.SYS_SETGROUPS, uintptr(len(c.Groups)), groups, 0); err != nil {
		return err
	}
	if err := call(unix.SYS_SETRESGID, uintptr(c.GID), uintptr(c.GID), uintptr(c.GID)); err != nil {
		return err
	}
	if err := call(unix.SYS_PRCTL, unix.PR_SET_KEEPCAPS, 1, 0); err != nil {
		return err
	}
	if err := call(unix.SYS_SETRESUID, uintptr(c.UID), uintptr(c.UID), uintptr(c.UID)); err != nil {
		return err
	}
	header := unix.CapUserHeader{Version: unix.LINUX_CAPABILITY_VERSION_3}
	data := [2]unix.CapUserData{{Effective: uint32(c.Effective), Permitted: uint32(c.Permitted)}}
	return unix.Capset(&header, &data[0])
}
