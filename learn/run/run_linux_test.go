package run

import (
	"fmt"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"
	"time"

	"caprun/internal/test/requires"
)

// sh returns the arguments of a shell script.
func sh(script string) []string { return []string{shell, "-c", script} }

// only returns the result of one run.
func (w worked) only(t *testing.T) Result {
	t.Helper()
	if w.Error != "" || len(w.Results) != 1 {
		t.Fatalf("%d results, error %q", len(w.Results), w.Error)
	}
	return w.Results[0]
}

// TestExitStatus: without a test, the exit status of the first process decides.
func TestExitStatus(t *testing.T) {
	t.Parallel()
	for script, reason := range map[string]string{
		"exit 0":                       "",
		"exit 3":                       "exit status 3",
		"kill -9 $$":                   "signal SIGKILL",
		"sleep 1000 & exit 0":          "",
		"(setsid sleep 1000 &) ; true": "",
	} {
		r := work{Argv: sh(script)}.run(t).only(t)
		if r.Works != (reason == "") || r.Reason != reason || r.TimedOut {
			t.Errorf("%q: %+v", script, r)
		}
	}
}

// TestNoEnd: a program without a test that does not end fails because of the time limit.
func TestNoEnd(t *testing.T) {
	t.Parallel()
	r := work{Argv: sh("echo still; sleep 1000"), Timeout: 3 * time.Second}.run(t).only(t)
	if r.Works || !r.TimedOut || r.Reason != "did not end within 3s" || !slices.Equal(r.Output, []string{"still"}) {
		t.Errorf("%+v", r)
	}
}

// ready returns a test that succeeds once the program has made a file, and the file.
func ready(t *testing.T) (test, file string) {
	file = filepath.Join(t.TempDir(), "ready")
	return "test -e " + file, file
}

// TestServers: programs that run until they are stopped, whatever they do with their
// processes. The second run knows their kind.
func TestServers(t *testing.T) {
	t.Parallel()
	for name, script := range map[string]string{
		"foreground":  "touch $FILE; exec sleep 1000",
		"children":    "sleep 1000 & sleep 1000 & touch $FILE; wait",
		"daemon":      "(setsid sh -c '(sleep 0.1; touch $FILE; exec sleep 1000) &' &) ; exit 0",
		"late daemon": "(sleep 0.3; touch $FILE; exec sleep 1000) & exit 0",
		"status 1":    "(touch $FILE; exec sleep 1000) & exit 1",
	} {
		test, file := ready(t)
		script = strings.ReplaceAll(script, "$FILE", file)
		w := work{Argv: sh(script), Test: test, Reset: "rm -f " + file, Runs: 2}.run(t)
		if w.Error != "" || len(w.Results) != 2 {
			t.Errorf("%s: %+v", name, w)
			continue
		}
		for _, r := range w.Results {
			if !r.Works || r.Kind != Continues || r.Killed != 0 || r.Exit != "" {
				t.Errorf("%s: %+v", name, r)
			}
		}
	}
}

// TestThreads: a process whose first thread has ended runs as long as another thread does.
func TestThreads(t *testing.T) {
	t.Parallel()
	w := work{
		Argv: []string{"/usr/bin/env", "CAPRUN_TEST_CHILD=threads", "THREADS=20", os.Args[0]},
		Test: "true", Kind: Continues, Settle: 200 * time.Millisecond,
	}
	if r := w.run(t).only(t); !r.Works || r.Kind != Continues {
		t.Errorf("%+v", r)
	}
}

