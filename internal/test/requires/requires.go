// Package requires says what a test needs from the machine, in one place.
//
// A test whose need is not met is skipped with the name of what is missing.
// Where the machine is meant to have everything, CAPRUN_TEST_STRICT=1 turns
// each such skip into a failure, so that nothing is left out unnoticed.
//
// A test that takes long asks for Heavy: it is skipped unless CAPRUN_TEST_HEAVY=1.
// The stages of .ci/run set that, apart from those that run README's command as it is.
package requires

import (
	"os"
	"os/exec"
	"slices"
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

// IsHeavy reports whether CAPRUN_TEST_HEAVY=1 asks for the tests that take long.
func IsHeavy() bool { return os.Getenv("CAPRUN_TEST_HEAVY") == "1" }

// Heavy skips the test unless those that take long are asked for, or one of the
// environment variables that set the size of this test is set.
func Heavy(t testing.TB, sizes ...string) {
	t.Helper()
	if !IsHeavy() && !slices.ContainsFunc(sizes, func(name string) bool { return os.Getenv(name) != "" }) {
		t.Skip("takes long: set CAPRUN_TEST_HEAVY=1")
	}
}

// Rounds returns how often a test repeats something: many times where the tests
// that take long are asked for, and few times otherwise.
func Rounds(few, many int) int {
	if IsHeavy() {
		return many
	}
	return few
}
