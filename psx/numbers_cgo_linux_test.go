//go:build cgo

package psx

import (
	"os"
	"strings"
	"syscall"
	"testing"

	"caprun/internal/test/requires"
	"caprun/psx/internal/churn"
)

// inPIDNamespace runs body in a child in a PID namespace with the numbers 1 to 1000:
// few, but enough for threads that release their numbers late.
func inPIDNamespace(t *testing.T, body func()) {
	t.Helper()
	if isOwnProcess(t) {
		if err := syscall.Mount("proc", "/proc", "proc", 0, ""); err != nil {
			requires.Skip(t, "a /proc for a new PID namespace: "+err.Error())
		}
		if err := os.WriteFile("/proc/sys/kernel/pid_max", []byte("1001"), 0); err != nil {
			requires.Skip(t, "a pid_max for a new PID namespace: "+err.Error())
		}
		body()
		return
	}
	output, err := child(t, &syscall.SysProcAttr{
		Cloneflags: syscall.CLONE_NEWPID | syscall.CLONE_NEWNS, Unshareflags: syscall.CLONE_NEWNS,
	})
	if strings.Contains(output, "--- SKIP") {
		requires.Skip(t, "what the child needs:\n"+output)
	}
	if err != nil {
		t.Errorf("%v\n%s", err, output)
	}
}

// TestFewThreadNumbers: where thread numbers are few, they are soon used again.
func TestFewThreadNumbers(t *testing.T) {
	requires.Root(t)
	inPIDNamespace(t, func() {
		calls := 50
		if long {
			calls = 2000
		}
		stress(t, calls, must[func() uint64](t)(churn.Start(churn.Detached, 4, 0)))
	})
}

// TestReusedThreadNumber: a thread that has run the call ends, and a thread that has
// not run it creates a thread with the same number.
func TestReusedThreadNumber(t *testing.T) {
	requires.Root(t)
	inPIDNamespace(t, func() {
		old := must[churn.Guest](t)(churn.NewGuest())
		by := must[churn.Guest](t)(churn.NewGuest())
		if errno := setName("before"); errno != 0 {
			t.Fatal(errno)
		}
		wait := churn.ReuseNumber(by, old, "after")
		if errno := setName("after"); errno != 0 {
			t.Fatal(errno)
		}
		check(t, wait())
		names := threads(t, "Name")
		if name := names[int(old)]; name != "after" {
			t.Errorf("the new thread %d has the name %q", old, name)
		}
	})
}
