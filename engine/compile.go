package engine

import (
	"fmt"

	"caprun/cap"
	"caprun/engine/cred"
	"caprun/engine/machine"
	"caprun/policy"
)

// Compile makes the plan of a launch that begins in the state from and ends
// in target, or says with position and reason why there is none. It reads
// nothing from the system. The profile is one that policy.Parse accepted, or
// one filled by hand with the same care.
//
// A profile that declares caps has a plan when one of the routes leads to them.
// When none does, the diagnostic names one cause and the nearest reachable state,
// see refuse.
func Compile(p *policy.Profile, from cred.Cred, target Target) (*Plan, []policy.Diagnostic) {
	c := &compiler{Plan: Plan{Profile: p, Caller: from, Target: target}}
	c.Identity = machine.TargetIdentity(p, from, target.User)
	if d := c.readDeclaration(); d != nil {
		return nil, []policy.Diagnostic{*d}
	}
	if _, ok := c.solve(); !ok {
		d := c.refuse()
		if c.mountMatters() {
			d.Message += "; " + c.targetEffect() + c.Target.ignored()
		}
		return nil, []policy.Diagnostic{*d}
	}
	if d := c.checkStack(); d != nil {
		return nil, []policy.Diagnostic{*d}
	}
	if found := c.checkLoaderVariables(); found != nil {
		return nil, found
	}
	return &c.Plan, nil
}

// compiler is a plan in the making.
type compiler struct {
	Plan
	caps *declaredCaps
	iab  *policy.IAB
	bits cred.Securebits // of the target, before exec

	// keepNoGroups says that the caller's empty list of groups stays: see
	// tryGroups.
	keepNoGroups bool
}

// declaredCaps is what the caps key says.
type declaredCaps struct{ e, p, i cred.Caps }

func (d declaredCaps) text() string { return setText(d.e, d.p, d.i) }

// setText returns the text of a set as a profile has it.
func setText(e, p, i cred.Caps) string { return cap.SetOf(e, p, i).Text(cap.NamedCount) }

// written returns the text as a profile has it: a plain = is an error to readers
// of YAML 1.1.
func (d declaredCaps) written() string {
	if text := d.text(); text != "=" {
		return text
	}
	return `"="`
}

// named returns every capability that the key names.
func (d declaredCaps) named() cred.Caps { return d.e.Union(d.p).Union(d.i) }

// readDeclaration takes what the profile declares, and refuses what the running
// kernel does not have.
func (c *compiler) readDeclaration() *policy.Diagnostic {
	p := c.Profile
	if p.Caps != nil {
		c.caps = &declaredCaps{p.Caps.Effective, p.Caps.Permitted, p.Caps.Inheritable}
	}
	c.iab = p.IAB
	c.readBits()
	return c.checkKernel()
}

// checkKernel refuses what the running kernel does not have, before a reason
// that follows from it hides it.
func (c *compiler) checkKernel() *policy.Diagnostic {
	key, asked := "caps", cred.Caps(0)
	if c.caps != nil {
		asked = c.caps.named().Minus(c.Caller.All)
	}
	if asked == 0 && c.iab != nil {
		key, asked = "iab", c.iab.Inheritable.Union(c.iab.Ambient).Minus(c.Caller.All)
	}
	if asked != 0 {
		return c.diagnose(ruleUnknownToOS, key, "this kernel does not have "+asked.String()+capsSince(asked), "leave it out on such a machine")
	}
	if p := c.Profile; p.Secbits != nil && !c.Target.KernelRules.ExecSecurebits {
		if bits := cred.Securebits(*p.Secbits) & cred.SecAllUnprivileged; bits != 0 {
			return c.diagnose(ruleUnknownToOS, "secbits",
				fmt.Sprintf("this kernel does not have %s (%s)", SecbitsText(bits), execSecurebitsSince.andLater(len(bits.Names()))),
				"leave it out on such a machine")
		}
	}
	return nil
}

// readBits finds the securebits that the target starts with.
func (c *compiler) readBits() {
	p := c.Profile
	c.bits = c.Caller.Securebits
	if p.Secbits != nil {
		c.bits = cred.Securebits(*p.Secbits)
	}
	if p.Mode != nil {
		c.bits = modeBits(*p.Mode)
	}
}

// modeBits returns the securebits of a mode, from the steps that it leads to.
func modeBits(m cap.Mode) cred.Securebits {
	l := cap.NewLauncher("", nil, nil)
	l.SetMode(m)
	steps, _ := l.Steps()
	for _, s := range steps {
		if s.Kind == cap.StepSecbits {
			return cred.Securebits(s.Secbits)
		}
	}
	return 0
}

// try makes the plan along one route, or says what is in its way.
func (c *compiler) try(sets launchSets) *routeFailure { return c.tryGroups(sets) }

// tryRoute is try with a list of groups that is decided on.
func (c *compiler) tryRoute(sets launchSets) *routeFailure {
	o := c.tryFinal(sets, c.final(sets))
	if o != nil && o.step != nil && o.step.step.Kind == cap.StepFinal {
		// Locks of the caller took capabilities with the uid. The file may give
		// them all the same.
		return c.tryFinal(sets, c.final(sets).Intersect(o.step.state.Permitted))
	}
	return o
}

