package supervise

import (
	"path/filepath"
	"testing"

	"golang.org/x/sys/unix"
)

// TestStdinIsTheNullDevice: openStdin refuses a FIFO or another file instead of the null
// device at once, and does not change standard input.
func TestStdinIsTheNullDevice(t *testing.T) {
	var before, after unix.Stat_t
	if err := unix.Fstat(0, &before); err != nil {
		t.Fatal(err)
	}
	fifo := filepath.Join(t.TempDir(), "null")
	if err := unix.Mkfifo(fifo, 0o600); err != nil {
		t.Fatal(err)
	}
	for _, path := range []string{fifo, "/dev/zero", "/"} {
		if err := openStdin(path); err == nil || err.Error() != "not the null device" {
			t.Errorf("%s: %v", path, err)
		}
	}
	if err := unix.Fstat(0, &after); err != nil || after.Rdev != before.Rdev || after.Ino != before.Ino {
		t.Errorf("standard input was replaced: %v", err)
	}
}
