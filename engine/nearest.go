package engine

import (
	"slices"

	"caprun/engine/cred"
	"caprun/policy"
)

// nearest returns the declaration nearest to c.caps that has a plan for the same
// profile, caller and target; ok is false if there is none. That declaration
//
//   - names no other capability than c.caps,
//   - permits each capability that c.caps permits or makes effective, and makes
//     effective each one that c.caps makes effective,
//   - changes as few bits as possible (a bit is one capability in one of the three
//     sets), then permits as few capabilities as possible, then has as few inheritable
//     ones as possible.
//
// For given IDs, securebits and file, exec treats each capability on its own, unless
// the real and the effective uid differ under no_new_privs. So nearest decides on each
// capability alone, and then verifies the whole in the model.
func (c *compiler) nearest() (near declaredCaps, ok bool) {
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
	_, ok = c.withCaps(&near).solve()
	return near, ok
}

// nearestBit is nearest for capability n alone.
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

// restrictTo returns a compiler in whose declaration, caller and target only
// capability n is left. The caller keeps the capabilities that steps need, but cannot
// grant them to the target.
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
