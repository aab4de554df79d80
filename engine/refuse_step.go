package engine

import (
	"fmt"
	"slices"

	"caprun/cap"
	"caprun/engine/cred"
	"caprun/policy"
)

// refuseStep says why the kernel would refuse a step, and what to do.
func (c *compiler) refuseStep(f *stepFailure) *policy.Diagnostic {
	s := f.step
	what := c.Describe(s)
	if s.Kind == cap.StepGroups {
		what += " (the caller has " + groupsList(f.state.Groups) + ")"
	}
	fail := func(which rule, why, hint string) *policy.Diagnostic {
		return c.diagnose(which, s.Key, what+": "+why, hint)
	}
	if r := f.refusal; r != nil && f.errno == 0 {
		if r.what != "" {
			what = r.what
		}
		s.Key = r.key
		return fail(r.rule, r.why, r.hint)
	}
	held := "held: " + f.state.Permitted.String()
	if lost := c.Caller.Permitted.Minus(f.state.Permitted); lost != 0 {
		return c.lockConflict(what + ": ")
	}
	if f.value >= 0 && !f.state.All.Has(f.value) {
		return fail(ruleUnknownToOS, fmt.Sprintf("this kernel does not have %v%s", cap.Value(f.value), capsSince(cred.CapsOf(f.value))), "leave it out on this machine")
	}
	if f.value >= 0 && c.grantsToTarget(f.value) && !f.state.Permitted.Has(f.value) {
		name := cap.Value(f.value).String()
		return fail(ruleMissing, fmt.Sprintf("the caller's permitted set lacks %s (%s)", name, held),
			c.startHint(cred.CapsOf(f.value))+", or declare less")
	}
	able := f.state
	able.Effective = able.Effective.Union(s.Needs)
	if _, _, errno := predictStep(able, s.Step, c.Target.KernelRules); errno == 0 {
		return fail(ruleMissing, fmt.Sprintf("%v: needs %s (%s)", f.errno, s.Needs.String(), held), c.needsHint(s, f.state))
	}
	if explain := kindOf(s.Kind).explain; explain != nil {
		if r := explain(f); r != nil {
			return fail(r.rule, r.why, r.hint)
		}
	}
	return fail(ruleCaller, f.errno.Error(), "")
}

// explainIDs explains a uid, a gid or groups that a user namespace does not allow.
func explainIDs(f *stepFailure) *stepRefusal {
	s := f.step
	if missing := unmappedIDs(s.Step, f.state.UserNS); f.errno == cred.EINVAL && len(missing) > 0 {
		kind := "gid"
		if s.Kind == cap.StepUID {
			kind = "uid"
		}
		return &stepRefusal{rule: ruleCaller, why: fmt.Sprintf("this user namespace does not map %s %s", kind, groupsList(missing)),
			hint: "map it, or declare an id that is mapped"}
	}
	if s.Kind == cap.StepGroups && f.errno == cred.EPERM {
		return &stepRefusal{rule: ruleCaller, why: "setgroups is denied in this user namespace",
			hint: "declare the groups that the caller has, or map gids with privilege"}
	}
	return nil
}

func explainAmbient(*stepFailure) *stepRefusal {
	return &stepRefusal{rule: ruleCaller, why: "the caller has set and locked no_cap_ambient_raise",
		hint: "start caprun without it, or declare no ambient capability"}
}

// explainCaps explains an inheritable or a permitted set that is too large.
func explainCaps(f *stepFailure) *stepRefusal {
	name := cap.Value(max(f.value, 0)).String()
	if lost := cred.Caps(f.step.Caps).Minus(f.state.Inheritable.Union(f.state.Bounding)); lost != 0 {
		name = lost.String()
	}
	return &stepRefusal{rule: ruleMissing, why: "the caller's bounding set lacks " + name, hint: "start caprun with it, or declare less"}
}

func explainSecbits(f *stepFailure) *stepRefusal {
	return &stepRefusal{rule: ruleSecbits, why: fmt.Sprintf("the caller has %s, with locks that do not allow it", SecbitsText(f.state.Securebits)),
		hint: "declare what is locked too, or start caprun without these locks"}
}

// unmappedIDs returns the ids of a step that a user namespace does not map.
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

// startHint says how a caller comes to capabilities that the target is to have.
func (c *compiler) startHint(caps cred.Caps) string {
	names := caps.String()
	if c.Caller.EUID != 0 && c.Caller.Permitted == 0 && caps.SubsetOf(c.Caller.Bounding) {
		return fmt.Sprintf("start caprun with %s (a container: start as root with it; its capabilities do not reach a non-root user)", names)
	}
	return "start caprun with " + names + " (a container: cap_add, as root)"
}

// needsHint says how a caller comes to the capability that a step needs.
func (c *compiler) needsHint(s Step, state cred.Cred) string {
	names := s.Needs.String()
	if s.Kind == cap.StepGroups && len(state.Groups) == 0 && len(s.Groups) == 1 && !c.Profile.NoNewPrivs && state.GID == s.Groups[0] {
		// See groupsAlike.
		return "set no_new_privs: true, with which no group counts as the gid alone, or start caprun with " + names
	}
	if state.EUID != 0 && state.Permitted == 0 {
		fix := "run as root"
		if s.Kind == cap.StepBound {
			fix += ", or add iab: '' to leave the bounding set as it is, with no_new_privs: true"
		}
		return fix + fmt.Sprintf(" (a container: start as root with %s; its capabilities do not reach a non-root user)", names)
	}
	container := " (a container: cap_add)"
	if state.EUID != 0 {
		container = " (a container: cap_add, as root)"
	}
	if s.Kind == cap.StepBound {
		return "start caprun with " + names + container + ", or add iab: '' to leave the bounding set as it is, with no_new_privs: true"
	}
	return "start caprun with " + names + container
}

// locksDropCaps reports whether locks of the caller take its capabilities with the
// change of uid.
func (c *compiler) locksDropCaps() bool {
	from := c.Caller
	from.Effective = from.Permitted
	after, errno := predictUID(from, c.Identity.UID, c.Target.KernelRules)
	return c.Identity.Declared && errno == 0 && after.Permitted != from.Permitted
}

// lockConflict says so; what is the step that misses them.
func (c *compiler) lockConflict(what string) *policy.Diagnostic {
	return c.diagnose(ruleCaller, c.first("uid", "user"),
		what+"the caller has locked keep_caps and may not set no_setuid_fixup, so the change of uid loses every capability",
		"start caprun as this uid, or without these locks")
}
