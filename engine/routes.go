package engine

import (
	"slices"

	"caprun/engine/cred"
)

// vectors is what a route makes of the vectors. Where given is false, they
// stay the caller's.
type launchSets struct {
	route      Route
	change     bool
	i, a, drop cred.Caps
}

// routeByResult leaves the name of a route to what exec does.
const routeByResult Route = -1

// routeOf names the route by which exec gave what it gave.
func routeOf(result cred.ExecResult) Route {
	switch {
	case result.FileCaps:
		return RouteFile
	case result.RootGained:
		return RouteRoot
	}
	return RouteAmbient
}

// solve makes the plan along the first route that leads to what is declared.
// The vectors are those of that route.
func (c *compiler) solve() (launchSets, bool) {
	for _, sets := range c.routes() {
		if c.try(sets) == nil {
			return sets, true
		}
	}
	return launchSets{}, false
}

// routes returns the ways that may lead to what is declared, the simplest
// first. The model decides which does, so that a plan is right whatever is
// missing here; what is refused as unreachable is refused for want of a route.
//
// That the list misses nothing is not proven. TestEveryRoute compares it with a
// search through all operations of the model, for two capabilities. Where the
// real and the effective uid differ under no_new_privs, one capability outside of
// the permitted set decides what exec does with the ids, and so with all of them:
// there the reasons below do not hold. With e, p and i declared, the vectors just
// before exec are I, A, B, and the permitted set is p, as far as the caller has it:
//
//   - Exec leaves I as it is, so it is i.
//   - Where A outlasts exec it is what is effective, so it is e, unless the
//     effective uid 0 makes all effective; then all that A could give comes
//     from I already. Where A is lost it may be empty.
//   - B has nothing outside of p and i. What of i is not in p must leave B
//     where a file with capabilities would give it; and must stay, under
//     no_new_privs, where such a file insists on it and the permitted set
//     withholds it again. Which of the two holds does not depend on the
//     capability. Everything in p may stay.
func (c *compiler) routes() []launchSets {
	switch {
	case c.iab != nil:
		return []launchSets{{change: true, i: c.iab.Inheritable, a: c.iab.Ambient, drop: c.iab.Blocked}}
	case c.caps == nil && c.Identity.ChangesUID(c.Caller):
		// Of the caller's vectors only the bounding set follows to another user.
		return []launchSets{{change: true}}
	case c.caps == nil:
		return []launchSets{{}}
	}
	d := c.caps
	list := make([]launchSets, 0, 6)
	add := func(route Route, a, b cred.Caps) {
		sets := launchSets{route, true, d.i, a, ^b}
		same := func(w launchSets) bool { return w.a == sets.a && w.drop == sets.drop }
		if !slices.ContainsFunc(list, same) {
			list = append(list, sets)
		}
	}
	if c.gainsAsRoot() && d.e == d.p && d.i.SubsetOf(d.p) {
		add(RouteRoot, 0, d.p)
	}
	if !c.gainsAsRoot() && d.e == d.p && d.p.SubsetOf(d.i) {
		add(routeByResult, d.p, d.i)
	}
	ambient := d.e.Intersect(d.p).Intersect(d.i)
	for _, b := range [...]cred.Caps{d.p.Union(d.i), d.p} {
		add(routeByResult, 0, b)
		add(routeByResult, ambient, b)
	}
	return list
}

// gainsAsRoot reports whether exec gives an ordinary target B|I for being uid 0.
func (c *compiler) gainsAsRoot() bool {
	uid, euid := c.targetUIDs()
	return !c.bits.Has(cred.SecNoRoot) && (uid == 0 || euid == 0)
}

// targetUIDs returns the real and the effective uid just before exec.
func (c *compiler) targetUIDs() (uid, euid uint32) {
	if c.Identity.Declared {
		return c.Identity.UID, c.Identity.UID
	}
	return c.Caller.UID, c.Caller.EUID
}
