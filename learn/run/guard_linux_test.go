package run

import (
	"bufio"
	"encoding/json"
	"os"
	"os/exec"
	"path/filepath"
	"strconv"
	"strings"
	"testing"
	"time"

	"caprun/internal/test/reexec"

	"golang.org/x/sys/unix"
)

// TestGuard: whichever of the two processes ends, by whichever signal, nothing is left of
// what the worker has started.
func TestGuard(t *testing.T) {
	const guard, worker = 0, 1
	for _, test := range []struct {
		name string
		to   int
		sig  unix.Signal
	}{
		{"kill the guard", guard, unix.SIGKILL},
		{"kill the worker", worker, unix.SIGKILL},
		{"interrupt", guard, unix.SIGINT},
		{"terminate", guard, unix.SIGTERM},
		{"hang up", guard, unix.SIGHUP},
		{"crash the worker", worker, unix.SIGABRT}, // its trace is dropped
	} {
		t.Run(test.name, func(t *testing.T) {
			t.Parallel()
			mark := filepath.Join(t.TempDir(), "mark")
			text, err := json.Marshal(work{
				// Processes of the program and of its test, which only SIGKILL ends.
				Argv: sh("trap '' TERM INT; (setsid sleep 1000 &); sleep 1000 & while :; do sleep 1000; done # " + mark),
				Test: "trap '' TERM INT; (setsid sleep 1000 &); touch " + mark + "; while :; do sleep 1000; done # " + mark, Timeout: time.Hour,
			})
			if err != nil {
				t.Fatal(err)
			}
			cmd := reexec.Command("guard")
			cmd.Env = append(cmd.Env, "WORK="+string(text))
			out, err := cmd.StdoutPipe()
			if err != nil {
				t.Fatal(err)
			}
			if err := cmd.Start(); err != nil {
				t.Fatal(err)
			}
			line, err := bufio.NewReader(out).ReadString('\n')
			if err != nil {
				t.Fatal(err)
			}
			pid, err := strconv.Atoi(strings.TrimSpace(line))
			if err != nil {
				t.Fatal(err)
			}
			until(t, "the test runs", func() bool { _, err := os.Stat(mark); return err == nil })
			before := withText(t, mark)
			if len(before) < 2 {
				t.Fatalf("processes %v", before)
			}
			if err := unix.Kill([]int{cmd.Process.Pid, pid}[test.to], test.sig); err != nil {
				t.Fatal(err)
			}
			_ = cmd.Wait()
			until(t, "no process is left", func() bool { return len(withText(t, mark)) == 0 && !exists(pid) })
		})
	}
}

// TestSecondSignal: a second signal kills a worker that does not handle the first.
func TestSecondSignal(t *testing.T) {
	t.Parallel()
	mark := filepath.Join(t.TempDir(), "mark")
	cmd := exec.Command("/proc/self/exe", CommandArgument, "trap '' TERM; touch "+mark+"; while :; do sleep 1000; done # "+mark)
	if err := cmd.Start(); err != nil {
		t.Fatal(err)
	}
	until(t, "the command runs", func() bool { _, err := os.Stat(mark); return err == nil })
	if err := cmd.Process.Signal(unix.SIGTERM); err != nil {
		t.Fatal(err)
	}
	_ = cmd.Wait()
	if left := withText(t, mark); len(left) != 0 {
		t.Errorf("processes %v are left", left)
	}
}

// until waits until a condition is true.
func until(t *testing.T, what string, condition func() bool) {
	t.Helper()
	for end := time.Now().Add(time.Minute); !condition(); time.Sleep(10 * time.Millisecond) {
		if time.Now().After(end) {
			t.Fatalf("not after a minute: %s", what)
		}
	}
}

// withText returns the processes with a text in their arguments, except test binaries.
func withText(t *testing.T, text string) (pids []int) {
	t.Helper()
	all, err := processIDs()
	if err != nil {
		t.Fatal(err)
	}
	for _, pid := range all {
		line, err := os.ReadFile("/proc/" + strconv.Itoa(pid) + "/cmdline")
		if err == nil && strings.HasPrefix(string(line), "/bin/sh\x00") || strings.HasPrefix(string(line), "sh\x00") {
			if strings.Contains(string(line), text) {
				pids = append(pids, pid)
			}
		}
	}
	return pids
}

func exists(pid int) bool {
	p, err := readProcess(pid)
	return err == nil && !p.dead
}
