package seal

import (
	"path/filepath"
	"strings"
	"syscall"
	"testing"
)

// TestRootSpecial: a FIFO or a device in the place of a file of the image is refused, and
// not waited for.
func TestRootSpecial(t *testing.T) {
	for name, link := range map[string]string{"fifo": "", "link to a fifo": "fifo"} {
		root := imageTree(t, map[string]string{"etc/group": group})
		path := filepath.Join(root, "etc/passwd")
		if link != "" {
			path = filepath.Join(root, "etc", link)
			if err := syscall.Symlink(link, filepath.Join(root, "etc/passwd")); err != nil {
				t.Fatal(err)
			}
		}
		if err := syscall.Mkfifo(path, 0o644); err != nil {
			t.Fatal(err)
		}
		if _, err := Seal(parse(t, server), Options{Root: root}); err == nil || !strings.Contains(err.Error(), "not a regular file") {
			t.Errorf("%s: %v", name, err)
		}
	}
}
