package conformance

import (
	"bytes"
	"errors"
	"fmt"
	"math/rand/v2"
	"os"
	"os/exec"
	"path/filepath"
	"syscall"
	"testing"
	"time"

	"caprun/cap"
	"caprun/internal/test/reexec"
	"caprun/internal/test/requires"

	"golang.org/x/sys/unix"
	upstream "kernel.org/pub/linux/libs/security/libcap/cap"
)

const attribute = "security.capability"

// executable makes a file for capabilities, if the file system supports them.
func executable(t *testing.T) string {
	t.Helper()
	path := filepath.Join(t.TempDir(), "program")
	if err := os.WriteFile(path, []byte("x"), 0o711); err != nil {
		t.Fatal(err)
	}
	if err := syscall.Setxattr(path, attribute, make2(1<<10, 0), 0); err != nil {
		requires.Skip(t, "a temporary directory that keeps file capabilities: "+err.Error())
	}
	if err := unix.Removexattr(path, attribute); err != nil {
		t.Fatal(err)
	}
	return path
}

// make2 returns an attribute of version 2.
func make2(p, i uint64) []byte {
	d := make([]byte, 20)
	d[3] = 2
	for k := range 4 {
		d[4+k], d[8+k], d[12+k], d[16+k] = byte(p>>(8*k)), byte(i>>(8*k)), byte(p>>(32+8*k)), byte(i>>(32+8*k))
	}
	return d
}

func stored(path string) ([]byte, error) {
	d := make([]byte, 100)
	n, err := unix.Getxattr(path, attribute, d)
	return d[:max(n, 0)], err
}

// fileAPI has the operations of a package on a file, by name or descriptor.
type fileAPI struct {
	name   string
	set    func(d []byte) error // a portable set; nil removes
	get    func() (string, error)
	remove func() error
}

func fileAPIs(path string, f *os.File) []fileAPI {
	show := func(s fmt.Stringer, err error) (string, error) {
		if err != nil {
			return "", err
		}
		return s.String(), nil
	}
	ours := func(d []byte, write func(*cap.Set) error) error {
		c, err := cap.Import(d)
		if err != nil {
			return err
		}
		return write(c)
	}
	theirs := func(d []byte, write func(*upstream.Set) error) error {
		c, err := upstream.Import(d)
		if err != nil {
			return err
		}
		return write(c)
	}
	var ourNone *cap.Set
	var theirNone *upstream.Set
	return []fileAPI{
		{"our SetFile", func(d []byte) error { return ours(d, func(c *cap.Set) error { return c.SetFile(path) }) },
			func() (string, error) { return show(cap.GetFile(path)) }, func() error { return ourNone.SetFile(path) }},
		{"our SetFd", func(d []byte) error { return ours(d, func(c *cap.Set) error { return c.SetFd(f) }) },
			func() (string, error) { return show(cap.GetFd(f)) }, func() error { return ourNone.SetFd(f) }},
		{"their SetFile", func(d []byte) error { return theirs(d, func(c *upstream.Set) error { return c.SetFile(path) }) },
			func() (string, error) { return show(upstream.GetFile(path)) }, func() error { return theirNone.SetFile(path) }},
		{"their SetFd", func(d []byte) error { return theirs(d, func(c *upstream.Set) error { return c.SetFd(f) }) },
			func() (string, error) { return show(upstream.GetFd(f)) }, func() error { return theirNone.SetFd(f) }},
	}
}

