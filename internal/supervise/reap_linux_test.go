package supervise

import (
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"strconv"
	"strings"
	"syscall"
	"testing"
	"time"

	"caprun/internal/test/command"
	"caprun/internal/test/reexec"
	"caprun/internal/test/requires"

	"golang.org/x/sys/unix"
)

// orphans is what a script makes: it starts what ends later than its parent.
const orphans = `n=0; while [ $n -lt $1 ]; do (: &) ; n=$((n+1)); done; echo done; read line`

// TestInitReaps: orphans leave nothing behind, also where caprun is pid 1.
func TestInitReaps(t *testing.T) {
	sh := requires.Tool(t, "sh")
	for name, c := range map[string]struct {
		flags uintptr
		count string
	}{"subreaper": {0, "300"}, "pid1": {syscall.CLONE_NEWPID, strconv.Itoa(requires.Rounds(1000, 10000))}} {
		t.Run(name, func(t *testing.T) {
			if c.flags != 0 {
				requires.Root(t)
			}
			s := supervise(t, bare, func(cmd *exec.Cmd) { cmd.SysProcAttr = &syscall.SysProcAttr{Cloneflags: c.flags} }, sh, "-c", orphans, "sh", c.count)
			peak := 0
			for finished := false; !finished; {
				select {
				case line := <-s.lines:
					if finished = true; line != "done" {
						t.Fatalf("%q", line)
					}
				case <-time.After(100 * time.Millisecond):
					peak = max(peak, len(children(t, s.Process.Pid)))
				}
			}
			eventually(t, "only the target is left", func() bool { return len(children(t, s.Process.Pid)) == 1 })
			text, err := os.ReadFile(fmt.Sprintf("/proc/%d/status", s.Process.Pid))
			if err != nil {
				t.Fatal(err)
			}
			rss := reexec.Status(string(text))["VmRSS"]
			kib, err := strconv.Atoi(strings.TrimSuffix(rss, " kB"))
			if err != nil || kib > 64<<10 {
				t.Errorf("caprun has %s", rss)
			}
			t.Logf("at most %d children at a time, %s", peak, rss)
			s.stdin.Close()
			s.status()
		})
	}
}

// TestInitAdopts: an orphan becomes a child of caprun.
func TestInitAdopts(t *testing.T) {
	requires.Tool(t, "mkfifo")
	// The shell waits for its child, the parent of the orphan, before it writes.
	s := supervise(t, bare, nil, requires.Tool(t, "sh"), "-c",
		`mkfifo go; (sh -c 'read line <go; cut -d " " -f 4 /proc/$$/stat' &); echo >go; read line`)
	if got := s.line(); got != fmt.Sprint(s.Process.Pid) {
		t.Errorf("its parent is %s, not %d", got, s.Process.Pid)
	}
}

// TestInitLeavesNothing: many starts in a row leave no process and no zombie.
func TestInitLeavesNothing(t *testing.T) {
	dir := searchableDir(t)
	file := filepath.Join(dir, "profile.yaml")
	if err := os.WriteFile(file, []byte("version: 1\n"+bare), 0o644); err != nil {
		t.Fatal(err)
	}
	creds := command.Program(t, "caprun/internal/test/creds")
	// What a caprun left behind would become a child of this process.
	if err := unix.Prctl(unix.PR_SET_CHILD_SUBREAPER, 1, 0, 0, 0); err != nil {
		t.Fatal(err)
	}
	defer unix.Prctl(unix.PR_SET_CHILD_SUBREAPER, 0, 0, 0, 0)
	before := len(children(t, os.Getpid()))
	for range command.Number(t, "CAPRUN_TEST_LOAD", uint64(requires.Rounds(20, 200))) {
		cmd := exec.Command(command.Caprun(t), "-init", "-profile", file, "--", creds, "-exit", "7")
		if err := cmd.Run(); cmd.ProcessState.ExitCode() != 7 {
			t.Fatal(err)
		}
	}
	if after := len(children(t, os.Getpid())); after > before {
		t.Errorf("%d children before, %d after", before, after)
	}
}