// TestEnds: a program that ends by itself is tested after its end, by its whole tree.
func TestEnds(t *testing.T) {
	t.Parallel()
	file := filepath.Join(t.TempDir(), "file")
	w := work{
		// The test succeeds after the first half already.
		Argv: sh("echo 1 >>" + file + "; (sleep 0.2; echo 2 >>" + file + ") & exit 1"), Test: "cat " + file, Reset: "rm -f " + file,
		Runs: 2,
	}.run(t)
	if w.Error != "" || len(w.Results) != 2 {
		t.Fatalf("%+v", w)
	}
	for _, r := range w.Results {
		if !r.Works || r.Kind != Ends || r.Exit != "exit status 1" || r.ExitOK {
			t.Errorf("%+v", r)
		}
	}
	if text, _ := os.ReadFile(file); string(text) != "1\n2\n" {
		t.Errorf("the program was stopped early: %q", text)
	}
}

// TestAlwaysTrue: a test that is always true.
func TestAlwaysTrue(t *testing.T) {
	t.Parallel()
	if r := (work{Argv: sh("exit 7"), Test: "true"}).run(t).only(t); !r.Works || r.Kind != Ends {
		t.Errorf("a program that fails: %+v", r)
	}
	// A server that is known to stay must not end.
	for script, reason := range map[string]string{
		"exit 7":                    "ended",
		"sleep 0.05; kill -TERM $$": "ended",
	} {
		r := work{Argv: sh(script), Test: "sleep 0.01", Kind: Continues, Settle: 30 * time.Second}.run(t).only(t)
		if r.Works || !strings.Contains(r.Reason, reason) {
			t.Errorf("%q: %+v", script, r)
		}
	}
}

// TestNeverReady: the test never succeeds.
func TestNeverReady(t *testing.T) {
	t.Parallel()
	w := work{Argv: sh("sleep 1000"), Test: "echo not yet >&2; exit 5", Timeout: 3 * time.Second}
	r := w.run(t).only(t)
	if r.Works || !r.TimedOut || r.Reason != "the test did not succeed within 3s: exit status 5: not yet" {
		t.Errorf("%+v", r)
	}
	// A test that does not end.
	w.Test = "sleep 1000"
	if r := w.run(t).only(t); r.Works || !r.TimedOut || r.Took > 20*time.Second {
		t.Errorf("%+v", r)
	}
	// The program ends, and its test does not.
	w = work{Argv: sh("sleep 0.1; exit 3"), Test: "sleep 1000", Kind: Continues}
	if r := w.run(t).only(t); r.Works || r.TimedOut || !strings.Contains(r.Reason, "exit status 3") {
		t.Errorf("%+v", r)
	}
}

// TestIgnoresTerm: a program that ignores SIGTERM, in all its processes, is killed.
func TestIgnoresTerm(t *testing.T) {
	t.Parallel()
	test, file := ready(t)
	r := work{Argv: sh(fmt.Sprintf("trap '' TERM; sleep 1000 & (setsid sleep 1000 &); touch %s; while :; do sleep 1000; done", file)), Test: test}.run(t).only(t)
	if !r.Works || r.Killed < 3 {
		t.Errorf("%+v", r)
	}
}

// TestStopped: a stopped process ends, too.
func TestStopped(t *testing.T) {
	t.Parallel()
	test, file := ready(t)
	r := work{Argv: sh("touch " + file + "; kill -STOP $$; exit 0"), Test: test}.run(t).only(t)
	if !r.Works || r.Killed != 0 {
		t.Errorf("%+v", r)
	}
}

// TestForks: a program that forks while it is stopped.
func TestForks(t *testing.T) {
	t.Parallel()
	test, file := ready(t)
	fork := "trap 'for i in 1 2 3 4 5 6 7 8; do (trap \"\" TERM; exec setsid sleep 1000) & done; exit 0' TERM; touch " + file + "; while :; do sleep 0.01; done"
	if r := (work{Argv: sh(fork), Test: test}).run(t).only(t); !r.Works {
		t.Errorf("%+v", r)
	}
}

