package engine

import (
	"fmt"
	"slices"

	"caprun/engine/machine"
	"caprun/policy"
)

// limit returns both values of a declared limit. A value that the target inherits from
// an unknown caller is that of the other limit; such a plan is not executed.
func (c *compiler) limit(r policy.Rlimit) (soft, hard uint64) {
	number, _ := machine.RlimitNumber(r.Name)
	now := machine.Limit{Soft: r.Hard, Hard: r.Soft}
	if c.knowsLimit(number) {
		now = c.Target.Resources.Limits[number]
	}
	soft, hard = r.Soft, r.Hard
	if r.InheritSoft {
		soft = now.Soft
	}
	if r.InheritHard {
		hard = now.Hard
	}
	return soft, hard
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
