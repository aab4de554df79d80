package engine

import (
	"fmt"
	"strings"

	"caprun/cap"
	"caprun/engine/cred"
	"caprun/engine/machine"
	"caprun/policy"
)

// Compile returns the plan of a launch of target by a process with the credentials
// caller. If there is none, it returns nil and at least one diagnostic, with the
// position, the reason, and what to do. It reads nothing from the system. The profile
// must be one that policy.Parse accepted, or equivalent.
func Compile(p *policy.Profile, caller cred.Cred, target Target) (*Plan, []policy.Diagnostic) {
	c := &compiler{Plan: Plan{Profile: p, Caller: caller, Target: target}}
	c.Identity = machine.TargetIdentity(p, caller, target.Accounts)
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

// compiler makes a plan.
type compiler struct {
	Plan
	caps *declaredCaps
	iab  *policy.IAB
	bits cred.Securebits // of the target, before exec

	// keepNoGroups leaves the caller's empty group list unchanged: see tryGroups.
	keepNoGroups bool
}

// declaredCaps are the effective, permitted and inheritable sets of the caps key.
type declaredCaps struct{ e, p, i cred.Caps }

func (d declaredCaps) text() string { return setText(d.e, d.p, d.i) }

// setText returns the sets in the text form of the caps key.
func setText(e, p, i cred.Caps) string { return cap.SetOf(e, p, i).Text(cap.NamedCount) }

// yaml returns the sets as a YAML value. It quotes "=", which YAML 1.1 reserves, and
// what begins with it.
func (d declaredCaps) yaml() string {
	text := d.text()
	if text[0] == '=' {
		return `"` + text + `"`
	}
	return text
}

// named returns the capabilities that are in any of the three sets.
func (d declaredCaps) named() cred.Caps { return d.e.Union(d.p).Union(d.i) }

// readDeclaration reads the sets and securebits that the profile declares, and
// refuses those that the kernel does not have.
func (c *compiler) readDeclaration() *policy.Diagnostic {
	p := c.Profile
	if p.Caps != nil {
		c.caps = &declaredCaps{p.Caps.Effective, p.Caps.Permitted, p.Caps.Inheritable}
	}
	c.iab = p.IAB
	c.readBits()
	return c.checkKernel()
}

// checkKernel refuses capabilities and securebits that the kernel does not have. It
// comes first, because such a declaration fails later for less obvious reasons.
func (c *compiler) checkKernel() *policy.Diagnostic {
	key, unknown := "caps", cred.Caps(0)
	if c.caps != nil {
		unknown = c.caps.named().Minus(c.Caller.All)
	}
	if unknown == 0 && c.iab != nil {
		key, unknown = "iab", c.iab.Inheritable.Union(c.iab.Ambient).Minus(c.Caller.All)
	}
	if unknown != 0 {
		hint := "remove " + unknown.String() + " from " + key
		if key == "caps" && c.iab != nil {
			hint += " and iab"
		}
		return c.diagnose(ruleUnknownToOS, key, "this kernel does not have "+unknown.String()+capsSince(unknown), hint)
	}
	if p := c.Profile; p.Secbits != nil && !c.Target.KernelRules.ExecSecurebits {
		if bits := cred.Securebits(*p.Secbits) & cred.SecAllUnprivileged; bits != 0 {
			return c.diagnose(ruleUnknownToOS, "secbits",
				fmt.Sprintf("this kernel does not have %s (%s)", SecbitsText(bits), execSecurebitsSince.andLater(len(bits.Names()))),
				"remove "+strings.Join(bits.Names(), ",")+" from secbits")
		}
	}
	return nil
}

// readBits sets bits to the securebits that the target starts with.
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

// modeBits returns the securebits that a mode sets. It takes them from the steps that
// package cap makes for the mode.
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

// try makes the plan for one route. It returns nil if the route leads to what the
// profile declares.
func (c *compiler) try(sets launchSets) *routeFailure { return c.tryGroups(sets) }

// tryRoute is try after tryGroups has set keepNoGroups.
func (c *compiler) tryRoute(sets launchSets) *routeFailure {
	failure := c.tryFinal(sets, c.final(sets))
	if failure != nil && failure.step != nil && failure.step.step.Kind == cap.StepFinal {
		// The uid change dropped capabilities because of the caller's locked
		// securebits. The target's file may grant them nevertheless.
		return c.tryFinal(sets, c.final(sets).Intersect(failure.step.state.Permitted))
	}
	return failure
}

// tryFinal is tryRoute with final as the permitted set just before exec.
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
	if failure := c.check(sets, result); failure != nil {
		return failure
	}
	return c.checkAlternatives()
}

// checkAlternatives fails if exec of one of the file's alternatives would lead to
// another state than exec of the file itself.
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

// launcher returns the cap.Launcher for one route.
func (c *compiler) launcher(sets launchSets, finalCaps cred.Caps) (*cap.Launcher, *policy.Diagnostic) {
	p := c.Profile
	path, args := c.Target.Path, c.Target.Args
	if path == "" {
		// The program is unknown. The plan still ends with an exec step.
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
		if d := c.setLimit(l, r); d != nil {
			return nil, d
		}
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

// final returns the permitted set just before exec. Under no_new_privs exec grants no
// capability outside of it, neither to uid 0 nor for file capabilities.
func (c *compiler) final(sets launchSets) cred.Caps {
	inheritable, ambient := c.Caller.Inheritable, c.Caller.Ambient
	if sets.change {
		inheritable, ambient = sets.i, sets.a
	}
	switch {
	case c.caps != nil:
		// An ambient capability must stay permitted until exec.
		return c.caps.p.Union(ambient).Intersect(c.Caller.Permitted)
	case c.gainsAsRoot():
		return c.Caller.Bounding.Minus(sets.drop).Union(inheritable).Intersect(c.Caller.Permitted)
	}
	return ambient
}

// check compares the predicted state with the declared one.
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
		return &routeFailure{diagnostic: c.diagnose(ruleInternal, c.first("caps", "iab"), "the bounding set would keep "+a.Bounding.Intersect(sets.drop).String(), "report this as a bug")}
	}
	if c.caps == nil && c.iab != nil && !sets.a.SubsetOf(a.Ambient) && (result.FileCaps || result.IDChanged) {
		return &routeFailure{ambientLost: true, result: result}
	}
	return nil
}

// first returns the first of keys that the profile has; empty if it has none.
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
