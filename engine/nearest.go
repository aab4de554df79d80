package engine

import (
	"slices"

	"caprun/engine/cred"
	"caprun/policy"
)

// nearest returns the declaration nearest to the one that has no plan, and
// whether there is one. It compiles for the same profile, caller and target
// with caps alone replaced; names no capability that the declared one does not
// name; and grants all that was declared to be permitted or effective, with
// what was declared to be effective being so. Of all such declarations it is
// the one that changes the fewest bits, a bit being one capability in one of
// the three sets; of those the one that permits the least; of those the one
// in which the least is inheritable.
//
// The rules of exec look at each capability by itself, once the ids, the
// securebits and the file are given, unless the real and the effective uid differ
// under no_new_privs. So each is decided by itself, in a kernel that has no
// other; and the model has the last word about the whole.
func (c *compiler) nearest() (declaredCaps, bool) {
	var near declaredCaps
	for n := range 64 {
		if !c.caps.named().Has(n) {
			continue
		}
		one, ok := c.nearestBit(n)
		if !ok {
			return declaredCaps{}, false
		}
		near = declaredCaps{near.e.Union(one.e), near.p.Union(one.p), near.i.Union(one.i)}
	}
	_, ok := c.withCaps(&near).solve()
	return near, ok
}

// nearestBit returns what is nearest to the declaration for one capability.
func (c *compiler) nearestBit(n int) (declaredCaps, bool) {
	one := c.restrictTo(n)
	d := *one.caps
	var best declaredCaps
	var least []int
	for bits := range cred.Caps(8) {
		try := declaredCaps{bits & 1 << n, bits >> 1 & 1 << n, bits >> 2 << n}
		if !d.e.Union(d.p).SubsetOf(try.p) || !d.e.SubsetOf(try.e) {
			continue
		}
		changed := (d.e ^ try.e).Len() + (d.p ^ try.p).Len() + (d.i ^ try.i).Len()
		cost := []int{changed, try.p.Len(), try.i.Len()}
		if least != nil && slices.Compare(cost, least) >= 0 {
			continue
		}
		one.caps = &try
		if _, ok := one.solve(); ok {
			best, least = try, cost
		}
	}
	return best, least != nil
}

// restrictTo returns the compiler for a kernel in which only capability n counts.
// The caller keeps what the steps need, but cannot grant it to the target.
func (c *compiler) restrictTo(n int) *compiler {
	bit := cred.CapsOf(n)
	able := bit.Union(neededCaps())
	one := *c
	f := &one.Caller
	f.Permitted, f.Effective = f.Permitted.Intersect(able), f.Effective.Intersect(able)
	f.Inheritable, f.Bounding, f.Ambient = f.Inheritable.Intersect(bit), f.Bounding.Intersect(bit), f.Ambient.Intersect(bit)
	one.Target.File.Permitted &= bit
	one.Target.File.Inheritable &= bit
	one.Target.Alternatives = slices.Clone(c.Target.Alternatives)
	for n := range one.Target.Alternatives {
		a := &one.Target.Alternatives[n].File
		a.Permitted &= bit
		a.Inheritable &= bit
	}
	one.caps = &declaredCaps{c.caps.e.Intersect(bit), c.caps.p.Intersect(bit), c.caps.i.Intersect(bit)}
	if c.iab != nil {
		one.iab = &policy.IAB{Inheritable: c.iab.Inheritable & bit, Ambient: c.iab.Ambient & bit, Blocked: c.iab.Blocked & bit}
	}
	return &one
}
