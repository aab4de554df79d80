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

// What a call needs to know of the process, it asks once, and not for every
// thread.
func TestProcessIsAskedForOnce(t *testing.T) {
	const calls, threads = 50, 20
	if isAlone(t) {
		defer hold(threads)()
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
	// The Go runtime asks before each signal of its own.
	asked := strings.Count(string(must[[]byte](t)(os.ReadFile(trace))), "getpid(")
	if asked < calls || asked > 5*calls {
		t.Errorf("the process was asked for %d times in %d calls with %d threads", asked, calls, threads)
	}
}
