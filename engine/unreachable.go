package engine

import (
	"fmt"
	"strings"

	"caprun/cap"
	"caprun/policy"
)

// unreachable refuses caps that no route leads to, whatever the caller, for an
// ordinary target. The hint names the nearest declaration that has a plan.
func (c *compiler) unreachable() *policy.Diagnostic {
	d := c.caps
	near, ok := c.nearest()
	hint := "write " + near.yaml()
	if !ok {
		set := c.smallestCauses(func(n *compiler) bool {
			near, ok = n.nearest()
			return ok
		})
		switch first := set.first(); {
		case first == causeMode || first == causeIAB:
			return c.conflict(set, launchSets{})
		case set == 0 || near == *d:
			// To call refuse for d itself would not terminate.
			hint = "grant fewer capabilities: no declaration that grants " + d.e.Union(d.p).String() + " is reachable here"
		default:
			rest := c.withoutCauses(set &^ set.first()).withCaps(&near)
			hint = "declare caps: " + near.yaml() + ", and correct what then fails: " + rest.refuse().Message
		}
	}
	t := c.execTarget()
	message := fmt.Sprintf("caps %s is not reachable for %s without file capabilities: %s", d.text(), t.who(), t.brokenRule())
	if c.targetMatters() {
		message += "; with the target's own file it is not reachable either: " + c.targetEffect()
	}
	return c.diagnose(ruleUnreachable, "caps", message, hint)
}

// execTarget is what the rules of exec depend on for an ordinary target, and the sets
// that the profile declares for it.
type execTarget struct {
	declaredCaps
	uid, euid   uint32
	gainsAsRoot bool // see compiler.gainsAsRoot

	mode        string // the name of a mode that empties sets; empty if there is none
	onlyAmbient bool   // the mode empties the ambient set only

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

// who describes the target in a message.
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

// execRules are the rules of exec that can make a declaration unreachable for an
// ordinary target. The first rule that a declaration breaks is the reason to name.
// Rules that apply to more targets come first, and each relies on the rules before it.
//
// Kernel: cap_bprm_creds_from_file (security/commoncap.c).
var execRules = [...]struct {
	breaks func(*execTarget) bool
	rule   string // MODE stands for the name of the mode
}{
	{func(t *execTarget) bool { return !t.e.SubsetOf(t.p) },
		"an effective capability is also permitted"},
	{func(t *execTarget) bool { return t.mode != "" && !t.onlyAmbient && t.i != 0 },
		"mode MODE leaves nothing inheritable"},

	// A target that does not gain as root gets the ambient set only.
	{func(t *execTarget) bool { return !t.gainsAsRoot && t.e != t.p },
		"a capability passed on by the ambient set is permitted, effective and inheritable"},
	{func(t *execTarget) bool { return !t.gainsAsRoot && !t.p.SubsetOf(t.i) },
		"a capability passed on by the ambient set is also inheritable"},
	{func(t *execTarget) bool { return t.mode != "" },
		"mode MODE leaves nothing ambient"},

	// A target that gains as root gets the bounding and the inheritable set. They
	// become effective if the effective uid is 0.
	{func(t *execTarget) bool { return t.gainsAsRoot && t.euid == 0 && t.e != t.p },
		"every permitted capability of uid 0 becomes effective at exec"},
	{func(t *execTarget) bool { return t.gainsAsRoot && t.euid != 0 && t.e != 0 && !t.effectiveIDChange },
		"before Linux 6.17, exec empties the ambient set if the real and the effective uid differ, so nothing is effective"},
	{func(t *execTarget) bool { return t.gainsAsRoot && t.euid != 0 && !t.e.SubsetOf(t.i) },
		"its effective set is the ambient one, and a capability passed on by the ambient set is also inheritable"},
	{func(t *execTarget) bool { return t.gainsAsRoot && !t.i.SubsetOf(t.p) },
		"every inheritable capability of uid 0 becomes permitted at exec"},
}

// brokenRule returns the first rule of exec that the declaration breaks.
func (t *execTarget) brokenRule() string {
	for _, r := range execRules {
		if r.breaks(t) {
			return strings.Replace(r.rule, "MODE", t.mode, 1)
		}
	}
	return "exec empties the ambient set if the real and the effective uid differ, so nothing is effective"
}
