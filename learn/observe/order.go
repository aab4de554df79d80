package observe

import (
	"cmp"
	"slices"
)

// An orderer brings the events of several rings into the order of time.
//
// A round reads all that the rings have. An event that is written after a ring was read may
// be older than one that was read from a ring after it, in the same round. But whatever is
// older than the newest event of a round was in a ring at the end of this round, and so is
// read in the next one at the latest.
type orderer struct {
	waiting []event
	newest  uint64 // time of the newest event of all rounds so far
}

// round takes the events of one round, and calls visit with those that no later round can
// precede.
func (o *orderer) round(events []event, visit func(event)) {
	safe := o.newest
	for _, e := range events {
		o.newest = max(o.newest, e.time)
	}
	o.waiting = append(o.waiting, events...)
	slices.SortStableFunc(o.waiting, func(a, b event) int { return cmp.Compare(a.time, b.time) })
	end, _ := slices.BinarySearchFunc(o.waiting, safe, func(e event, t uint64) int {
		if e.time <= t {
			return -1
		}
		return 1
	})
	for _, e := range o.waiting[:end] {
		visit(e)
	}
	o.waiting = append(o.waiting[:0], o.waiting[end:]...)
}

// flush calls visit with the events that wait for a next round.
func (o *orderer) flush(visit func(event)) {
	for _, e := range o.waiting {
		visit(e)
	}
	o.waiting = nil
}
