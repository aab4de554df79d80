package classify

import (
	"slices"

	"caprun/learn/observe"
)

// Executed describes the programs that a process tree executed.
type Executed struct {
	// Privileged reports whether one of them is set-user-ID or set-group-ID or has file
	// capabilities. It is Unknown if that is unknown for one of them and none is known to
	// be so, or if events were lost.
	Privileged observe.Tristate

	// Paths are the privileged ones, in the order of time, at most MaxPaths.
	Paths []string

	// Unobserved are those at which the kernel ended the observation of the process, at
	// most MaxPaths. A path may be "".
	Unobserved []string
}

// MaxPaths is the largest number of paths in each list of Executed.
const MaxPaths = 8

// Programs returns what the process tree executed. For nil, a run without tracing, nothing
// is known.
func Programs(r *observe.Recording) Executed {
	var e Executed
	if r == nil {
		return e
	}
	unknown := r.Lost > 0 || len(r.Execs) == 0
	for i := range r.Execs {
		x := &r.Execs[i]
		switch x.Privileged {
		case observe.Yes:
			e.Privileged = observe.Yes
			e.Paths = appendPath(e.Paths, x.Path)
		case observe.Unknown:
			unknown = true
		}
		if x.Unobserved {
			unknown = true
			e.Unobserved = appendPath(e.Unobserved, x.Path)
		}
	}
	if e.Privileged != observe.Yes && !unknown {
		e.Privileged = observe.No
	}
	return e
}

// Merge returns what two runs executed.
func (e Executed) Merge(other Executed) Executed {
	switch {
	case e.Privileged == observe.Yes || other.Privileged == observe.Yes:
		e.Privileged = observe.Yes
	case e.Privileged != other.Privileged:
		e.Privileged = observe.Unknown
	}
	e.Paths, e.Unobserved = slices.Clone(e.Paths), slices.Clone(e.Unobserved)
	for _, path := range other.Paths {
		e.Paths = appendPath(e.Paths, path)
	}
	for _, path := range other.Unobserved {
		e.Unobserved = appendPath(e.Unobserved, path)
	}
	return e
}

func appendPath(list []string, path string) []string {
	if len(list) == MaxPaths || slices.Contains(list, path) {
		return list
	}
	return append(list, path)
}
