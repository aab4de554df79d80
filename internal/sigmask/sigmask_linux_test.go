package sigmask

import (
	"fmt"
	"os"
	"runtime"
	"strings"
	"testing"

	"caprun/internal/test/requires"

	"golang.org/x/sys/unix"
)

// TestBlock blocks signals, compares with the mask that the kernel reports,
// proc_pid_status(5), and restores it.
func TestBlock(t *testing.T) {
	runtime.LockOSThread()
	defer runtime.UnlockOSThread()
	blocked := func() string {
		text, err := os.ReadFile(fmt.Sprintf("/proc/self/task/%d/status", unix.Gettid()))
		if err != nil {
			requires.Skip(t, "needs /proc: "+err.Error())
		}
		_, rest, _ := strings.Cut(string(text), "SigBlk:")
		return strings.Fields(rest)[0]
	}
	original := blocked()
	before, err := Block(unix.SIGPIPE, unix.Signal(64))
	if err != nil {
		t.Fatal(err)
	}
	if got := blocked(); got != "8000000000001000" {
		t.Errorf("blocked signals are %s", got)
	}
	if err := Restore(before); err != nil {
		t.Fatal(err)
	}
	if got := blocked(); got != original {
		t.Errorf("after Restore, blocked signals are %s, want %s", got, original)
	}
}
