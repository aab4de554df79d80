package engine

import (
	"maps"
	"slices"
	"strings"

	"caprun/engine/machine"
	"caprun/policy"
)

// VarSource says where a variable of the target comes from.
type VarSource int

const (
	VarAbsent   VarSource = iota // the target does not have it
	VarCaller                    // the caller has given it, if it has it
	VarSet                       // the profile sets it
	VarIdentity                  // HOME, USER or LOGNAME: it follows the target's user, and may be absent
)

// EnvPolicy decides which variables a target has, and from where.
type EnvPolicy struct {
	spec     *policy.Env
	identity machine.Identity
	newUser  bool // HOME, USER and LOGNAME follow the identity
	noLoader bool // loader variables are removed
}

// EnvPolicy returns what decides about the environment of the target.
func (p *Plan) EnvPolicy() EnvPolicy {
	return newEnvPolicy(p.Profile, p.Identity, p.Identity.ChangesUID(p.Caller), p.removesLoaderVariables())
}

func newEnvPolicy(p *policy.Profile, id machine.Identity, newUser, noLoader bool) EnvPolicy {
	spec := p.Env
	if spec == nil {
		spec = &policy.Env{KeepAll: true}
	}
	return EnvPolicy{spec, id, newUser, noLoader}
}

// Source says where a variable comes from.
func (e EnvPolicy) Source(name string) VarSource {
	kept := slices.Contains(e.spec.Keep, name)
	_, set := e.spec.Set[name]
	switch {
	case set:
		return VarSet
	case slices.Contains(e.spec.Unset, name):
		return VarAbsent
	case e.newUser && identityVariable(name) && !kept:
		return VarIdentity
	case !e.spec.KeepAll && !kept, e.noLoader && IsLoaderVariable(name):
		return VarAbsent
	}
	return VarCaller
}

// Value returns the value that the profile sets a variable to.
func (e EnvPolicy) Value(name string) (value string, set bool) {
	value, set = e.spec.Set[name]
	return value, set
}

// DeclaredNames returns the names that the profile has, sorted, each once.
func (e EnvPolicy) DeclaredNames() []string {
	names := slices.Concat(e.spec.Keep, e.spec.Unset, slices.Collect(maps.Keys(e.spec.Set)))
	slices.Sort(names)
	return slices.Compact(names)
}

// Environ returns the environment of the target for that of the caller: what the
// profile keeps, sets and unsets, the variables of the new identity, and no loader
// variables where Plan.removesLoaderVariables holds.
func (p *Plan) Environ(caller []string) []string { return p.EnvPolicy().apply(caller) }

func (e EnvPolicy) apply(caller []string) []string {
	env := []string{} // not nil, which would stand for the caller's
	seen := map[string]bool{}
	for _, entry := range caller {
		name, _, ok := strings.Cut(entry, "=")
		if ok && name != "" && !seen[name] && e.Source(name) == VarCaller {
			seen[name] = true
			env = append(env, entry)
		}
	}
	if e.newUser {
		env = append(env, identityVariables(e.spec, e.identity)...)
	}
	for _, name := range slices.Sorted(maps.Keys(e.spec.Set)) {
		env = append(env, name+"="+e.spec.Set[name])
	}
	return env
}

// IdentityVariables returns the names of the variables that follow a change of
// identity.
func IdentityVariables() []string { return []string{"HOME", "LOGNAME", "USER"} }

func identityVariable(name string) bool {
	return name == "HOME" || name == "USER" || name == "LOGNAME"
}

// identityVariables returns the variables that follow a change of identity,
// but for those that the profile names.
func identityVariables(spec *policy.Env, id machine.Identity) []string {
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
