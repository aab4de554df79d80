package evidence

import (
	"slices"

	"caprun/learn/classify"
	"caprun/learn/search"
)

// denied returns the calls in which the kernel denied capability n in a trial of the search.
// The arguments of a call that failed are missing if they could not be read in time; they
// are then those of the same denial in other runs, if that is certain enough.
func (j *judge) denied(t search.Trial, n int) []classify.Call {
	list := slices.Clone(j.in.Runs[t.Run].Uses[n].DeniedCalls.List)
	for at := range list {
		if c := &list[at]; c.Args == "" && c.Name != "" && c.Errno != 0 {
			c.Args = j.argumentsElsewhere(n, t.Outcome.Works, *c)
		}
	}
	return list
}

// argumentsElsewhere returns the arguments that a call without them has in the other runs of
// the search; "" if they are not known. All runs with arguments of this call, with this
// error and because of capability n, must agree. One of them must have as many of these
// calls, and must work or fail as the run of the call does: otherwise the call can be
// another one, such as one that opens another file.
func (j *judge) argumentsElsewhere(n int, works bool, call classify.Call) string {
	args, same := "", false
	for _, l := range j.later {
		list := l.run.Uses[n].DeniedCalls.List
		for _, c := range list {
			if c.Name != call.Name || c.Errno != call.Errno || c.Netlink != call.Netlink || c.Args == "" {
				continue
			}
			// A list that is full may lack other arguments.
			if args != "" && c.Args != args || c.DiffersBetweenRuns() || len(list) == classify.MaxCalls {
				return ""
			}
			args, same = c.Args, same || c.Count == call.Count && l.Outcome.Works == works
		}
	}
	if !same {
		return ""
	}
	return args
}
