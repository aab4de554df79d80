package source

import (
	"bytes"
	"errors"
	"os"
	"path/filepath"
	"syscall"
	"testing"

	"caprun/engine/machine"
	"caprun/policy"
)

// TestReader: a Reader returns the text that a launch reads, of a large file one byte
// more than allowed.
func TestReader(t *testing.T) {
	file := filepath.Join(t.TempDir(), "x.yaml")
	var r Reader
	for _, size := range []int{0, 1, 600, policy.MaxSize, policy.MaxSize + 1, 3 * policy.MaxSize} {
		if err := os.WriteFile(file, bytes.Repeat([]byte("x"), size), 0o644); err != nil {
			t.Fatal(err)
		}
		c, err := r.Read(file, file)
		text := c.Text
		want, wantErr := machine.ReadTrusted(file, policy.MaxSize+1, false)
		if !bytes.Equal(text, want) || err != nil || wantErr != nil {
			t.Errorf("%d bytes: %d, %v; %d, %v", size, len(text), err, len(want), wantErr)
		}
	}
}

// TestReadNoLinks: neither way to open a file without links follows one that leads to
// another file or directory.
func TestReadNoLinks(t *testing.T) {
	top := t.TempDir()
	err := errors.Join(os.MkdirAll(filepath.Join(top, "d", "sub"), 0o755), os.WriteFile(filepath.Join(top, "d", "sub", "a.yaml"), []byte("a"), 0o644),
		os.Symlink("sub", filepath.Join(top, "d", "link")), os.Symlink("sub/a.yaml", filepath.Join(top, "d", "link.yaml")))
	if err != nil {
		t.Fatal(err)
	}
	t.Chdir(top)
	for name, want := range map[string]error{"d/sub/a.yaml": nil, "d/link/a.yaml": errReplaced, "d/link.yaml": errReplaced, "d/none.yaml": syscall.ENOENT} {
		for _, path := range []string{name, filepath.Join(top, name)} {
			var r Reader
			if c, err := r.ReadNoLinks(path, path); !errors.Is(err, want) || want == nil && string(c.Text) != "a" {
				t.Errorf("ReadNoLinks(%s): %q, %v, want %v", path, c.Text, err, want)
			}
			fd, err := openStepwise(path)
			if err == nil {
				syscall.Close(fd)
			}
			if (err == nil) != (want == nil) {
				t.Errorf("openStepwise(%s): %v, want %v", path, err, want)
			}
		}
	}
}
