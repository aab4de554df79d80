package evidence

import (
	"context"
	"testing"

	"caprun/engine/cred"
	"caprun/learn/classify"
	"caprun/learn/observe"
	"caprun/learn/search"
)

// TestBaseline: a denied call that fails in the reference run, too, is neither the reason
// of a failure nor a call that fails now.
func TestBaseline(t *testing.T) {
	kill := observe.Call{Name: "kill", Args: "1, 0"}
	reference := &observe.Recording{
		Symbols:  true,
		Checks:   []observe.Check{{Cap: 5, Call: kill, Errno: 1, Count: 1}, {Cap: 10, Call: observe.Call{Name: "bind"}, Count: 1}},
		Failures: []observe.Failure{{Call: kill, Errno: 1, Count: 1}},
	}
	baseline := classify.NewBaseline(reference)
	in := Input{Base: rootBase(nil), Reference: NewRun("", reference, nil), Baseline: baseline, Runs: map[int]Run{}}
	record := func(set cred.Caps) Run {
		r := &observe.Recording{Checks: []observe.Check{{Cap: 5, Denied: !set.Has(5), Call: kill, Errno: 1, Count: 1}, {Cap: 10, Denied: !set.Has(10), Call: observe.Call{Name: "bind"}, Count: 1}}}
		reason := ""
		if !set.Has(10) {
			reason = "exit status 1"
		}
		return NewRun(reason, r, baseline)
	}
	number := 0
	in.Search, _ = search.Minimize(t.Context(), func(_ context.Context, set cred.Caps) (search.Outcome, error) {
		number++
		in.Runs[number] = record(set)
		return in.Runs[number].Outcome(), nil
	}, search.Guess{Strong: cred.CapsOf(5, 10), All: in.Base.Allowed()})
	r := Judge(in)
	if len(r.Verdicts) != 2 || r.Verdicts[0].Kind != Needed || r.Verdicts[1].Kind != NotNeeded || len(r.Verdicts[1].Failing) != 0 {
		t.Errorf("%+v", r.Verdicts)
	}
}
