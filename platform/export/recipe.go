package export

import (
	"strings"

	"caprun/cap"
	"caprun/engine"
	"caprun/engine/cred"
)

// recipe is how a container starts a sealed launcher: as root, with these capabilities and
// no others.
type recipe struct {
	writer

	name     string    // of the container and of the launcher
	launcher cred.Caps // that the launcher needs and the program does not have
	granted  cred.Caps // that the program has

	// noNewPrivs reports that the container can start with no_new_privs.
	noNewPrivs bool
}

// newRecipe finds the least capabilities with which the launcher of the profile starts the
// program in the state of the plan.
func newRecipe(p *engine.Plan, name string) (*recipe, error) {
	r := &recipe{writer: writer{Plan: p}}
	r.name = containerName(r.writer.name(name))
	held := p.AfterExec.Inheritable.Union(p.AfterExec.Ambient)
	if p.Profile.Caps != nil {
		held = held.Union(p.AfterExec.Permitted)
	} else if p.AfterExec.Permitted.Minus(held) != 0 {
		r.note("the profile does not limit the capabilities of root: the program keeps those of the container")
	}
	need := held
	for _, s := range p.Steps {
		if !s.NoOp {
			need = need.Union(s.Needs)
		}
	}
	if r.planFor(need) == nil {
		// Between callers the steps differ: without other capabilities, some need more.
		need = need.Union(cred.CapsOf(int(cap.SETUID), int(cap.SETGID), int(cap.SETPCAP)))
		if r.planFor(need) == nil {
			return nil, r.refuse(r.keyOf("Permitted"), "", "no set of capabilities of a container leads to the state of the plan")
		}
	}
	for n := range need.All() {
		if r.planFor(need.Without(n)) != nil {
			need = need.Without(n)
		}
	}
	r.launcher, r.granted = need.Minus(held), need.Intersect(held)
	r.noNewPrivs = p.AfterExec.NoNewPrivs
	r.notes()
	return r, nil
}

// planFor returns the plan for a container that starts as root with these capabilities; nil
// if it does not lead to the state of the recipe's plan.
func (r *recipe) planFor(caps cred.Caps) *engine.Plan {
	from := r.Caller
	from.Permitted, from.Effective, from.Bounding = caps, caps, caps
	from.NoNewPrivs = r.AfterExec.NoNewPrivs
	p, _ := engine.Compile(r.Profile, from, r.Target)
	if p == nil {
		return nil
	}
	want := r.AfterExec
	want.Bounding = p.AfterExec.Bounding
	if p.AfterExec.Bounding != r.AfterExec.Bounding && !p.AfterExec.Bounding.SubsetOf(r.AfterExec.Bounding) {
		return nil
	}
	if r.Profile.Caps == nil {
		want.Permitted, want.Effective = p.AfterExec.Permitted, p.AfterExec.Effective
	}
	if !p.AfterExec.Equal(want) {
		return nil
	}
	return p
}

// notes records the conditions of the recipe.
func (r *recipe) notes() {
	p := r.Profile
	all := r.launcher.Union(r.granted)
	if !r.AfterExec.Bounding.SubsetOf(all) {
		r.note("the bounding set is limited to the capabilities of the container")
	}
	if p.Chroot != "" {
		r.note("the image must have the directory of chroot")
	}
	if len(p.Rlimits) > 0 {
		r.note("the limits of the profile must not exceed the hard limits of the container")
	}
	if len(r.command()) == 0 {
		r.note("the profile has no command: write the program")
	}
	r.keptDescriptors("a container engine passes none, and the launcher refuses to start")
}

// containerName returns a name as Kubernetes and Docker accept it: a label of DNS.
func containerName(name string) string {
	const longest = 63
	name = strings.Map(func(r rune) rune {
		if isAlphanumeric(r) {
			return r
		}
		return '-'
	}, strings.ToLower(name))
	name = strings.Trim(name[:min(len(name), longest)], "-")
	if name == "" {
		return "program"
	}
	return name
}
