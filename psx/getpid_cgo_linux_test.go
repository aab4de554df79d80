//go:build cgo

package psx

import (
	"os"
	"os/exec"
	"path/filepath"
	"strconv"
	"strings"
	"testing"

	"caprun/internal/test/requires"
)

// TestGetpidOncePerCall: a call reads the process ID once, and not for every thread.
func TestGetpidOncePerCall(t *testing.T) {
	const calls, threads = 50, 20
	if isOwnProcess(t) {
		defer parkThreads(threads)()
		for n := range calls {
			if errno := setName("n" + strconv.Itoa(n)); errno != 0 {
				t.Fatal(errno)
			}
		}
		return
	}
	strace := requires.Tool(t, "strace")
	trace := filepath.Join(t.TempDir(), "trace")
	cmd, output := start(t, nil, func(cmd *exec.Cmd) {
		cmd.Path = strace
		cmd.Args = append([]string{"strace", "-f", "-qq", "-o", trace, "-e", "trace=getpid", "-e", "signal=none",
			must[string](t)(os.Executable())}, cmd.Args[1:]...)
	})
	if err := cmd.Wait(); err != nil {
		t.Fatalf("%v\n%s", err, output)
	}
	// The Go runtime calls getpid before each signal of its own.
	asked := strings.Count(string(must[[]byte](t)(os.ReadFile(trace))), "getpid(")
	if asked < calls || asked > 5*calls {
		t.Errorf("%d calls of getpid in %d calls with %d threads", asked, calls, threads)
	}
}
