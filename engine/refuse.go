package engine

import (
	"fmt"

	"caprun/cap"
	"caprun/engine/cred"
	"caprun/policy"
)

// unreachable says why no route leads to the declared caps, and what is the
// nearest that can be had.
func (c *compiler) unreachable() *policy.Diagnostic {
	d := c.caps
	if mode := c.Profile.Mode; mode != nil && *mode != cap.ModeHybrid && d.e.Union(d.p) != 0 {
		return c.modeEmpties("caps")
	}
	who, because := "a non-root target", ""
	near := declaredCaps{}
	if c.rootPower() {
		who = "uid 0"
		near.p = d.e.Union(d.p).Union(d.i)
		near.e, near.i = near.p, d.i
		because = "what uid 0 inherits becomes permitted at exec"
		if d.e != d.p {
			because = "what uid 0 is permitted becomes effective at exec"
		}
	} else {
		if c.Identity.Declared && c.Identity.UID == 0 || !c.Identity.Declared && c.From.UID == 0 {
			who = "uid 0 under noroot"
		}
		near.p = d.e.Union(d.p)
		near.e, near.i = near.p, d.i.Union(near.p)
		because = "an ambient capability is inheritable too"
		if d.e != d.p {
			because = "an ambient capability is permitted, effective and inheritable"
		}
	}
	return c.diagnose(ruleUnreachable, "caps",
		fmt.Sprintf("%s cannot be had by %s without file capabilities: %s", d.text(), who, because),
		"write "+near.text())
}

// mismatch says why the target would get other sets than declared.
func (c *compiler) mismatch() *policy.Diagnostic {
	got := declaredCaps{c.After.Effective, c.After.Permitted, c.After.Inheritable}
	if c.iab != nil {
		// What the tuple leads to by itself; caps lowers the permitted set.
		alone := *c
		alone.caps = nil
		if alone.try(alone.routes()[0]) == nil {
			got = declaredCaps{alone.After.Effective, alone.After.Permitted, alone.After.Inheritable}
		}
		return c.diagnose(ruleCapsIAB, "caps",
			fmt.Sprintf("iab (line %d) leads to %s, and caps declares %s", c.Profile.Position("iab").Line, got.text(), c.caps.text()),
			"leave iab out and the vectors are derived, or write caps: "+got.text())
	}
	message := fmt.Sprintf("the target would start with %s, not with the declared %s", got.text(), c.caps.text())
	if f := c.Target.File; f.HasCaps || f.Setuid || f.Setgid {
		return c.diagnose(ruleTarget, "caps", message+": "+c.targetEffect(),
			"remove the set-id bits or file capabilities of the target, or declare what they lead to")
	}
	return c.diagnose(ruleUnreachable, "caps", message, "write caps: "+got.text())
}

// execRefused says why the kernel would not start the target.
func (c *compiler) execRefused(result cred.ExecResult) *policy.Diagnostic {
	return c.diagnose(ruleTarget, c.first("caps", "iab", "mode"),
		fmt.Sprintf("%s, and %s can be had by nobody here: the bounding set lacks it, so the kernel would refuse to start the program",
			c.targetEffect(), CapNames(result.Missing)),
		"remove the file capabilities of the target, or grant them in the profile")
}

// stepRefused says why the kernel would refuse a step, and what to do.
func (c *compiler) stepRefused(f *stepFailure) *policy.Diagnostic {
	s := f.step
	fail := func(rule, why, hint string) *policy.Diagnostic {
		return c.diagnose(rule, s.Key, c.Describe(s)+": "+why, hint)
	}
	held := "held: " + CapNames(f.state.Permitted)
	if f.value >= 0 && !f.state.All.Has(f.value) {
		return fail(ruleUnknownToOS, fmt.Sprintf("%v does not exist in this kernel", cap.Value(f.value)), "leave it out on this machine")
	}
	if f.value >= 0 && c.hands(f.value) && !f.state.Permitted.Has(f.value) {
		name := cap.Value(f.value).String()
		return fail(ruleMissing, fmt.Sprintf("the caller's permitted set lacks %s (%s)", name, held),
			"start caprun with "+name+" (a container: cap_add, as root), or declare less")
	}
	if s.Needs != 0 && !s.Needs.SubsetOf(f.state.Effective) {
		return fail(ruleMissing, fmt.Sprintf("%v: needs %s (%s)", f.errno, CapNames(s.Needs), held), c.cure(s, f.state))
	}
	switch s.Kind {
	case cap.StepUID, cap.StepGID, cap.StepGroups:
		if f.errno == cred.EINVAL {
			return fail(ruleCaller, "the id does not exist in this user namespace", "map it, or declare an id that is mapped")
		}
		if s.Kind == cap.StepGroups {
			return fail(ruleCaller, "setgroups is denied in this user namespace", "declare the groups that the caller has, or map gids with privilege")
		}
		return fail(ruleCaller, "the caller has locked keep_caps and no_setuid_fixup, so a change of uid would lose every capability",
			"start caprun as this uid, or without these locks")
	case cap.StepInheritable, cap.StepAmbient, cap.StepFinal:
		name := cap.Value(max(f.value, 0)).String()
		if s.Kind == cap.StepAmbient {
			return fail(ruleCaller, "the caller has set no_cap_ambient_raise", "start caprun without it, or declare no ambient capability")
		}
		return fail(ruleMissing, "the caller's bounding set lacks "+name, "start caprun with it, or declare less")
	case cap.StepSecbits:
		return fail(ruleSecbits, fmt.Sprintf("the caller has %s, with locks that do not allow it", SecbitsText(f.state.Securebits)),
			"declare what is locked too, or start caprun without these locks")
	}
	return fail(ruleCaller, f.errno.Error(), "")
}

// hands reports whether the target is to hold a capability, as opposed to only
// inherit it.
func (c *compiler) hands(value int) bool {
	if c.caps != nil {
		return c.caps.p.Has(value)
	}
	return c.iab != nil && vectorCaps(c.iab, cap.Amb).Has(value)
}

// cure says how a caller comes to the capability that a step needs.
func (c *compiler) cure(s Step, state cred.Cred) string {
	names := CapNames(s.Needs)
	if state.Bounding.Intersect(s.Needs) == s.Needs && state.EUID != 0 && state.Permitted == 0 {
		cure := "run as root"
		if s.Kind == cap.StepBound {
			cure += ", or add iab: '' to leave the bounding set as it is, with no_new_privs: true"
		}
		return cure + fmt.Sprintf(" (a container: start as root with %s; its capabilities do not reach a non-root user)", names)
	}
	if s.Kind == cap.StepBound {
		return "start caprun with " + names + ", or add iab: '' to leave the bounding set as it is, with no_new_privs: true"
	}
	return "start caprun with " + names + " (a container: cap_add)"
}
