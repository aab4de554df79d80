package engine

import (
	"maps"
	"slices"
	"strings"

	"caprun/engine/machine"
	"caprun/policy"
)

// VarSource is the origin of an environment variable of the target.
type VarSource int

const (
	VarAbsent   VarSource = iota // the target does not have it
	VarCaller                    // inherited from the caller, if the caller has it
	VarSet                       // set by the profile
	VarIdentity                  // HOME, USER or LOGNAME of the target's user, if the user has it
)

// EnvPolicy decides which environment variables the target has, and their origin.
type EnvPolicy struct {
	spec     *policy.Env
	identity machine.Identity
	newUser  bool // HOME, USER and LOGNAME follow the identity
	noLoader bool // loader variables are removed
}

// EnvPolicy returns the policy for the target's environment.
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

// Source returns the origin of a variable.
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

// Value returns the value that the profile sets for a variable. If the profile does
// not set it, set is false.
func (e EnvPolicy) Value(name string) (value string, set bool) {
	value, set = e.spec.Set[name]
	return value, set
}

// DeclaredNames returns the names under keep, unset and set in the profile, sorted and
// without duplicates.
func (e EnvPolicy) DeclaredNames() []string {
	names := slices.Concat(e.spec.Keep, e.spec.Unset, slices.Collect(maps.Keys(e.spec.Set)))
	slices.Sort(names)
	return slices.Compact(names)
}

// Environ returns the environment of the target, in the form of [os.Environ], for the
// environment of the caller. It applies keep, unset and set of the profile. For a new
// user it replaces HOME, USER and LOGNAME, unless the profile names them. It removes
// the [LoaderVariables] if the target's identity changes or the target is privileged.
func (p *Plan) Environ(caller []string) []string { return p.EnvPolicy().apply(caller) }

func (e EnvPolicy) apply(caller []string) []string {
	env := []string{} // not nil: nil stands for the caller's environment
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

// IdentityVariables returns the names of the variables that a launch replaces for a
// new user: HOME, LOGNAME and USER.
func IdentityVariables() []string { return []string{"HOME", "LOGNAME", "USER"} }

func identityVariable(name string) bool {
	return name == "HOME" || name == "USER" || name == "LOGNAME"
}

// identityVariables returns the variables of a new user, without those that the
// profile names.
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
