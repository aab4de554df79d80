package evidence

import (
	"cmp"
	"math"
	"slices"
	"strconv"

	"caprun/engine/cred"
	"caprun/internal/profiletext"
	"caprun/learn/classify"
	"caprun/learn/search"
)

const (
	// maxCalls is the largest number of calls in a list of a report.
	maxCalls = 4

	// maxArguments is the largest number of arguments of the program in a report, and
	// maxTrials that of runs: only a search without a limit has more.
	maxArguments, maxTrials = 32, 1000
)

// Judge returns the report about what was run. It copies and bounds all texts.
func Judge(in Input) *Report {
	found := &in.Search
	r := &Report{
		Version: 1, UID: in.UID, GID: in.GID,
		Test: profiletext.Inert(in.Test, MaxText), Reset: profiletext.Inert(in.Reset, MaxText),
		Works: found.Works, Proved: found.Minimal && in.Shown(),
		Capabilities: found.Set.Names(), Confirmations: found.Confirmed,
		Runs: in.TotalRuns, Seconds: math.Round(in.Took.Seconds()*10) / 10,
		NoNewPrivs: in.NoNewPrivs.String(), NoRoot: in.NoRoot.String(),
		Verdicts: []Verdict{}, Trials: []Trial{},
		base: in.Base, composed: in.Profile,
		settings: Settings{Caps: found.Set, NoNewPrivs: in.NoNewPrivs == Passed, NoRoot: in.NoRoot == Passed},
	}
	for _, word := range in.Program[:min(len(in.Program), maxArguments)] {
		r.Program = append(r.Program, profiletext.Inert(word, MaxText))
	}
	if len(in.Program) > maxArguments {
		r.Program = append(r.Program, "...")
	}
	for _, set := range found.Alternatives {
		r.Alternatives = append(r.Alternatives, set.Names())
	}
	for _, id := range in.Identities {
		r.Identities = append(r.Identities, identityOf(id))
	}
	for _, t := range found.Trials[:min(len(found.Trials), maxTrials)] {
		r.Trials = append(r.Trials, Trial{
			Run: in.number(t), Purpose: t.Purpose.String(), Capabilities: t.Set.Names(),
			Works: t.Outcome.Works, Reason: profiletext.Inert(in.Runs[t.Run].Reason, MaxText),
		})
	}
	j := judge{in: &in, later: laterRuns(&in)}
	for n := range found.Set.Union(in.Reference.Uses.Checked()).Union(j.failingCaps()).All() {
		r.Verdicts = append(r.Verdicts, j.verdict(n))
	}
	slices.SortStableFunc(r.Verdicts, func(a, b Verdict) int { return order(a.Kind) - order(b.Kind) })
	r.Limits = limitsOf(&in, r)
	if text, err := r.ProfileText(); err == nil {
		r.Profile = string(text)
	}
	return r
}

// number returns the number of a run in the report.
func (in *Input) number(t search.Trial) int { return cmp.Or(in.Runs[t.Run].Number, t.Run) }

// order returns the place of a kind in a table.
func order(k Kind) int {
	return slices.Index([]Kind{Needed, Unconfirmed, CallFails, FirstRunOnly, Undecided, NotNeeded}, k)
}

// laterRuns returns the recorded runs after the reference run, in order.
func laterRuns(in *Input) []laterRun {
	var list []laterRun
	for _, t := range in.Search.Trials {
		if run := in.Runs[t.Run]; run.Traced {
			list = append(list, laterRun{t, run})
		}
	}
	return list
}

// laterRun is a recorded run of the search.
type laterRun struct {
	search.Trial
	run Run
}

// judge makes the verdicts.
type judge struct {
	in    *Input
	later []laterRun
}

func (j *judge) verdict(n int) Verdict {
	use := j.in.Reference.Uses[n]
	v := Verdict{Capability: cred.CapsOf(n).Names()[0], Number: n, Checks: use.Checks(), unrecorded: !j.in.Reference.Traced, incomplete: j.in.Reference.Lost > 0}
	calls := use.StrongCalls
	if use.Strong == 0 {
		calls = use.WeakCalls
	}
	if use.Strong+use.Weak == 0 {
		calls = use.DeniedCalls
	}
	v.Calls = callsOf(calls.List, maxCalls)
	listed := 0
	for _, c := range v.Calls {
		listed += c.Count
	}
	v.OtherCalls = v.Checks - listed
	for _, command := range use.Commands {
		v.Commands = append(v.Commands, profiletext.Inert(command, 16))
	}
	v.Kind = j.kind(n, &v)
	if v.Kind == Needed || v.Kind == Unconfirmed {
		v.Without = j.failure(n)
		v.Instead = j.instead(n)
		v.Paths = j.paths(n)
	}
	return v
}

// kind returns the verdict on capability n, and sets v.Failing for CallFails, and
// v.unseenLater.
func (j *judge) kind(n int, v *Verdict) Kind {
	found := &j.in.Search
	switch {
	case !found.Works:
		return Undecided
	case found.Set.Has(n):
		if _, failed := found.Necessary[n]; failed && found.Minimal && j.in.Shown() {
			return Needed
		}
		return Unconfirmed
	}
	if v.Failing = j.failing(n); len(v.Failing) > 0 {
		return CallFails
	}
	checkedLater := slices.ContainsFunc(j.later, func(l laterRun) bool { return l.run.Uses[n].Checks() > 0 })
	if j.in.Reference.Uses[n].Strong == 0 || len(j.later) == 0 || checkedLater {
		return NotNeeded
	}
	if slices.ContainsFunc(j.later, func(l laterRun) bool { return l.run.Lost > 0 }) {
		v.unseenLater = true
		return NotNeeded
	}
	return FirstRunOnly
}

