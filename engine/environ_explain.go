package engine

import (
	"maps"
	"slices"

	"caprun/policy"
)

// EnvironChange describes how a launch changes the caller's environment. It leaves out
// the values of the caller and the profile, which may be secret.
type EnvironChange struct {
	// KeepAll reports that the target inherits every variable that the other
	// fields do not name. Otherwise it inherits only those in Keep.
	KeepAll bool
	Keep    []string

	Set   []string // set by the profile, sorted
	Unset []string // removed by the profile, in its order

	// NewUser reports that the launch replaces HOME, USER and LOGNAME. Identity
	// has those that it sets, as NAME=VALUE; it removes the others. If UserUnknown
	// is set, the user was not looked up and Identity is empty.
	NewUser, UserUnknown bool
	Identity             []string

	// Loader has the names of the loader variables that the launch removes; it is
	// empty if the launch keeps them. "LD_*" stands for all names that begin with
	// LD_.
	Loader []string
}

// EnvironChange returns how the launch changes the environment of its caller.
func (p *Plan) EnvironChange() EnvironChange {
	spec := p.Profile.Env
	if spec == nil {
		spec = &policy.Env{KeepAll: true}
	}
	c := EnvironChange{
		KeepAll: spec.KeepAll,
		Keep:    slices.Clone(spec.Keep),
		Set:     slices.Sorted(maps.Keys(spec.Set)),
		Unset:   slices.Clone(spec.Unset),
		NewUser: p.Identity.ChangesUID(p.Caller),
	}
	if c.NewUser {
		c.UserUnknown = p.Identity.User != "" && p.Identity.Entry == nil
		if !c.UserUnknown {
			c.Identity = identityVariables(spec, p.Identity)
		}
	}
	if p.removesLoaderVariables() {
		c.Loader = loaderNames()
	}
	return c
}