// tryFinal makes the plan along one route, with a permitted set just before
// exec.
func (c *compiler) tryFinal(sets launchSets, final cred.Caps) *routeFailure {
	l, d := c.launcher(sets, final)
	if d != nil {
		return &routeFailure{diagnostic: d}
	}
	steps, err := l.Steps()
	if err != nil {
		return &routeFailure{stepsErr: err}
	}
	var failure *stepFailure
	c.Route = sets.route
	c.Steps, c.BeforeExec, failure = predict(c.Caller, steps, c.Target, c.Profile)
	if failure != nil {
		return &routeFailure{step: failure}
	}
	for n := range c.Steps {
		c.Steps[n].Key = c.origin(c.Steps[n].Step)
	}
	after, result, errno := c.BeforeExec.Exec(c.Target.File, c.Target.KernelRules)
	if errno != 0 {
		return &routeFailure{execRefused: true, result: result}
	}
	if sets.route == routeByResult {
		c.Route = routeOf(result)
	}
	c.AfterExec, c.SecureExec = after, result.Secure
	c.Plan.launcher = l
	c.omitLostSignal()
	if o := c.check(sets, result); o != nil {
		return o
	}
	return c.checkAlternatives()
}

// checkAlternatives compares what the target's file leads to with what it would
// lead to if it were one of its alternatives.
func (c *compiler) checkAlternatives() *routeFailure {
	for n := range c.Target.Alternatives {
		a := &c.Target.Alternatives[n]
		after, result, errno := c.BeforeExec.Exec(a.File, c.Target.KernelRules)
		if errno != 0 || result.Secure != c.SecureExec || !after.Equal(c.AfterExec) {
			return &routeFailure{alternative: a}
		}
	}
	return nil
}

// launcher configures the launch along one route.
func (c *compiler) launcher(sets launchSets, finalCaps cred.Caps) (*cap.Launcher, *policy.Diagnostic) {
	p := c.Profile
	path, args := c.Target.Path, c.Target.Args
	if path == "" {
		// An ordinary target: the list of steps ends in an exec all the same.
		path, args = "(the target)", []string{"(the target)"}
		if len(p.Command) > 0 {
			path, args = p.Command[0], p.Command
		}
	}
	l := cap.NewLauncher(path, args, nil)
	l.SetDescriptors(p.KeepFDs)
	if c.Identity.Declared {
		groups := c.Identity.Groups
		if c.keepNoGroups {
			groups = nil
		}
		l.SetIDs(c.Identity.UID, c.Identity.GID, groups)
	}
	l.SetChroot(p.Chroot)
	l.SetCwd(p.Cwd)
	if sets.change {
		l.SetIAB(cap.IABOf(sets.i, sets.a, sets.drop))
	}
	if p.Mode != nil {
		l.SetMode(*p.Mode)
	}
	if p.Secbits != nil {
		l.SetSecbits(*p.Secbits)
	}
	if p.Umask != nil {
		l.SetUmask(int(*p.Umask))
	}
	for _, r := range p.Rlimits {
		number, ok := machine.RlimitNumber(r.Name)
		if !ok {
			return nil, c.diagnose(ruleInternal, "rlimits."+r.Name, "the reader accepted an unknown limit", "report this")
		}
		l.SetRlimit(number, r.Soft, r.Hard)
	}
	if p.Mode == nil || *p.Mode != cap.ModeNoPriv {
		l.SetFinal(cap.SetOf(0, finalCaps, 0))
	}
	if p.NewSession {
		l.SetNewSession()
	}
	if c.Identity.ChangesUID(c.Caller) && !p.InheritKeyring {
		l.SetNewKeyring()
	}
	if p.NoNewPrivs {
		l.SetNoNewPrivs()
	}
	c.setDeathSignal(l)
	return l, nil
}

// final returns the permitted set just before exec: what the target may have
// at most. Under no_new_privs the kernel cuts the target's own file
// capabilities, and what uid 0 would gain, to it.
func (c *compiler) final(sets launchSets) cred.Caps {
	inheritable, ambient := c.Caller.Inheritable, c.Caller.Ambient
	if sets.change {
		inheritable, ambient = sets.i, sets.a
	}
	switch {
	case c.caps != nil:
		// What iab makes ambient must stay so until exec, even if it is lost there.
		return c.caps.p.Union(ambient).Intersect(c.Caller.Permitted)
	case c.gainsAsRoot():
		return c.Caller.Bounding.Minus(sets.drop).Union(inheritable).Intersect(c.Caller.Permitted)
	}
	return ambient
}

// check compares the prediction with the declaration.
func (c *compiler) check(sets launchSets, result cred.ExecResult) *routeFailure {
	a := c.AfterExec
	if id := c.Identity; id.Declared {
		uids := a.UID == id.UID && a.EUID == id.UID && a.SUID == id.UID && a.FSUID == id.UID
		gids := a.GID == id.GID && a.EGID == id.GID && a.SGID == id.GID && a.FSGID == id.GID
		if !uids || !gids {
			return &routeFailure{idsReplaced: true}
		}
	}
	if c.caps != nil && (a.Effective != c.caps.e || a.Permitted != c.caps.p || a.Inheritable != c.caps.i) {
		return &routeFailure{result: result}
	}
	if a.Bounding.Intersect(sets.drop) != 0 {
		return &routeFailure{diagnostic: c.diagnose(ruleInternal, c.first("caps", "iab"), "the bounding set would keep "+a.Bounding.Intersect(sets.drop).String(), "report this")}
	}
	if c.caps == nil && c.iab != nil && !sets.a.SubsetOf(a.Ambient) && (result.FileCaps || result.IDChanged) {
		return &routeFailure{ambientLost: true}
	}
	return nil
}

// first returns the first key that the profile has.
func (c *compiler) first(keys ...string) string {
	for _, key := range keys {
		if c.Profile.Has(key) {
			return key
		}
	}
	return ""
}

func (c *compiler) diagnose(which rule, key, message, hint string) *policy.Diagnostic {
	d := diagnose(c.Profile, which, c.Profile.Position(key), message, hint)
	return &d
}
