package main

import (
	"bytes"
	"strings"
	"testing"

	"caprun/internal/render"
	"caprun/internal/test/outputs"
	"caprun/learn"
	"caprun/learn/observe"
)

// TestLearnLostEvents: a run that lost events says how many, and does not show that the
// program changes to no user.
func TestLearnLostEvents(t *testing.T) {
	for lost, want := range map[uint64][2]string{
		0:    {"run 1, : works (0.00 s)\n", "-uid auto: the program never changes its user, so"},
		1234: {"run 1, : works; events not recorded: 1234 (0.00 s)\n", "-uid auto: events of the first run were lost, and"},
	} {
		var b bytes.Buffer
		p := learnPrinter{Command: &Command{Env: render.Env{Stderr: &b}}}
		p.options.uid.auto = true
		step := learn.Step{Number: 1}
		step.Outcome.Works, step.Outcome.Recording = true, &observe.Recording{Lost: lost}
		p.step(step)
		if b.String() != want[0] {
			t.Errorf("%q, want %q", b.String(), want[0])
		}
		b.Reset()
		r := &learn.Report{}
		r.First.State = learn.Confirmed
		r.First.Evidence.Reference.Lost = lost
		p.offer(r)
		if !strings.HasPrefix(b.String(), want[1]) {
			t.Errorf("%q, want %q", b.String(), want[1])
		}
	}
}

// TestLearnSchema compares the published schema with the type that is encoded.
func TestLearnSchema(t *testing.T) { outputs.Agree(t, "learn", "", learnJSON{}) }

// TestDoesNotWorkHint: only the start as the caller can fail because the program refuses
// that user.
func TestDoesNotWorkHint(t *testing.T) {
	o := learnOptions{uid: secondUID{given: true, uid: 33}}
	for _, test := range []struct {
		identity *learn.Identity
		want     string
	}{{nil, "pass it with -profile instead of -uid"}, {&learn.Identity{UID: 33}, "run the program and the test by hand"}} {
		if got := doesNotWorkHint(&learn.Pass{Identity: test.identity}, o); !strings.HasSuffix(got, test.want) {
			t.Errorf("%v: %q", test.identity, got)
		}
	}
}