// TestFile writes random sets in all ways, compares the attributes, and reads each in
// all ways.
func TestFile(t *testing.T) {
	requires.Root(t)
	path := executable(t)
	f, err := os.Open(path)
	if err != nil {
		t.Fatal(err)
	}
	defer f.Close()
	apis := fileAPIs(path, f)
	r := rand.New(rand.NewPCG(number(t, seedVariable, 1), 9))
	for range 300 {
		d := portable(randomBits(r)&randomBits(r), randomBits(r), randomBits(r))
		var first []byte
		for n, api := range apis {
			if err := api.set(d); err != nil {
				t.Fatalf("%s of %x: %v", api.name, d, err)
			}
			kept, err := stored(path)
			if err != nil {
				t.Fatal(err)
			}
			if n == 0 {
				first = kept
			}
			if !bytes.Equal(kept, first) {
				t.Fatalf("%s writes %x, %s %x", apis[0].name, first, api.name, kept)
			}
			want, _ := apis[0].get()
			for _, reader := range apis {
				if got, err := reader.get(); got != want || err != nil {
					t.Fatalf("%x read like %s: %q, %v; want %q", kept, reader.name, got, err, want)
				}
			}
		}
		remover := apis[r.IntN(len(apis))]
		if err := remover.remove(); err != nil {
			t.Fatalf("removed like %s: %v", remover.name, err)
		}
		for _, api := range apis {
			if _, err := api.get(); !errors.Is(err, syscall.ENODATA) {
				t.Fatalf("without an attribute, read like %s: %v", api.name, err)
			}
			if err := api.remove(); !errors.Is(err, syscall.ENODATA) {
				t.Fatalf("without an attribute, removed like %s: %v", api.name, err)
			}
		}
	}
}

// TestFileVersions reads attributes of each version that neither package wrote.
func TestFileVersions(t *testing.T) {
	requires.Root(t)
	path := executable(t)
	f, err := os.Open(path)
	if err != nil {
		t.Fatal(err)
	}
	defer f.Close()
	version3 := append(make2(1<<10, 1<<40), 0xe8, 3, 0, 0)
	version3[3] = 3
	raised := make2(1<<10|1<<33, 1<<5)
	raised[0] = 1
	for _, d := range [][]byte{make2(1<<10, 0), make2(0, 1<<40), raised, version3} {
		if err := unix.Setxattr(path, attribute, d, 0); err != nil {
			t.Fatalf("%x: %v", d, err)
		}
		o, err := cap.GetFile(path)
		if err != nil {
			t.Fatal(err)
		}
		u, err := upstream.GetFile(path)
		if err != nil {
			t.Fatal(err)
		}
		ours, oErr := o.GetNSOwner()
		theirs, uErr := u.GetNSOwner()
		if o.String() != u.String() || ours != theirs || oErr != nil || uErr != nil {
			t.Errorf("%x: ours %q of %d, %v, theirs %q of %d, %v", d, o, ours, oErr, u, theirs, uErr)
		}
	}
}

// TestNamespaceOwner writes version 3, which theirs cannot: a known difference.
func TestNamespaceOwner(t *testing.T) {
	requires.Root(t)
	path := executable(t)
	for _, owner := range []int{1, 1000, 100000, 1<<32 - 2} {
		o, err := cap.FromText("cap_bpf=ep")
		if err != nil {
			t.Fatal(err)
		}
		o.SetNSOwner(owner)
		if err := o.SetFile(path); err != nil {
			t.Fatal(err)
		}
		u, err := upstream.GetFile(path)
		if err != nil {
			t.Fatal(err)
		}
		if got, err := u.GetNSOwner(); got != owner || err != nil || u.String() != o.String() {
			t.Errorf("they read %q of %d, %v; want %q of %d", u, got, err, o, owner)
		}
		if err := u.SetFile(path); !errors.Is(err, syscall.EINVAL) {
			t.Errorf("the known difference does not appear: they write an owner, %v", err)
		}
	}
}

// errorNames are the error variables, which programs compare with ==.
var errorNames = map[error]string{
	cap.ErrBadMagic: "ErrBadMagic", cap.ErrBadMode: "ErrBadMode", cap.ErrBadPath: "ErrBadPath", cap.ErrBadSet: "ErrBadSet",
	cap.ErrBadSize: "ErrBadSize", cap.ErrBadText: "ErrBadText", cap.ErrBadValue: "ErrBadValue", cap.ErrOutOfRange: "ErrOutOfRange",
	upstream.ErrBadMagic: "ErrBadMagic", upstream.ErrBadMode: "ErrBadMode", upstream.ErrBadPath: "ErrBadPath", upstream.ErrBadSet: "ErrBadSet",
	upstream.ErrBadSize: "ErrBadSize", upstream.ErrBadText: "ErrBadText", upstream.ErrBadValue: "ErrBadValue", upstream.ErrOutOfRange: "ErrOutOfRange",
}

