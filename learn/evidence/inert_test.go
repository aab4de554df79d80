package evidence

import (
	"context"
	"strings"
	"testing"

	"caprun/engine/cred"
	"caprun/learn/classify"
	"caprun/learn/observe"
	"caprun/learn/search"
)

func TestInert(t *testing.T) {
	for _, test := range []struct{ text, want string }{
		{"openat", "openat"},
		{"a\nb\tc\x1b[2J", "a?b c?[2J"},
		{"\u00e9\u202e\u2028", "???"},
		{"\xff", "?"},
		{"::error::x", "?:error::x"},
		{"a ::error::x", "a ?:error::x"},
		{"[::1]:80", "[::1]:80"},
		{"vim:set x:", "vim?set x:"},
		{"# vim600: set x:", "# vim600? set x:"},
		{" vi:x", " vi?x"},
		{"a ex: x", "a ex? x"},
		{"index: ex:", "index: ex?"},
		{"nvim:x", "nvim:x"},
		{"-*- mode: c -*-", "-?- mode: c -?-"},
		{"yaml-language-server: $schema=x", "yaml-language-server: ?schema=x"},
		{"##[command]x", "##?command]x"},
		{strings.Repeat("a", 40), strings.Repeat("a", 40)},
		{strings.Repeat("a", 41), strings.Repeat("a", 37) + "..."},
		{strings.Repeat("\u00e9", 5000), strings.Repeat("?", 37) + "..."},
	} {
		if got := inert(test.text, 40); got != test.want {
			t.Errorf("%q: %q, want %q", test.text, got, test.want)
		}
	}
}

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
