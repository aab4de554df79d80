package evidence

import (
	"slices"
	"testing"

	"caprun/learn/classify"
	"caprun/learn/search"
)

// TestArgumentsOfOtherRuns: arguments that one run lacks are those of the same denial in the
// other runs, if these agree.
func TestArgumentsOfOtherRuns(t *testing.T) {
	const log = `openat("/var/log/nginx/error.log")`
	denied := func(in *Input, run, capability int) []classify.Call {
		return in.Runs[run].Uses[capability].DeniedCalls.List
	}
	for _, test := range []struct {
		name       string
		scene      string
		capability int
		others     func(run int, list []classify.Call) // changes the calls of the other runs
		want       string
	}{
		{"known elsewhere", "nginx", 1, func(int, []classify.Call) {}, log},
		{"known in one run", "nginx", 1, func(run int, list []classify.Call) {
			if run > 1 {
				list[0].Args = ""
			}
		}, log},
		{"unknown everywhere", "nginx", 1, func(_ int, list []classify.Call) { list[0].Args = "" }, "openat"},
		{"two files", "nginx", 1, func(run int, list []classify.Call) {
			if run > 1 {
				list[0].Args = `"/run/nginx.pid"`
			}
		}, "openat"},
		{"another error", "nginx", 1, func(_ int, list []classify.Call) { list[0].Errno = 1 }, "openat"},
		{"another call", "nginx", 1, func(_ int, list []classify.Call) { list[0].Name = "open" }, "openat"},
		{"another number of calls", "nginx", 1, func(_ int, list []classify.Call) { list[0].Count = 2 }, "openat"},
		{"a netlink request", "nginx", 1, func(_ int, list []classify.Call) { list[0].Netlink = true }, "openat"},
		{"a process ID", "sshd", 5, func(int, []classify.Call) {}, "kill"},
	} {
		in := scenes()[test.scene].input(t)
		of := func(v Verdict) bool { return v.Number == test.capability }
		before := Judge(in)
		at := slices.IndexFunc(before.Verdicts, of)
		// The runs of the verdict lack the argument.
		lacks := func(run int) bool {
			v := before.Verdicts[at]
			if v.Kind == CallFails {
				return run == in.Search.Trials[slices.IndexFunc(in.Search.Trials, func(t search.Trial) bool { return t.Set == in.Search.Set })].Run
			}
			return in.Runs[run].Number == v.Without.Run
		}
		others := 0
		for run := range in.Runs {
			switch list := denied(&in, run, test.capability); {
			case len(list) == 0:
			case lacks(run):
				list[0].Args = ""
			default:
				others++
				test.others(run, list)
			}
		}
		v := Judge(in).Verdicts[at]
		calls := v.Failing
		if v.Without != nil {
			calls = v.Without.Denied
		}
		if others < 2 || len(calls) == 0 || calls[0].Text != test.want {
			t.Errorf("%s: %d other runs, %+v, want %s", test.name, others, calls, test.want)
		}
		if test.capability == 1 && (len(v.Paths) > 0) != (test.want == log) {
			t.Errorf("%s: paths %+v", test.name, v.Paths)
		}
	}
}

// TestArgumentsOfOtherOutcomes: what a run that works lacks is not taken from runs that fail:
// these can take another path.
func TestArgumentsOfOtherOutcomes(t *testing.T) {
	s := scenes()["sshd"]
	s.checks = append(slices.Clone(s.checks[:2]), check(5, "openat", `"/run/sshd.pid"`, 13, ""), check(18, "chroot", `"/run/sshd"`, 1, "closed"))
	for _, works := range []bool{true, false} {
		in := s.input(t)
		first := true
		for _, trial := range in.Search.Trials {
			list := in.Runs[trial.Run].Uses[5].DeniedCalls.List
			if len(list) > 0 && (first || trial.Outcome.Works == works) {
				list[0].Args = ""
			}
			first = first && !(trial.Outcome.Works && trial.Set == in.Search.Set)
		}
		r := Judge(in)
		at := slices.IndexFunc(r.Verdicts, func(v Verdict) bool { return v.Number == 5 })
		want := map[bool]string{true: "openat", false: `openat("/run/sshd.pid")`}[works]
		if calls := r.Verdicts[at].Failing; len(calls) != 1 || calls[0].Text != want {
			t.Errorf("unread in the runs that work: %v: %+v, want %s", works, calls, want)
		}
	}
}