// errorKind returns the error variable that err equals, and its text.
func errorKind(err error) string {
	if err == nil {
		return "no error"
	}
	name := errorNames[err]
	if name == "" {
		name = fmt.Sprintf("%T", err)
	}
	return fmt.Sprintf("%s (%v)", name, err)
}

// errorPaths makes a file of each kind. Other tests below have the kinds for which a
// call hangs or differs.
func errorPaths(t *testing.T) map[string]string {
	dir := t.TempDir()
	file, link, dangling := filepath.Join(dir, "file"), filepath.Join(dir, "link"), filepath.Join(dir, "dangling")
	for _, err := range []error{
		os.WriteFile(file, nil, 0o755), os.Symlink("file", link), os.Symlink("nothing", dangling),
		os.Symlink("loop", filepath.Join(dir, "loop")), unix.Mkfifo(filepath.Join(dir, "fifo"), 0o600),
	} {
		if err != nil {
			t.Fatal(err)
		}
	}
	return map[string]string{
		"missing": filepath.Join(dir, "nothing"), "no directory": filepath.Join(file, "x"), "file": file, "link": link,
		"dangling": dangling, "loop": filepath.Join(dir, "loop"), "directory": dir, "device": "/dev/null", "empty": "",
		"fifo": filepath.Join(dir, "fifo"), "long": filepath.Join(dir, string(bytes.Repeat([]byte("x"), 300))),
	}
}

func TestFileErrors(t *testing.T) {
	requires.Root(t)
	for name, path := range errorPaths(t) {
		set, theirSet := cap.NewSet(), upstream.NewSet()
		var none *cap.Set
		var theirNone *upstream.Set
		for call, both := range map[string][2]func() error{
			"GetFile": {func() error { _, err := cap.GetFile(path); return err }, func() error { _, err := upstream.GetFile(path); return err }},
			"SetFile": {func() error { return set.SetFile(path) }, func() error { return theirSet.SetFile(path) }},
			"remove":  {func() error { return none.SetFile(path) }, func() error { return theirNone.SetFile(path) }},
		} {
			// Earlier calls may have left capabilities.
			none.SetFile(path)
			ours, ok := within(both[0])
			if !ok {
				t.Fatalf("%s of %s: ours hangs", call, name)
			}
			none.SetFile(path)
			if name == "fifo" && call != "GetFile" {
				// Theirs opens it, which waits for a writer.
				if want := map[string]string{"SetFile": errorKind(cap.ErrBadPath), "remove": errorKind(syscall.ENODATA)}[call]; ours != want {
					t.Errorf("%s of a %s: ours says %s, not %s", call, name, ours, want)
				}
				continue
			}
			theirs, ok := within(both[1])
			if !ok {
				t.Fatalf("%s of %s: theirs hangs", call, name)
			}
			if ours != theirs {
				t.Errorf("%s of a %s: ours says %s, theirs %s", call, name, ours, theirs)
			}
		}
	}
}

// TestFifoHangs shows a known difference: theirs waits.
func TestFifoHangs(t *testing.T) {
	requires.Root(t)
	path := filepath.Join(t.TempDir(), "fifo")
	if err := unix.Mkfifo(path, 0o600); err != nil {
		t.Fatal(err)
	}
	done := make(chan error, 1)
	go func() { done <- upstream.NewSet().SetFile(path) }()
	select {
	case err := <-done:
		t.Errorf("the known difference does not appear: their SetFile of a FIFO gives %v", err)
	case <-time.After(100 * time.Millisecond):
	}
	w, err := os.OpenFile(path, os.O_RDWR, 0)
	if err != nil {
		t.Fatal(err)
	}
	defer w.Close()
	if got := errorKind(<-done); got != errorKind(upstream.ErrBadPath) {
		t.Errorf("theirs says %s", got)
	}
}

