package engine

import (
	"maps"
	"slices"

	"caprun/policy"
)

// EnvironChange says what becomes of the environment, by the names of its
// variables. Values are left out: they may be secret.
type EnvironChange struct {
	// KeepAll says that everything stays but what is listed; otherwise only
	// Keep stays.
	KeepAll bool
	Keep    []string

	Set, Unset []string // by the profile, sorted and as written

	// NewUser says that HOME, USER and LOGNAME follow a new identity:
	// Identity has the entries that are set, and the others go. It is empty
	// while UserUnknown: the user was not looked up.
	NewUser, UserUnknown bool
	Identity             []string

	// Loader are the names of the loader variables where the launch removes
	// them, see Plan.removesLoaderVariables. "LD_*" stands for all that begin
	// with LD_.
	Loader []string
}

// EnvironChange says what becomes of the environment of any caller.
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
