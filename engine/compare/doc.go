// Package compare orders what launches and processes may do.
//
// Two calls compare two plans, and a process with its profile:
//
//	c := compare.Compare(oldPlan, newPlan) // c.Order(), c.Changed()
//	v, err := compare.Verify(p, caller, process) // v.Verdict(), v.Matches(exact)
//
// [Compare] says what a new plan grants more, less, or otherwise than an old one,
// dimension by dimension. [Verify] says the same of a running process and the plan
// that it is held to. Both work on typed values: text is made only for people.
//
// The order is about reach: where a comparison says less or the same, nothing that
// the new target can come to hold, now or later, is out of the old one's reach.
package compare
