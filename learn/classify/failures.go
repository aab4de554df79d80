package classify

import (
	"strings"

	"caprun/learn/observe"
)

// A Baseline has the failed calls of a reference run: they fail even with all
// capabilities, so they show nothing about a run with fewer.
type Baseline map[failure]bool

// failure is a failed call, without numbers that differ between runs.
type failure struct {
	name, args string
	errno      int
}

// NewBaseline returns the failed calls of recordings of working runs. A nil recording has
// none.
func NewBaseline(recordings ...*observe.Recording) Baseline {
	b := Baseline{}
	for _, r := range recordings {
		if r == nil {
			continue
		}
		for i := range r.Failures {
			b[failureOf(r.Failures[i].Call, r.Failures[i].Errno)] = true
		}
	}
	return b
}

// Has reports whether the call failed in the same way in the reference run.
func (b Baseline) Has(call observe.Call, errno int) bool { return b[failureOf(call, errno)] }

// NewFailures returns the calls that failed with EPERM or EACCES in a run and not in the
// reference run. A nil recording has none.
func (b Baseline) NewFailures(r *observe.Recording) Calls {
	var c callCounter
	if r != nil {
		for i := range r.Failures {
			if f := &r.Failures[i]; !b.Has(f.Call, f.Errno) {
				c.add(Call{Call: f.Call, Errno: f.Errno, Command: f.Command, Count: max(f.Count, 1)})
			}
		}
	}
	return c.calls()
}

// failureOf returns the failure without process IDs: those in paths below /proc, and the
// arguments of calls that take a PID.
func failureOf(call observe.Call, errno int) failure {
	args := call.Args
	if hasProcessID(call) {
		args = withoutNumbers(args)
	}
	return failure{call.Name, args, errno}
}

// hasProcessID reports whether the arguments of a call may have process IDs.
func hasProcessID(call observe.Call) bool {
	return strings.HasSuffix(call.Name, "kill") || call.Name == "ptrace" || strings.HasPrefix(call.Name, "sched_") || strings.Contains(call.Args, `"/proc/`)
}

// DiffersBetweenRuns reports whether the same call has other arguments in another run: its
// arguments may have process IDs.
func (c Call) DiffersBetweenRuns() bool { return hasProcessID(c.Call) }

// withoutNumbers replaces each decimal number by a character.
func withoutNumbers(s string) string {
	var b strings.Builder
	digits := false
	for _, r := range s {
		isDigit := '0' <= r && r <= '9'
		if !isDigit {
			b.WriteRune(r)
		} else if !digits {
			b.WriteByte('#')
		}
		digits = isDigit
	}
	return b.String()
}
