package run

import (
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"
)

// TestTestAlone: the test without the program, after the reset command.
func TestTestAlone(t *testing.T) {
	t.Parallel()
	file := filepath.Join(t.TempDir(), "file")
	ran := filepath.Join(t.TempDir(), "ran")
	for _, test := range []struct {
		w      work
		works  bool
		reason string
	}{
		{work{Test: "true"}, true, ""},
		{work{Test: "echo refused; exit 7"}, false, "exit status 7: refused"},
		{work{Test: "test -e " + file, Reset: "touch " + file}, true, ""},
		{work{Test: "test -e " + file, Reset: "rm -f " + file}, false, "exit status 1"},
		{work{Test: "(setsid sleep 1000 &); exit 0"}, true, ""},
	} {
		test.w.Argv, test.w.Alone = sh("touch "+ran), time.Minute
		got := test.w.run(t)
		if r := got.only(t); r.Works != test.works || r.Reason != test.reason || r.TimedOut || got.Left != 0 {
			t.Errorf("%+v: %+v", test.w, got)
		}
	}
	if _, err := os.Stat(ran); err == nil {
		t.Error("the program was run")
	}
}

// TestTestAloneEnds: a test that waits for the program is stopped. The limit is that of the
// test, and not that of the reset command.
func TestTestAloneEnds(t *testing.T) {
	t.Parallel()
	const limit = 500 * time.Millisecond
	got := work{Alone: limit, Test: "sleep 1000", Reset: "sleep 1", Timeout: time.Minute}.run(t)
	if r := got.only(t); r.Works || !r.TimedOut || r.Reason != "did not end within 500ms" || got.Left != 0 {
		t.Errorf("%+v", got)
	}
	got = work{Alone: time.Minute, Test: "sleep 1000", Cancel: limit}.run(t)
	if got.Error != "context deadline exceeded" || got.Left != 0 {
		t.Errorf("%+v", got)
	}
	got = work{Alone: time.Minute, Test: "true", Reset: "exit 3"}.run(t)
	if got.Reset == nil || !strings.Contains(got.Error, "exit status 3") {
		t.Errorf("%+v", got)
	}
}

// TestExit: how a program has ended that reported a failure or none before the test decided.
func TestExit(t *testing.T) {
	t.Parallel()
	for script, want := range map[string]Result{
		"exit 0":             {Exit: "exit status 0", ExitOK: true},
		"echo in use; false": {Exit: "exit status 1"},
		"kill -9 $$":         {Exit: "signal SIGKILL"},
		"exec sleep 1000":    {},
	} {
		r := work{Argv: sh(script), Test: "true"}.run(t).only(t)
		if !r.Works || r.Exit != want.Exit || r.ExitOK != want.ExitOK {
			t.Errorf("%q: %+v", script, r)
		}
	}
}