// TestCommandLeftovers: what a test and a reset command leave behind ends with them, and is
// not part of the program.
func TestCommandLeftovers(t *testing.T) {
	t.Parallel()
	w := work{Argv: sh("exit 0"), Test: "(setsid sleep 1000 &); sleep 1000 & true", Reset: "(setsid sleep 1000 &); sleep 1000 & true", Runs: 2}
	for _, r := range w.run(t).Results {
		if !r.Works || r.Kind != Ends {
			t.Errorf("%+v", r)
		}
	}
}

// TestReset: a reset command that fails is an error.
func TestReset(t *testing.T) {
	t.Parallel()
	w := work{Argv: sh("exit 0"), Reset: "echo broken; exit 9"}.run(t)
	if w.Reset == nil || w.Error != "the reset command failed: exit status 9: broken" {
		t.Errorf("%+v", w)
	}
	w = work{Argv: sh("exit 0"), Reset: "sleep 1000", Timeout: 300 * time.Millisecond}.run(t)
	if w.Reset == nil || w.Error != "the reset command failed: did not end within 300ms" {
		t.Errorf("%+v", w)
	}
}

// TestResetTimeout: a reset command can take longer than a run may.
func TestResetTimeout(t *testing.T) {
	t.Parallel()
	w := work{Argv: sh("sleep 1000"), Reset: "sleep 0.5", Timeout: 100 * time.Millisecond, ResetLimit: time.Minute}.run(t)
	if w.Reset != nil || w.Error != "" || len(w.Results) != 1 || w.Results[0].Works {
		t.Errorf("%+v", w)
	}
}

// TestRefused: a launch that is refused is an error, with what the launch printed.
func TestRefused(t *testing.T) {
	t.Parallel()
	w := work{Argv: sh("exit 0"), Refuse: true}.run(t)
	if w.Refused == nil || w.Refused.Status == 0 {
		t.Errorf("%+v", w)
	}
}

// TestCancel: nothing is left when the context is done.
func TestCancel(t *testing.T) {
	t.Parallel()
	for _, w := range []work{
		{Argv: sh("trap '' TERM; sleep 1000 & sleep 1000")},
		{Argv: sh("sleep 1000"), Test: "sleep 1000"},
		{Argv: sh("sleep 1000"), Reset: "sleep 1000"},
	} {
		w.Cancel = 300 * time.Millisecond
		if got := w.run(t); got.Error != "context deadline exceeded" {
			t.Errorf("%+v: %+v", w, got)
		}
	}
}

// TestOutput: only the last lines of the program are kept.
func TestOutput(t *testing.T) {
	t.Parallel()
	r := work{Argv: sh("yes 0123456789 | head -c 1000000; printf '\\n\\n%0400d\\n\\033[2Jend'; exit 1")}.run(t).only(t)
	if len(r.Output) != maxLines || r.Output[maxLines-1] != "\x1b[2Jend" || len(r.Output[maxLines-2]) != maxLine {
		t.Errorf("%q", r.Output)
	}
}

// TestIdentities: the users that the processes of the program have are found.
func TestIdentities(t *testing.T) {
	t.Parallel()
	requires.Root(t)
	requires.Tool(t, "setpriv")
	r := work{Argv: sh("setpriv --reuid 33 --regid 44 --groups 44,55 sleep 2")}.run(t).only(t)
	last := r.Identities[len(r.Identities)-1]
	if uid, gid, ok := last.One(); !ok || uid != 33 || gid != 44 || !slices.Equal(last.Groups, []uint32{44, 55}) {
		t.Errorf("%+v", r.Identities)
	}
}

// TestCoveredProc: a program that mounts a file system over /proc hides none of its
// processes.
func TestCoveredProc(t *testing.T) {
	t.Parallel()
	requires.Root(t)
	requires.Tool(t, "mount")
	script := "setsid sleep 1000 & mount -t tmpfs none /proc && echo covered"
	w := work{Argv: sh(script), Private: true}.run(t)
	if r := w.only(t); !r.Works {
		t.Errorf("%+v", r)
	}
}