// within returns the kind of error of a call, or not ok if it takes too long.
func within(call func() error) (kind string, ok bool) {
	done := make(chan error, 1)
	go func() { done <- call() }()
	select {
	case err := <-done:
		return errorKind(err), true
	case <-time.After(time.Minute):
		return "", false
	}
}

// TestDescriptorErrors: both refuse a directory. For a closed file theirs uses
// descriptor 0, a known difference that this test leaves out.
func TestDescriptorErrors(t *testing.T) {
	requires.Root(t)
	dir, err := os.Open(t.TempDir())
	if err != nil {
		t.Fatal(err)
	}
	defer dir.Close()
	null, err := os.Open("/dev/null")
	if err != nil {
		t.Fatal(err)
	}
	defer null.Close()
	for _, f := range []*os.File{dir, null} {
		_, oErr := cap.GetFd(f)
		_, uErr := upstream.GetFd(f)
		if errorKind(oErr) != errorKind(uErr) {
			t.Errorf("GetFd of %s: ours says %v, theirs %v", f.Name(), oErr, uErr)
		}
		oErr, uErr = cap.NewSet().SetFd(f), upstream.NewSet().SetFd(f)
		if errorKind(oErr) != errorKind(uErr) {
			t.Errorf("SetFd of %s: ours says %v, theirs %v", f.Name(), oErr, uErr)
		}
	}
	closed, err := os.Open("/dev/null")
	if err != nil {
		t.Fatal(err)
	}
	closed.Close()
	if _, err := cap.GetFd(closed); err != os.ErrClosed {
		t.Errorf("GetFd of a closed file: %v", err)
	}
	if err := cap.NewSet().SetFd(closed); err != os.ErrClosed {
		t.Errorf("SetFd of a closed file: %v", err)
	}
}

const pathVariable = "CONFORMANCE_PATH"

// unprivileged reads and writes a file that the user may not read, and prints the
// errors of both packages.
func unprivileged() {
	path := os.Getenv(pathVariable)
	if err := errors.Join(upstream.SetGroups(1000), upstream.SetUID(1000), upstream.NewSet().SetProc()); err != nil {
		fmt.Println(err)
		os.Exit(3)
	}
	o, oErr := cap.GetFile(path)
	u, uErr := upstream.GetFile(path)
	fmt.Println("get", o, errorKind(oErr), "|", u, errorKind(uErr))
	fmt.Println("set", errorKind(cap.NewSet().SetFile(path)), "|", errorKind(upstream.NewSet().SetFile(path)))
}

// TestUnprivileged: a user who may not read a file may still read its attribute.
func TestUnprivileged(t *testing.T) {
	requires.Root(t)
	path := executable(t)
	if err := unix.Setxattr(path, attribute, make2(1<<10, 0), 0); err != nil {
		t.Fatal(err)
	}
	for dir := filepath.Dir(path); dir != "/" && dir != os.TempDir(); dir = filepath.Dir(dir) {
		if err := os.Chmod(dir, 0o755); err != nil {
			t.Fatal(err)
		}
	}
	for mode, want := range map[os.FileMode]string{
		0o755: "get cap_net_bind_service=p no error | cap_net_bind_service=p no error\nset syscall.Errno (operation not permitted) | syscall.Errno (operation not permitted)\n",
		0:     "get cap_net_bind_service=p no error | cap_net_bind_service=p no error\nset syscall.Errno (operation not permitted) | syscall.Errno (operation not permitted)\n",
	} {
		if err := os.Chmod(path, mode); err != nil {
			t.Fatal(err)
		}
		got := reexec.Run(t, "unprivileged", func(cmd *exec.Cmd) { cmd.Env = append(cmd.Env, pathVariable+"="+path) })
		if got.Stdout != want || got.Status != 0 {
			t.Errorf("a file of mode %o: %d %s\nwant %s", mode, got.Status, got.Stdout+got.Stderr, want)
		}
	}
}
