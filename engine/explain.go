package engine

import (
	"maps"
	"slices"
	"strings"

	"caprun/engine/cred"
	"caprun/policy"
)

// Explain compiles a profile for the start that reviews begin from: root with
// the 41 named capabilities and no locks, and an ordinary program. The result
// is the same on every machine.
func Explain(p *policy.Profile) (*Plan, []policy.Diagnostic) {
	return Compile(p, cred.Root(), OrdinaryTarget())
}

// Stays lists what of the caller's the target keeps, because the profile has
// no key for it.
func (p *Plan) Stays() []string {
	var list []string
	add := func(stays bool, what string) {
		if stays {
			list = append(list, what)
		}
	}
	profile := p.Profile
	add(!p.Identity.Declared, "uid, gid and groups")
	add(p.From.Bounding == p.After.Bounding, "bounding set")
	add(profile.Secbits == nil && profile.Mode == nil, "securebits")
	add(!p.After.NoNewPrivs, "no_new_privs")
	add(profile.Chroot == "", "root directory")
	add(profile.Cwd == "" && profile.Chroot == "", "working directory")
	add(profile.Umask == nil, "umask")
	add(len(profile.Rlimits) == 0, "resource limits")
	add(profile.Env == nil || profile.Env.KeepAll, "environment, but for what is listed")
	return list
}

// Later says what the target, and the programs that it runs, can and cannot
// get back.
func (p *Plan) Later() []string {
	a := p.After
	var list []string
	switch gain := a.Bounding.Union(a.Inheritable); {
	case a.NoNewPrivs:
		list = append(list, "No program that it runs gains anything: no_new_privs.")
	case !a.Securebits.Has(cred.SecNoRoot) && a.UID == 0:
		list = append(list, "Every program that it runs gets "+CapNames(gain)+": it is uid 0 without noroot.")
	default:
		list = append(list, "A set-user-id program that it runs changes its user.")
		if gain != 0 {
			list = append(list, "File capabilities within "+CapNames(gain)+" work.")
		} else {
			list = append(list, "No file capabilities work: the bounding set is empty.")
		}
	}
	if a.Ambient != 0 {
		list = append(list, "Ordinary programs that it runs keep "+CapNames(a.Ambient)+".")
	}
	if a.UID == 0 {
		list = append(list, "It owns root's files, whatever its capabilities.")
	}
	if p.SecureExec {
		list = append(list, "The dynamic loader distrusts its environment (AT_SECURE).")
	}
	return list
}

// EnvironNotes says what becomes of the environment. caller is the caller's
// environment, nil when it is not known.
func (p *Plan) EnvironNotes(caller []string) []string {
	var list []string
	spec := p.Profile.Env
	if spec != nil && !spec.KeepAll {
		list = append(list, "keeps "+joinOr(spec.Keep, "nothing"))
	}
	if spec != nil && len(spec.Set) > 0 {
		list = append(list, "sets "+strings.Join(slices.Sorted(maps.Keys(spec.Set)), ", "))
	}
	if spec != nil && len(spec.Unset) > 0 {
		list = append(list, "removes "+strings.Join(spec.Unset, ", "))
	}
	if p.Identity.Changes(p.From) {
		if spec == nil {
			spec = &policy.Env{KeepAll: true}
		}
		if p.Identity.User != "" && p.Identity.Entry == nil {
			list = append(list, "HOME, USER and LOGNAME become those of user "+p.Identity.User)
		} else if vars := identityVariables(spec, p.Identity); len(vars) > 0 {
			list = append(list, "sets "+strings.Join(vars, ", ")+", and no other of HOME, USER, LOGNAME")
		}
	}
	if p.changesPrivilege() {
		note := "removes what the dynamic loader would ignore in a privileged program: LD_*, " + strings.Join(loaderVariables[:], ", ")
		if caller != nil {
			var here []string
			for _, entry := range caller {
				if name, _, _ := strings.Cut(entry, "="); LoaderVariable(name) {
					here = append(here, name)
				}
			}
			note = "removes what the dynamic loader would ignore in a privileged program, here: " + joinOr(here, "nothing")
		}
		list = append(list, note)
	}
	return list
}

func joinOr(list []string, none string) string {
	if len(list) == 0 {
		return none
	}
	return strings.Join(list, ", ")
}