// failingCaps returns the capabilities without which a call fails in a run that works with
// the final set.
func (j *judge) failingCaps() cred.Caps {
	var set cred.Caps
	for _, l := range j.later {
		for n := range l.run.Uses.Checked().Minus(j.in.Search.Set).All() {
			if len(j.failing(n)) > 0 {
				set = set.With(n)
			}
		}
	}
	return set
}

// failing returns the calls that fail because of capability n in a run that works with the
// final set, and not in the reference run.
func (j *judge) failing(n int) []Call {
	for _, l := range j.later {
		if l.Set == j.in.Search.Set && l.Outcome.Works {
			if calls := j.newlyFailed(j.denied(l.Trial, n)); len(calls) > 0 {
				return callsOf(calls, maxCalls)
			}
		}
	}
	return nil
}

// newlyFailed returns the calls that failed, and not in the reference run.
func (j *judge) newlyFailed(list []classify.Call) []classify.Call {
	var failed []classify.Call
	for _, c := range list {
		if c.Errno != 0 && !j.in.Baseline.Has(c.Call, c.Errno) {
			failed = append(failed, c)
		}
	}
	return failed
}

// failure returns what the run without capability n showed, nil if there was none.
func (j *judge) failure(n int) *Failure {
	trial, ok := j.trialWithout(n)
	if !ok {
		return nil
	}
	run := j.in.Runs[trial.Run]
	f := &Failure{
		Run: j.in.number(trial), Reason: profiletext.Inert(run.Reason, MaxText),
		Larger: trial.Set != j.in.Search.Set.Without(n), Recorded: run.Traced, Incomplete: run.Lost > 0,
	}
	denied := j.denied(trial, n)
	for _, c := range denied {
		f.Netlink = f.Netlink || c.Netlink
	}
	if failed := j.newlyFailed(denied); len(failed) > 0 {
		f.Denied = callsOf(failed, maxCalls)
		return f
	}
	// A call that also fails in the reference run is not the reason.
	denied = slices.DeleteFunc(slices.Clone(denied), func(c classify.Call) bool { return c.Errno != 0 })
	f.Denied = callsOf(denied, maxCalls)
	f.Failed = callsOf(slices.DeleteFunc(slices.Clone(run.Failed.List), j.failsAnyway), maxCalls)
	return f
}

// failsAnyway reports whether a call also fails in a run that works with the final set.
// Arguments are not always known.
func (j *judge) failsAnyway(c classify.Call) bool {
	return slices.ContainsFunc(j.later, func(l laterRun) bool {
		return l.Set == j.in.Search.Set && l.Outcome.Works && slices.ContainsFunc(l.run.Failed.List, func(other classify.Call) bool {
			return c.Name == other.Name && c.Errno == other.Errno && (c.Args == other.Args || c.Args == "" || other.Args == "")
		})
	})
}

// trialWithout returns the failed run without capability n: that of the final set, or else
// the last one of a larger set. Of equal runs it returns one that recorded the denied check,
// if there is one.
func (j *judge) trialWithout(n int) (search.Trial, bool) {
	if t, ok := j.in.Search.Necessary[n]; ok {
		for _, l := range j.later {
			if l.Set == t.Set && !l.Outcome.Works && l.run.Uses[n].Denied > 0 {
				return l.Trial, true
			}
		}
		return t, true
	}
	for _, t := range slices.Backward(j.in.Search.Trials) {
		if t.Without == cred.CapsOf(n) && t.With == 0 && !t.Outcome.Works {
			return t, true
		}
	}
	return search.Trial{}, false
}

// instead returns the capabilities that replace n in a set that works.
func (j *judge) instead(n int) []string {
	var names []string
	set := j.in.Search.Set
	for _, other := range j.in.Search.Alternatives {
		if set.Minus(other) == cred.CapsOf(n) && other.Minus(set).Len() == 1 {
			names = append(names, other.Minus(set).Names()...)
		}
	}
	return names
}

func identityOf(id classify.Identity) Identity {
	i := Identity{UID: id.UID, Command: profiletext.Inert(id.Command, 16), Processes: id.Processes}
	if id.GIDKnown {
		gid := id.GID
		i.GID = &gid
	}
	if id.GroupsKnown {
		i.Groups = slices.Clone(id.Groups[:min(len(id.Groups), maxArguments)])
	}
	return i
}

func callsOf(list []classify.Call, limit int) []Call {
	var calls []Call
	for _, c := range list[:min(len(list), limit)] {
		calls = append(calls, Call{Text: callText(c), Errno: errnoText(c.Errno), Count: c.Count})
	}
	return calls
}

// callText returns a call such as `bind(0.0.0.0:80)`, or its name if the arguments are
// unknown.
func callText(c classify.Call) string {
	switch {
	case c.Name == "":
		return "unknown call"
	case c.Args == "":
		return profiletext.Inert(c.Name, MaxText)
	}
	return profiletext.Inert(c.Name, MaxText/4) + "(" + profiletext.Inert(c.Args, MaxText/2) + ")"
}

// errnoText returns the name of an error number, or "" for 0.
func errnoText(errno int) string {
	switch errno {
	case 0:
		return ""
	case 1:
		return "EPERM"
	case 13:
		return "EACCES"
	}
	return "errno " + strconv.Itoa(errno)
}
