package engine

import (
	"maps"
	"slices"
	"strings"

	"caprun/policy"
)

// Environ returns the environment of the target for that of the caller: what
// the profile keeps, sets and unsets, the variables of the new identity, and,
// when identity or capabilities change, none that the dynamic loader and the
// C library ignore in a privileged program. Ambient capabilities do not make a
// program privileged in their eyes.
func (p *Plan) Environ(caller []string) []string {
	return environ(p.Profile, p.Identity, p.Identity.Changes(p.From), p.changesPrivilege(), caller)
}

func (p *Plan) changesPrivilege() bool { return len(p.From.Diff(p.After)) > 0 }

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
		case strict && LoaderVariable(name):
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

// loaderVariables are the variables, other than those that begin with LD_,
// that glibc removes from the environment of a program with AT_SECURE.
var loaderVariables = [...]string{
	"GCONV_PATH", "GETCONF_DIR", "GLIBC_TUNABLES", "HOSTALIASES", "LOCALDOMAIN", "LOCPATH",
	"MALLOC_ARENA_MAX", "MALLOC_ARENA_TEST", "MALLOC_CHECK_", "MALLOC_MMAP_MAX_", "MALLOC_MMAP_THRESHOLD_",
	"MALLOC_PERTURB_", "MALLOC_TOP_PAD_", "MALLOC_TRACE", "MALLOC_TRIM_THRESHOLD_",
	"NIS_PATH", "NLSPATH", "RESOLV_HOST_CONF", "RES_OPTIONS", "TMPDIR", "TZDIR",
}

// LoaderVariable reports whether the dynamic loader or the C library ignores
// a variable in a program with AT_SECURE.
func LoaderVariable(name string) bool {
	return strings.HasPrefix(name, "LD_") || slices.Contains(loaderVariables[:], name)
}
