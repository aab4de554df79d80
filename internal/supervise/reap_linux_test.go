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

// orphans is a script that starts processes that end after their parent.
const orphans = `n=0; while [ $n -lt $1 ]; do (: &) ; n=$((n+1)); done; echo done; read line`

// TestInitReaps: caprun reaps orphans, also as PID 1.
func TestInitReaps(t *testing.T) {
	sh := requires.Tool(t, "sh")
	for name, c := range map[string]struct {
		flags uintptr
		count string
	}{"subreaper": {0, "300"}, "pid1": {syscall.CLONE_NEWPID, strconv.Itoa(requires.Rounds(1000, 3000))}} {
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
				t.Errorf("caprun has a resident set of %s", rss)
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
	// The shell first waits for its child, the parent of the orphan, and then writes.
	s := supervise(t, bare, nil, requires.Tool(t, "sh"), "-c",
		`mkfifo go; (sh -c 'read line <go; cut -d " " -f 4 /proc/$$/stat' &); echo >go; read line`)
	if got := s.line(); got != fmt.Sprint(s.Process.Pid) {
		t.Errorf("the parent is %s, not %d", got, s.Process.Pid)
	}
}

// TestInitLeavesNoProcess: many launches leave no process and no zombie.
func TestInitLeavesNoProcess(t *testing.T) {
	dir := searchableDir(t)
	file := filepath.Join(dir, "profile.yaml")
	if err := os.WriteFile(file, []byte("version: 1\n"+bare), 0o644); err != nil {
		t.Fatal(err)
	}
	creds := command.Program(t, "caprun/internal/test/creds")
	// Orphans of caprun would become children of this process.
	if err := unix.Prctl(unix.PR_SET_CHILD_SUBREAPER, 1, 0, 0, 0); err != nil {
		t.Fatal(err)
	}
	defer unix.Prctl(unix.PR_SET_CHILD_SUBREAPER, 0, 0, 0, 0)
	before := len(children(t, os.Getpid()))
	for range command.Number(t, "CAPRUN_TEST_LOAD", uint64(requires.Rounds(20, 100))) {
		cmd := exec.Command(command.Caprun(t), "-init", "-profile", file, "--", creds, "-exit", "7")
		if err := cmd.Run(); cmd.ProcessState.ExitCode() != 7 {
			t.Fatal(err)
		}
	}
	if after := len(children(t, os.Getpid())); after > before {
		t.Errorf("%d children before, %d after", before, after)
	}
}
