package engine

import (
	"fmt"
	"slices"

	"caprun/cap"
	"caprun/engine/machine"
	"caprun/policy"
)

// setLimit adds the step that sets a declared limit.
func (c *compiler) setLimit(l *cap.Launcher, r policy.Rlimit) *policy.Diagnostic {
	number, ok := machine.RlimitNumber(r.Name)
	if !ok {
		return c.diagnose(ruleInternal, "rlimits."+r.Name, fmt.Sprintf("unknown limit %q", r.Name), "report this as a bug")
	}
	// A step has two numbers. Where the caller's limits are unknown, it repeats the
	// declared one instead of the inherited one: describeRlimit does not print it, and
	// checkCaller refuses to execute the plan.
	now := machine.Limit{Soft: r.Hard, Hard: r.Soft}
	if c.knowsLimit(number) {
		now = c.Target.Resources.Limits[number]
	}
	soft, hard := r.Soft, r.Hard
	if r.InheritSoft {
		soft = now.Soft
	}
	if r.InheritHard {
		hard = now.Hard
	}
	if d := c.checkLimit(r, soft, hard); d != nil {
		return d
	}
	l.SetRlimit(number, soft, hard)
	return nil
}

// checkLimit refuses a soft limit above the hard limit, one of which is the caller's.
// setrlimit(2) would fail with EINVAL.
func (c *compiler) checkLimit(r policy.Rlimit, soft, hard uint64) *policy.Diagnostic {
	var what, hint string
	switch {
	case soft <= hard:
		return nil
	case r.InheritHard:
		what = fmt.Sprintf("soft limit %s is above the caller's hard limit %s", policy.LimitText(soft), policy.LimitText(hard))
		hint = fmt.Sprintf("lower soft to %s, or add hard: %s", policy.LimitText(hard), policy.LimitText(soft))
	case r.InheritSoft:
		what = fmt.Sprintf("hard limit %s is below the caller's soft limit %s", policy.LimitText(hard), policy.LimitText(soft))
		hint = fmt.Sprintf("raise hard to %s, or add soft: %s", policy.LimitText(soft), policy.LimitText(hard))
	default:
		return nil
	}
	return c.diagnose(ruleCaller, "rlimits."+r.Name, "set limit "+r.Name+": "+what, hint)
}

// knowsLimit reports whether the caller's limits of a resource are known.
func (p *Plan) knowsLimit(resource int) bool {
	if p.Target.Resources == nil {
		return false
	}
	_, ok := p.Target.Resources.Limits[resource]
	return ok
}

// unknownLimit returns the first limit of which a value is that of an unknown caller.
func (p *Plan) unknownLimit() string {
	n := slices.IndexFunc(p.Profile.Rlimits, func(r policy.Rlimit) bool {
		number, _ := machine.RlimitNumber(r.Name)
		return (r.InheritSoft || r.InheritHard) && !p.knowsLimit(number)
	})
	if n < 0 {
		return ""
	}
	return p.Profile.Rlimits[n].Name
}

func callersLimit(value string, known bool) string {
	if known {
		return value + " (the caller's)"
	}
	return "the caller's"
}
