package main

import (
	"bytes"
	"testing"
	"time"

	"caprun/internal/render"
	"caprun/learn"
	learnrun "caprun/learn/run"
)

// TestLearnStepExit: the line of a run has how the program ended by itself although the
// test succeeded: in the reference run, and later if it failed.
func TestLearnStepExit(t *testing.T) {
	for _, test := range []struct {
		reference bool
		result    learnrun.Result
		want      string
	}{
		{true, learnrun.Result{Works: true}, "works"},
		{true, learnrun.Result{Works: true, Exit: "exit status 0", ExitOK: true}, "works; the program ended by itself with exit status 0"},
		{true, learnrun.Result{Works: true, Exit: "exit status 1", Output: []string{"a", "\x1b[2Jin use"}}, "works; the program ended by itself with exit status 1: ?[2Jin use"},
		{false, learnrun.Result{Works: true, Exit: "exit status 0", ExitOK: true}, "works"},
		{false, learnrun.Result{Works: true, Exit: "signal SIGKILL"}, "works; the program ended by itself with signal SIGKILL"},
		{true, learnrun.Result{Reason: "ended with exit status 1", Output: []string{"b"}}, "fails: b (ended with exit status 1)"},
	} {
		var b bytes.Buffer
		p := learnPrinter{Command: &Command{Env: render.Env{Stderr: &b}}}
		step := learn.Step{Number: 1, Purpose: "all", Reference: test.reference}
		step.Outcome.Result = test.result
		if p.step(step); b.String() != "run 1, all: "+test.want+" (0.00 s)\n" {
			t.Errorf("%q, want %q", b.String(), test.want)
		}
	}
	var b bytes.Buffer
	p := learnPrinter{Command: &Command{Env: render.Env{Stderr: &b}}}
	p.testedAlone(learnrun.Result{Reason: "exit status 7: \x1b refused", Took: time.Second})
	p.testedAlone(learnrun.Result{Works: true})
	if want := "test without the program: fails: exit status 7: ? refused (1.00 s)\ntest without the program: succeeds (0.00 s)\n"; b.String() != want {
		t.Errorf("%q, want %q", b.String(), want)
	}
}
