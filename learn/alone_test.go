package learn

import (
	"context"
	"errors"
	"slices"
	"strings"
	"testing"
	"time"

	"caprun/learn/evidence"
	"caprun/learn/run"
)

// TestSucceedsAlone: nothing is run if the test succeeds without the program.
func TestSucceedsAlone(t *testing.T) {
	for reset, want := range map[string]string{"": "; stop what answers it, or pass a test", "rm x": ", after the reset command; stop what answers it"} {
		f := newFake(t, bind, bind)
		f.alone = func(int) bool { return true }
		told := 0
		r, err := f.learn(context.Background(), Config{Test: "true", Reset: reset, TestedAlone: func(r run.Result) { told++ }})
		if err == nil || !strings.HasPrefix(err.Error(), "the test succeeds without the program"+want) || len(f.profiles) != 0 || r.First.State != Unconfirmed || told != 1 || evidence.Judge(r.First.Evidence).Limits[0].Code != "test-alone" {
			t.Errorf("%v after %d runs, %v", err, len(f.profiles), r.First.State)
		}
	}
	// Without a test there is nothing to check, and a test that fails is no error.
	for test, checks := range map[string]int{"": 0, "curl": 1} {
		f := newFake(t, bind, bind)
		f.alone = func(int) bool { return test == "" }
		if p := f.result(Config{Test: test}); p.State != Confirmed || len(f.aloneLimits) != checks || checks > 0 && f.aloneLimits[0] != aloneTime {
			t.Errorf("%q: %v, limits %v", test, p.State, f.aloneLimits)
		}
	}
	// An interruption, and a reset command that fails.
	for _, cause := range []error{context.Canceled, errStopped} {
		f := newFake(t, bind, bind)
		ctx, cancel := context.WithCancel(context.Background())
		f.stop = func(int) error { cancel(); return cause }
		if _, err := f.learn(ctx, Config{Test: "curl"}); !errors.Is(err, cause) || len(f.profiles) != 0 {
			t.Errorf("%v after %d runs", err, len(f.profiles))
		}
	}
}

// TestLeftForTest: a program that works without any capability because a run has left what
// the test checks is not confirmed.
func TestLeftForTest(t *testing.T) {
	f := newFake(t, 0, bind)
	f.alone = func(runs int) bool { return runs > 0 }
	p := f.result(Config{Test: "test -e file"})
	if p.State != Unconfirmed || !p.Found || !p.Evidence.TestAlone {
		t.Errorf("%v %+v", p.State, p.Settings)
	}
	// It needs a capability, so the test notices what is missing.
	f = newFake(t, bind, bind)
	f.alone = func(runs int) bool { return runs > 0 }
	if p := f.result(Config{Test: "test -e file"}); p.State != Confirmed || len(f.aloneLimits) != 1 {
		t.Errorf("%v, limits %v", p.State, f.aloneLimits)
	}
}

// TestSlowAlone: a test that takes longer than the first check of it waits is checked for
// the whole limit of a run if the program works without any capability.
func TestSlowAlone(t *testing.T) {
	f := newFake(t, 0, bind)
	f.alone = func(int) bool { return f.aloneLimits[len(f.aloneLimits)-1] > aloneTime }
	p := f.result(Config{Test: "sleep 11"})
	if want := []time.Duration{aloneTime, time.Minute}; p.State != Unconfirmed || !slices.Equal(f.aloneLimits, want) {
		t.Errorf("%v, limits %v, want %v", p.State, f.aloneLimits, want)
	}
}

// TestEndedByItself: a program that has ended with an error is not confirmed, although the
// test succeeds.
func TestEndedByItself(t *testing.T) {
	for exit, state := range map[string]State{"exit status 0": Confirmed, "exit status 1": Unconfirmed, "signal SIGKILL": Unconfirmed, "": Confirmed} {
		for _, need := range []func() *fake{func() *fake { return newFake(t, bind, bind) }, func() *fake { return newFake(t, 0, 0) }} {
			f := need()
			f.exit = exit
			var first Step
			p := f.result(Config{Test: "curl", Ended: func(s Step) {
				if s.Number == 1 {
					first = s
				} else if s.Reference {
					t.Errorf("run %d is a reference run", s.Number)
				}
			}})
			if p.State != state || !first.Reference || first.Outcome.Exit != exit {
				t.Errorf("%q: %v, %+v", exit, p.State, first)
			}
			e := p.Evidence.Ended
			if (e == nil) != (exit == "") || e != nil && *e != (evidence.Exit{Status: exit, Failed: state != Confirmed, Output: "last"}) {
				t.Errorf("%q: %+v", exit, e)
			}
		}
	}
}

// TestAloneLimit: the limit is that of a run, if that is shorter.
func TestAloneLimit(t *testing.T) {
	f := newFake(t, bind, bind)
	c := Config{Test: "curl", Program: []string{"/bin/fake"}, Timeout: time.Second}
	l := &learner{config: c, machine: f, Pass: &Pass{}}
	if err := l.checkTest(context.Background()); err != nil || f.aloneLimits[0] != time.Second {
		t.Errorf("%v %v", err, f.aloneLimits)
	}
}
