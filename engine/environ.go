package engine

import (
	"maps"
	"slices"
	"strings"

	"caprun/policy"
)

// Environ returns the environment of the target for that of the caller: what
// the profile keeps, sets and unsets, the variables of the new identity, and no
// loader variables where [Plan.RemovesLoaderVariables] holds.
func (p *Plan) Environ(caller []string) []string {
	return environ(p.Profile, p.Identity, p.Identity.Changes(p.From), p.RemovesLoaderVariables(), caller)
}

func environ(p *policy.Profile, id Identity, newUser, strict bool, caller []string) []string {
	spec := p.Env
	if spec == nil {
		spec = &policy.Env{KeepAll: true}
	}
	env := []string{} // not nil, which would stand for the caller's
	seen := map[string]bool{}
	for _, entry := range caller {
		name, _, ok := strings.Cut(entry, "=")
		switch {
		case !ok || name == "" || seen[name]:
			continue
		case !spec.KeepAll && !slices.Contains(spec.Keep, name):
			continue
		case slices.Contains(spec.Unset, name):
			continue
		case strict && IsLoaderVariable(name):
			continue
		}
		if _, replaced := spec.Set[name]; replaced {
			continue
		}
		if newUser && identityVariable(name) && !slices.Contains(spec.Keep, name) {
			continue
		}
		seen[name] = true
		env = append(env, entry)
	}
	if newUser {
		env = append(env, identityVariables(spec, id)...)
	}
	for _, name := range slices.Sorted(maps.Keys(spec.Set)) {
		env = append(env, name+"="+spec.Set[name])
	}
	return env
}

func identityVariable(name string) bool {
	return name == "HOME" || name == "USER" || name == "LOGNAME"
}

// identityVariables returns the variables that follow a change of identity,
// but for those that the profile names.
func identityVariables(spec *policy.Env, id Identity) []string {
	var env []string
	add := func(name, value string) {
		_, set := spec.Set[name]
		if !set && !slices.Contains(spec.Keep, name) && !slices.Contains(spec.Unset, name) {
			env = append(env, name+"="+value)
		}
	}
	if id.Entry == nil {
		add("HOME", "/")
		return env
	}
	home := id.Entry.Home
	if home == "" {
		home = "/"
	}
	add("HOME", home)
	add("USER", id.Entry.Name)
	add("LOGNAME", id.Entry.Name)
	return env
}
