package engine

import (
	"fmt"
	"slices"

	"caprun/cap"
	"caprun/engine/cred"
	"caprun/policy"
)

// refuseStep returns the diagnostic for a step that the kernel would refuse.
func (c *compiler) refuseStep(f *stepFailure) *policy.Diagnostic {
	s := f.step
	subject := c.Describe(s)
	if s.Kind == cap.StepGroups {
		subject += " (caller has groups: " + groupsList(f.state.Groups) + ")"
	}
	fail := func(which rule, why, hint string) *policy.Diagnostic {
		return c.diagnose(which, s.Key, subject+": "+why, hint)
	}
	if r := f.refusal; r != nil && f.errno == 0 {
		if r.subject != "" {
			subject = r.subject
		}
		s.Key = r.key
		return fail(r.rule, r.why, r.hint)
	}
	has := "caller has: " + f.state.Permitted.String()
	if lost := c.Caller.Permitted.Minus(f.state.Permitted); lost != 0 {
		return c.lockConflict(subject + ": ")
	}
	if f.value >= 0 && !f.state.All.Has(f.value) {
		return fail(ruleUnknownToOS, fmt.Sprintf("this kernel does not have %v%s", cap.Value(f.value), capsSince(cred.CapsOf(f.value))), "remove it from the profile")
	}
	if f.value >= 0 && c.grantsToTarget(f.value) && !f.state.Permitted.Has(f.value) {
		name := cap.Value(f.value).String()
		return fail(ruleMissing, fmt.Sprintf("the caller's permitted set lacks %s (%s)", name, has),
			c.startHint(cred.CapsOf(f.value))+", or declare fewer capabilities")
	}
	able := f.state
	able.Effective = able.Effective.Union(s.Needs)
	if _, _, errno := predictStep(able, s.Step, c.Target.KernelRules); errno == 0 {
		return fail(ruleMissing, fmt.Sprintf("%v: needs %s (%s)", f.errno, s.Needs.String(), has), c.needsHint(s, f.state))
	}
	if explain := kindOf(s.Kind).explain; explain != nil {
		if r := explain(f); r != nil {
			return fail(r.rule, r.why, r.hint)
		}
	}
	return fail(ruleCaller, f.errno.Error(), "")
}

// explainIDs explains a uid, gid or group list that the user namespace does not allow.
func explainIDs(f *stepFailure) *stepRefusal {
	s := f.step
	if missing := unmappedIDs(s.Step, f.state.UserNS); f.errno == cred.EINVAL && len(missing) > 0 {
		kind := "gid"
		if s.Kind == cap.StepUID {
			kind = "uid"
		}
		return &stepRefusal{rule: ruleCaller, why: fmt.Sprintf("this user namespace does not map %s %s", kind, groupsList(missing)),
			hint: "map it in this user namespace, or declare a mapped " + kind}
	}
	if s.Kind == cap.StepGroups && f.errno == cred.EPERM {
		return &stepRefusal{rule: ruleCaller, why: "this user namespace denies setgroups(2)",
			hint: "declare the caller's groups, or use a user namespace whose gid_map was written with cap_setgid"}
	}
	return nil
}

// explainAmbient explains a capability that cannot be raised in the ambient set.
func explainAmbient(*stepFailure) *stepRefusal {
	return &stepRefusal{rule: ruleCaller, why: "the caller has set and locked no_cap_ambient_raise",
		hint: "start caprun without this securebit, or declare no ambient capability"}
}

// explainCaps explains an inheritable or a permitted set that is too large.
func explainCaps(f *stepFailure) *stepRefusal {
	name := cap.Value(max(f.value, 0)).String()
	if lost := cred.Caps(f.step.Caps).Minus(f.state.Inheritable.Union(f.state.Bounding)); lost != 0 {
		name = lost.String()
	}
	return &stepRefusal{rule: ruleMissing, why: "the caller's bounding set lacks " + name, hint: "start caprun with " + name + ", or declare fewer capabilities"}
}

// explainSecbits explains securebits that a lock does not allow.
func explainSecbits(f *stepFailure) *stepRefusal {
	return &stepRefusal{rule: ruleSecbits, why: fmt.Sprintf("locked by the caller's securebits (%s)", SecbitsText(f.state.Securebits)),
		hint: "declare the locked securebits too, or start caprun without these locks"}
}

