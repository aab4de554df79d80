// Package requires says what a test needs from the machine, in one place.
//
// A test whose need is not met is skipped with the name of what is missing.
// Where the machine is meant to have everything, CAPRUN_TEST_STRICT=1 turns
// each such skip into a failure, so that nothing is left out unnoticed.
package requires

import (
	"os"
	"os/exec"
	"testing"
)

// Skip ends the test because what is missing.
func Skip(t testing.TB, what string) {
	t.Helper()
	if os.Getenv("CAPRUN_TEST_STRICT") == "1" {
		t.Fatalf("this machine should have it, and CAPRUN_TEST_STRICT is set: %s", what)
	}
	t.Skipf("not here: %s", what)
}

// Root skips the test unless it runs with uid 0.
func Root(t testing.TB) {
	t.Helper()
	if os.Geteuid() != 0 {
		Skip(t, "needs uid 0")
	}
}

// Tool returns the path of a program, or skips the test without it.
func Tool(t testing.TB, name string) string {
	t.Helper()
	path, err := exec.LookPath(name)
	if err != nil {
		Skip(t, "needs the program "+name)
	}
	return path
}
