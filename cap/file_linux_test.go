package cap

import (
	"bytes"
	"errors"
	"os"
	"path/filepath"
	"syscall"
	"testing"
	"time"

	"caprun/internal/test/requires"

	"golang.org/x/sys/unix"
)

// program creates a file that can have capabilities.
func program(t *testing.T) string {
	t.Helper()
	path := filepath.Join(t.TempDir(), "program")
	if err := os.WriteFile(path, []byte("x"), 0o711); err != nil {
		t.Fatal(err)
	}
	return path
}

// TestFileCaps writes, reads and removes capabilities, by path and by descriptor.
func TestFileCaps(t *testing.T) {
	requires.Root(t)
	for _, c := range []struct {
		text, back string
		owner      int
		size       int
	}{
		{"cap_net_raw=p", "cap_net_raw=p", 0, fileSize2},
		{"cap_net_raw,cap_kill=eip", "cap_kill,cap_net_raw=eip", 0, fileSize2},
		{"cap_net_raw=p cap_kill+e", "cap_net_raw=p", 0, fileSize2},
		{"cap_net_raw=ep cap_kill+p", "cap_kill,cap_net_raw=ep", 0, fileSize2},
		{"=", "=", 0, fileSize2},
		{"cap_bpf=ep", "cap_bpf=ep", 1000, fileSize3},
		{"cap_bpf=i", "cap_bpf=i", 100000, fileSize3},
	} {
		for _, byName := range []bool{true, false} {
			path := program(t)
			f, err := os.Open(path)
			if err != nil {
				t.Fatal(err)
			}
			set, err := FromText(c.text)
			if err != nil {
				t.Fatal(err)
			}
			set.SetNSOwner(c.owner)
			write, read, remove := set.SetFile(path), func() (*Set, error) { return GetFile(path) }, func() error { return (*Set)(nil).SetFile(path) }
			if !byName {
				write, read, remove = set.SetFd(f), func() (*Set, error) { return GetFd(f) }, func() error { return (*Set)(nil).SetFd(f) }
			}
			if write != nil {
				t.Errorf("%s: %v", c.text, write)
				continue
			}
			data := make([]byte, 64)
			if n, err := unix.Getxattr(path, fileAttribute, data); n != c.size || err != nil {
				t.Errorf("%s: the attribute has %d bytes, %v", c.text, n, err)
			}
			got, err := read()
			if err != nil || got.Text(NamedCount) != c.back {
				t.Errorf("%s: read back %v, %v", c.text, got, err)
			}
			if owner, err := got.GetNSOwner(); err != nil || owner != c.owner {
				t.Errorf("%s: the owner is %d, %v", c.text, owner, err)
			}
			if err := remove(); err != nil {
				t.Errorf("%s: remove: %v", c.text, err)
			}
			if _, err := read(); !errors.Is(err, syscall.ENODATA) {
				t.Errorf("%s: after removal: %v", c.text, err)
			}
			f.Close()
		}
	}
}

// TestFileRefused: only regular files can get capabilities, and no call waits.
func TestFileRefused(t *testing.T) {
	dir := t.TempDir()
	fifo := filepath.Join(dir, "fifo")
	if err := unix.Mkfifo(fifo, 0o666); err != nil {
		t.Fatal(err)
	}
	link := filepath.Join(dir, "link")
	if err := os.Symlink(program(t), link); err != nil {
		t.Fatal(err)
	}
	set := SetOf(0, 1, 0)
	done := make(chan struct{})
	go func() {
		defer close(done)
		if err := (*Set)(nil).SetFile(link); !errors.Is(err, ErrBadPath) {
			t.Errorf("removal from a link: %v", err)
		}
		for _, path := range []string{dir, fifo, "/dev/null", link} {
			// There may be an attribute to read, though it has no use.
			if _, err := GetFile(path); !errors.Is(err, syscall.ENODATA) {
				t.Errorf("GetFile(%s): %v", path, err)
			}
			if err := set.SetFile(path); !errors.Is(err, ErrBadPath) {
				t.Errorf("SetFile(%s): %v", path, err)
			}
		}
	}()
	select {
	case <-done:
	case <-time.After(time.Minute):
		t.Fatal("the call waits for a FIFO")
	}
	d, err := os.Open(dir)
	if err != nil {
		t.Fatal(err)
	}
	if _, err := GetFd(d); !errors.Is(err, syscall.ENODATA) {
		t.Errorf("GetFd of a directory: %v", err)
	}
	if err := set.SetFd(d); !errors.Is(err, ErrBadPath) {
		t.Errorf("SetFd of a directory: %v", err)
	}
	d.Close()
	for name, err := range map[string]error{
		"GetFd of a closed file": second(GetFd(d)),
		"SetFd of a closed file": set.SetFd(d),
	} {
		if !errors.Is(err, os.ErrClosed) {
			t.Errorf("%s: %v", name, err)
		}
	}
	if _, err := GetFd(nil); err == nil {
		t.Error("GetFd(nil) succeeds")
	}
	if _, err := GetFile(filepath.Join(dir, "none")); !errors.Is(err, os.ErrNotExist) {
		t.Errorf("GetFile of nothing: %v", err)
	}
	if err := (&Set{}).SetFile(program(t)); !errors.Is(err, ErrBadSet) {
		t.Errorf("SetFile of a zero Set: %v", err)
	}
	set.SetNSOwner(-1)
	if err := set.SetFile(program(t)); !errors.Is(err, ErrBadID) {
		t.Errorf("SetFile for the owner -1: %v", err)
	}
}

// FuzzFileCaps decodes attributes. A set that is decoded can be encoded, and decoded to
// the same set again.
func FuzzFileCaps(f *testing.F) {
	f.Add(encodeFile(1<<40, 1<<40, 2, 0))
	f.Add(encodeFile(0, 1, 0, 7))
	f.Add([]byte{1, 0, 0, 1, 0, 0x20, 0, 0, 0, 0, 0, 0})
	f.Fuzz(func(t *testing.T, data []byte) {
		set, err := decodeFile(data)
		if err != nil {
			if err != ErrBadSize && err != ErrBadMagic {
				t.Fatal(err)
			}
			return
		}
		e, p, i, err := set.Masks()
		if err != nil {
			t.Fatal(err)
		}
		owner, err := set.GetNSOwner()
		if err != nil {
			t.Fatal(err)
		}
		back := encodeFile(e, p, i, uint32(owner))
		again, err := decodeFile(back)
		if err != nil {
			t.Fatal(err)
		}
		if diff, err := set.Cf(again); diff != 0 || err != nil {
			t.Fatalf("%x became %x", data, back)
		}
		if len(data) == len(back) && e == p|i && data[0]|data[1]|data[2] == data[0]&1 && !bytes.Equal(data, back) && e != 0 {
			t.Fatalf("%x became %x", data, back)
		}
	})
}
