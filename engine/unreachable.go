package engine

import (
	"fmt"
	"strings"

	"caprun/cap"
	"caprun/policy"
)

// unreachable says that none of the routes leads to the declared caps, for any
// caller and an ordinary target, and which declaration is the nearest that has a
// plan.
func (c *compiler) unreachable() *policy.Diagnostic {
	d := c.caps
	near, ok := c.nearest()
	hint := "write " + near.written()
	if !ok {
		set := c.smallestCauses(func(n *compiler) bool {
			near, ok = n.nearest()
			return ok
		})
		switch first := set.first(); {
		case first == causeMode || first == causeIAB:
			return c.conflict(set, launchSets{})
		case set == 0 || near == *d:
			// What refuse says of d itself may lead here again, without end.
			hint = "nothing that grants " + d.e.Union(d.p).String() + " can be had here; declare less"
		default:
			// With the nearest in place, what is in its way is the cause.
			rest := c.withoutCauses(set &^ set.first()).withCaps(&near)
			hint = near.text() + " is the nearest, and is not to be had here: " + rest.refuse().Message
		}
	}
	t := c.execTarget()
	message := fmt.Sprintf("caps %s is not reachable for %s without file capabilities: %s", d.text(), t.who(), t.brokenRule())
	if c.targetMatters() {
		message += ", and " + c.targetEffect() + ", which does not lead there"
	}
	return c.diagnose(ruleUnreachable, "caps", message, hint)
}

// execTarget is an ordinary target, as far as it matters to exec, and what is
// declared for it.
type execTarget struct {
	declaredCaps
	uid, euid   uint32
	gainsAsRoot bool // see compiler.gainsAsRoot

	mode        string // the name of a mode that empties sets; "" for none
	onlyAmbient bool   // it empties the ambient set alone

	effectiveIDChange bool // see cred.Rules
}

func (c *compiler) execTarget() *execTarget {
	t := &execTarget{declaredCaps: *c.caps, gainsAsRoot: c.gainsAsRoot(), effectiveIDChange: c.Target.KernelRules.EffectiveIDChange}
	t.uid, t.euid = c.targetUIDs()
	if c.modeEmptiesSets() {
		t.mode, t.onlyAmbient = c.Profile.Mode.String(), *c.Profile.Mode == cap.ModePure1E
	}
	return t
}

// who says what the target is.
func (t *execTarget) who() string {
	switch {
	case t.gainsAsRoot && t.uid != t.euid:
		return fmt.Sprintf("real uid %d with effective uid %d", t.uid, t.euid)
	case t.gainsAsRoot:
		return "uid 0"
	case t.uid == 0 || t.euid == 0:
		return "uid 0 under noroot"
	}
	return "a non-root target (real and effective uid not 0)"
}

// execRules are the rules of exec that keep an ordinary target from what is
// declared: cap_bprm_creds_from_file of the kernel. The first rule that the
// declaration breaks is the reason: rules that apply to more targets come first,
// and each may rely on the ones before it.
var execRules = [...]struct {
	breaks func(*execTarget) bool
	rule   string // MODE stands for the name of the mode
}{
	{func(t *execTarget) bool { return !t.e.SubsetOf(t.p) },
		"an effective capability is also permitted"},
	{func(t *execTarget) bool { return t.mode != "" && !t.onlyAmbient && t.i != 0 },
		"mode MODE leaves nothing inheritable"},

	// Without the power of root, the ambient set is all that the target gets.
	{func(t *execTarget) bool { return !t.gainsAsRoot && t.e != t.p },
		"a capability passed on by the ambient set is permitted, effective and inheritable"},
	{func(t *execTarget) bool { return !t.gainsAsRoot && !t.p.SubsetOf(t.i) },
		"a capability passed on by the ambient set is also inheritable"},
	{func(t *execTarget) bool { return t.mode != "" },
		"mode MODE leaves nothing ambient"},

	// The power of root gives the bounding and the inheritable set, effective
	// where the effective uid is 0.
	{func(t *execTarget) bool { return t.gainsAsRoot && t.euid == 0 && t.e != t.p },
		"what uid 0 is permitted becomes effective at exec"},
	{func(t *execTarget) bool { return t.gainsAsRoot && t.euid != 0 && t.e != 0 && !t.effectiveIDChange },
		"before Linux 6.17 exec empties the ambient set where the ids differ, so nothing is effective"},
	{func(t *execTarget) bool { return t.gainsAsRoot && t.euid != 0 && !t.e.SubsetOf(t.i) },
		"its effective set is the ambient one, and a capability passed on by the ambient set is also inheritable"},
	{func(t *execTarget) bool { return t.gainsAsRoot && !t.i.SubsetOf(t.p) },
		"what uid 0 inherits becomes permitted at exec"},
}

// brokenRule returns the rule of exec that forbids what is declared.
func (t *execTarget) brokenRule() string {
	for _, r := range execRules {
		if r.breaks(t) {
			return strings.Replace(r.rule, "MODE", t.mode, 1)
		}
	}
	return "exec empties the ambient set where the ids differ, so nothing is effective"
}