// unmappedIDs returns the IDs of a step that a user namespace does not map.
func unmappedIDs(s *cap.Step, ns cred.UserNS) []uint32 {
	ids, maps := s.Groups, ns.MapsGID
	switch s.Kind {
	case cap.StepGID:
		ids = []uint32{s.ID}
	case cap.StepUID:
		ids, maps = []uint32{s.ID}, ns.MapsUID
	}
	return slices.DeleteFunc(slices.Clone(ids), maps)
}

// grantsToTarget reports whether the profile grants the target a capability, as
// opposed to making it inheritable only.
func (c *compiler) grantsToTarget(value int) bool {
	if c.caps != nil {
		return c.caps.p.Has(value)
	}
	return c.iab != nil && c.iab.Ambient.Has(value)
}

// startHint returns how to start caprun with capabilities that the target gets.
func (c *compiler) startHint(caps cred.Caps) string {
	names := caps.String()
	if c.Caller.EUID != 0 && c.Caller.Permitted == 0 && caps.SubsetOf(c.Caller.Bounding) {
		return "start caprun with " + names + nonRootContainer(names)
	}
	return "start caprun with " + names + " (in a container: cap_add, as root)"
}

// nonRootContainer says how to start a container whose user has no capability.
func nonRootContainer(names string) string {
	return " (in a container: start as root with " + names + "; a non-root user gets no capabilities)"
}

// needsHint returns how to start caprun with the capability that a step needs.
func (c *compiler) needsHint(s Step, state cred.Cred) string {
	names := s.Needs.String()
	if s.Kind == cap.StepGroups && len(state.Groups) == 0 && len(s.Groups) == 1 && !c.Profile.NoNewPrivs && state.GID == s.Groups[0] {
		// See groupsEquivalent.
		or := "start caprun with " + names
		if c.noNewPrivsHelps() {
			return "add no_new_privs: true to keep the empty group list, or " + or
		}
		return or
	}
	orKeepBounding := ""
	if s.Kind == cap.StepBound {
		orKeepBounding = c.orKeepBounding()
	}
	if state.EUID != 0 && state.Permitted == 0 {
		return "start caprun as root" + nonRootContainer(names) + orKeepBounding
	}
	container := " (in a container: cap_add)"
	if state.EUID != 0 {
		container = " (in a container: cap_add, as root)"
	}
	return "start caprun with " + names + container + orKeepBounding
}

// orKeepBounding returns the end of a hint: to leave the bounding set unchanged, if
// the profile has a plan then. With no_new_privs a wider bounding set grants nothing.
func (c *compiler) orKeepBounding() string {
	iab, text := policy.IAB{}, "''"
	if c.caps != nil && c.caps.i != 0 {
		iab.Inheritable, iab.Ambient = c.caps.i, c.caps.i.Intersect(c.caps.e)
		text = "'" + cap.IABOf(iab.Inheritable, iab.Ambient, 0).String() + "'"
	}
	const few = 8 // capabilities, for a hint that can be read
	switch {
	case c.iab != nil || iab.Inheritable.Len() > few || !c.solvesWith(func(p *policy.Profile) { p.IAB, p.NoNewPrivs = &iab, true }):
		return ""
	case c.Profile.NoNewPrivs:
		return ", or add iab: " + text + " to keep the bounding set"
	}
	return ", or add iab: " + text + " and no_new_privs: true to keep the bounding set"
}

// locksDropCaps reports whether the uid change drops capabilities because of the
// caller's locked securebits.
func (c *compiler) locksDropCaps() bool {
	from := c.Caller
	from.Effective = from.Permitted
	after, errno := predictUID(from, c.Identity.UID, c.Target.KernelRules)
	return c.Identity.Declared && errno == 0 && after.Permitted != from.Permitted
}

// lockConflict refuses such a caller. prefix names the step that lacks a capability.
func (c *compiler) lockConflict(prefix string) *policy.Diagnostic {
	return c.diagnose(ruleCaller, c.first("uid", "user"),
		prefix+"the uid change drops every capability: the caller has locked keep_caps and cannot set no_setuid_fixup",
		"start caprun as this uid, or without keep_caps_locked")
}
