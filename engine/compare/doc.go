// Package compare compares the privileges of two launches, or of a process and a
// launch.
//
//	c := compare.Compare(oldPlan, newPlan) // c.Order(), c.Changed()
//	v, err := compare.Verify(p, caller, process) // v.Verdict(), v.Matches(exact)
//
// [Compare] reports whether a new plan grants more or less than an old one, dimension by
// dimension. [Verify] does the same for a running process and the plan of its profile.
// Both compare typed values, never text.
//
// The order is about what a target can reach, not only about its state at start. If a
// comparison reports less or the same, the new target can never gain a privilege that the
// old target cannot gain too.
package compare
