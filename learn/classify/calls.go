package classify

import (
	"cmp"
	"slices"

	"caprun/learn/observe"
)

// A Call is a system call that occurred one or more times.
type Call struct {
	observe.Call

	// Errno is EPERM (1) or EACCES (13) if the call then failed with it, or else 0.
	Errno int

	// Command is the name of the first thread that made the call.
	Command string

	// Netlink reports that the check was part of a netlink request. The kernel reports the
	// error of such a request in its reply, so the system call succeeds.
	Netlink bool

	Count int // at least 1
}

// Calls are different calls, failed ones first, then the most frequent.
type Calls struct {
	List  []Call // at most MaxCalls
	Other int    // the number of occurrences that are not in List
}

// MaxCalls is the largest number of calls in a list.
const MaxCalls = 8

// maxDifferent is the number of different calls that are told apart: a program that opens
// each file of a directory makes a different call for each.
const maxDifferent = 4096

// callCounter counts equal calls.
type callCounter struct {
	index map[Call]int
	list  []Call
	other int
}

func (c *callCounter) add(call Call) {
	key := call
	key.Command, key.Count = "", 0
	if at, ok := c.index[key]; ok {
		c.list[at].Count += call.Count
		return
	}
	if len(c.list) == maxDifferent {
		c.other += call.Count
		return
	}
	if c.index == nil {
		c.index = map[Call]int{}
	}
	c.index[key] = len(c.list)
	c.list = append(c.list, call)
}

// calls returns the most important calls. Of equal ones the first in time comes first. A
// call whose arguments are unknown is not in the list if another one with this name and
// result is.
func (c *callCounter) calls() Calls {
	known := map[Call]bool{}
	for _, call := range c.list {
		if call.Args != "" {
			known[sameName(call)] = true
		}
	}
	other := c.other
	list := make([]Call, 0, len(c.list))
	for _, call := range c.list {
		if call.Args == "" && known[sameName(call)] {
			other += call.Count
		} else {
			list = append(list, call)
		}
	}
	slices.SortStableFunc(list, func(a, b Call) int {
		if failed := (a.Errno != 0) != (b.Errno != 0); failed {
			return cmp.Compare(b.Errno, a.Errno)
		}
		return cmp.Compare(b.Count, a.Count)
	})
	for _, call := range list[min(len(list), MaxCalls):] {
		other += call.Count
	}
	return Calls{List: slices.Clone(list[:min(len(list), MaxCalls)]), Other: other}
}

// sameName returns what calls with the same name and result have in common.
func sameName(c Call) Call {
	return Call{Call: observe.Call{Name: c.Name}, Errno: c.Errno, Netlink: c.Netlink}
}

// mostFrequent returns up to limit keys, the most frequent first.
func mostFrequent(counts map[string]int, limit int) []string {
	keys := make([]string, 0, len(counts))
	for key := range counts {
		keys = append(keys, key)
	}
	slices.SortFunc(keys, func(a, b string) int {
		return cmp.Or(cmp.Compare(counts[b], counts[a]), cmp.Compare(a, b))
	})
	return keys[:min(len(keys), limit)]
}
