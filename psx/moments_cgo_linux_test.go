//go:build cgo

package psx

import (
	"os"
	"os/exec"
	"path/filepath"
	"testing"

	"caprun/internal/test/requires"
)

// runC compiles a program of testdata, which includes some of the package's C,
// together with the rest of it, and returns what it prints.
func runC(t *testing.T, program string, rest ...string) string {
	t.Helper()
	compiler := os.Getenv("CC")
	if compiler == "" {
		compiler = "cc"
	}
	binary := filepath.Join(t.TempDir(), "program")
	args := append([]string{"-O2", "-pthread", "-I.", "-o", binary, filepath.Join("testdata", program)}, rest...)
	if output, err := exec.Command(requires.Tool(t, compiler), args...).CombinedOutput(); err != nil {
		t.Fatalf("%v\n%s", err, output)
	}
	output, err := exec.Command(binary).CombinedOutput()
	if err != nil {
		t.Errorf("%s: %v", program, err)
	}
	return string(output)
}

// A thread that has never answered is not taken for one that has, whatever a
// late handler writes to its record. So its silence is an error, and not the
// end of the process.
func TestLateHandler(t *testing.T) {
	const want = "first call: ETIMEDOUT\nsecond call: ETIMEDOUT\nthe record: was given away\n"
	if got := runC(t, "late.c", "say_linux.c", "signal_linux.c"); got != want {
		t.Errorf("it printed\n%swant\n%s", got, want)
	}
}

// A handler that is set while ours is being set gets the signals that are not
// ours, from the first one.
func TestHandlerIsSetMeanwhile(t *testing.T) {
	const want = "error: 0\nreceived: 1\nreceived: 2\n"
	if got := runC(t, "install.c"); got != want {
		t.Errorf("it printed\n%swant\n%s", got, want)
	}
}
