package engine

import (
	"slices"

	"caprun/engine/cred"
)

// launchSets are the sets that a launch has set just before exec: the inheritable and
// the ambient set, and the capabilities dropped from the bounding set. If change is
// false, the launch leaves the caller's sets.
type launchSets struct {
	route      Route
	change     bool
	i, a, drop cred.Caps
}

// routeByResult stands for a route that is only known once exec is predicted.
const routeByResult Route = -1

// routeOf returns the route by which exec granted the capabilities.
func routeOf(result cred.ExecResult) Route {
	switch {
	case result.FileCaps:
		return RouteFile
	case result.RootGained:
		return RouteRoot
	}
	return RouteAmbient
}

// solve makes the plan for the first route that leads to what the profile declares,
// and returns its sets. ok is false if no route does.
func (c *compiler) solve() (sets launchSets, ok bool) {
	for _, sets := range c.routes() {
		if c.try(sets) == nil {
			return sets, true
		}
	}
	return launchSets{}, false
}

// routes returns the candidate sets, the simplest first. The model verifies each
// candidate, so a plan is never wrong; if the list lacks a candidate, a reachable
// declaration is refused.
//
// The list is not proven to be complete. TestEveryRoute compares it with a search
// through all operations of the model, for two capabilities. The reasons below do not
// apply if the real and the effective uid differ under no_new_privs: then one
// capability outside the permitted set decides which IDs exec keeps, and so affects
// all other capabilities.
//
// Let e, p and i be the declared sets, and I, A and B the inheritable, ambient and
// bounding sets just before exec. The permitted set is then p, as far as the caller
// has it.
//
//   - Exec keeps I, so I = i.
//   - If A survives exec, it becomes the effective set, so A = e. An effective uid 0
//     is the exception: all permitted capabilities become effective, and A grants
//     nothing that I does not. If exec clears A, A may be empty.
//   - B has no capability outside p and i. A capability in i but not in p must not be
//     in B if the target's file capabilities would grant it. It must be in B under
//     no_new_privs if the file requires it (effective flag) and the permitted set
//     withholds it. Which case applies does not depend on the capability. Each
//     capability in p may be in B.
func (c *compiler) routes() []launchSets {
	switch {
	case c.iab != nil:
		return []launchSets{{change: true, i: c.iab.Inheritable, a: c.iab.Ambient, drop: c.iab.Blocked}}
	case c.caps == nil && c.Identity.ChangesUID(c.Caller):
		// For another user only the caller's bounding set is inherited.
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

// gainsAsRoot reports whether exec grants an ordinary target its bounding and
// inheritable sets because its real or effective uid is 0.
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
