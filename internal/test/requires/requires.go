// Package requires checks what a test needs from the machine.
//
// A test without it is skipped, with the name of what is missing.
// CAPRUN_TEST_STRICT=1, for a machine that should have everything, turns each such
// skip into a failure.
//
// A test that takes long calls Heavy: it is skipped unless CAPRUN_TEST_HEAVY=1. The
// stages of .ci/run set that, except those that run README's command unchanged.
package requires

import (
	"os"
	"os/exec"
	"slices"
	"testing"
)

// Skip skips the test because what is missing.
func Skip(t testing.TB, what string) {
	t.Helper()
	if os.Getenv("CAPRUN_TEST_STRICT") == "1" {
		t.Fatalf("missing on this machine, and CAPRUN_TEST_STRICT is set: %s", what)
	}
	t.Skipf("missing on this machine: %s", what)
}

// Root skips the test unless it runs with uid 0.
func Root(t testing.TB) {
	t.Helper()
	if os.Geteuid() != 0 {
		Skip(t, "uid 0")
	}
}

// Tool returns the path of a program, or skips the test if it is not installed.
func Tool(t testing.TB, name string) string {
	t.Helper()
	path, err := exec.LookPath(name)
	if err != nil {
		Skip(t, "program "+name)
	}
	return path
}

// IsHeavy reports whether CAPRUN_TEST_HEAVY=1 enables the tests that take long.
func IsHeavy() bool { return os.Getenv("CAPRUN_TEST_HEAVY") == "1" }

// Heavy skips the test unless the tests that take long are enabled, or one of the
// environment variables that set the size of this test is set.
func Heavy(t testing.TB, sizes ...string) {
	t.Helper()
	if !IsHeavy() && !slices.ContainsFunc(sizes, func(name string) bool { return os.Getenv(name) != "" }) {
		t.Skip("takes long: set CAPRUN_TEST_HEAVY=1")
	}
}

// Rounds returns the number of repetitions of a test: many if the tests that take
// long are enabled, or else few.
func Rounds(few, many int) int {
	if IsHeavy() {
		return many
	}
	return few
}
