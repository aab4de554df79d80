//go:build cgo

package psx

import (
	"os"
	"os/exec"
	"path/filepath"
	"testing"

	"caprun/internal/test/requires"
)

// runC compiles a program of testdata, which includes some C files of the package,
// together with the other C files, and returns its output.
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

// TestLateHandler: whatever a late handler writes to the record of another thread,
// a thread that has never answered does not count as responsive. So if it does not
// answer, the call returns an error, and the process does not end.
func TestLateHandler(t *testing.T) {
	const want = "first call: ETIMEDOUT\nsecond call: ETIMEDOUT\nthe record: was reused\n"
	if got := runC(t, "late.c", "fatal_linux.c", "signal_linux.c"); got != want {
		t.Errorf("got\n%swant\n%s", got, want)
	}
}

// TestHandlerSetDuringInstall: a handler that another thread sets while psx sets
// its own gets the signals that are not from psx, from the first one.
func TestHandlerSetDuringInstall(t *testing.T) {
	const want = "error: 0\nreceived: 1\nreceived: 2\n"
	if got := runC(t, "install.c"); got != want {
		t.Errorf("got\n%swant\n%s", got, want)
	}
}
