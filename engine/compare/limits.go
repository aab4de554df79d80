package compare

import (
	"maps"
	"slices"

	"caprun/policy"
)

// LimitMap has the resource limits that a profile sets, by name. The other limits are the
// caller's, which are unknown.
type LimitMap map[string]policy.Rlimit

// limitsOf returns the limits that a profile sets.
func limitsOf(p *policy.Profile) LimitMap {
	limits := LimitMap{}
	for _, r := range p.Rlimits {
		limits[r.Name] = r
	}
	return limits
}

func (l LimitMap) String() string {
	var parts []string
	for _, name := range slices.Sorted(maps.Keys(l)) {
		limit := l[name]
		soft, hard := policy.LimitText(limit.Soft), policy.LimitText(limit.Hard)
		switch {
		case limit.InheritSoft:
			parts = append(parts, name+" hard "+hard)
		case limit.InheritHard:
			parts = append(parts, name+" soft "+soft)
		case soft == hard:
			parts = append(parts, name+" "+soft)
		default:
			parts = append(parts, name+" "+soft+":"+hard)
		}
	}
	return joinOr(parts, "the caller's")
}

func (l LimitMap) equal(v Value) bool { o, ok := v.(LimitMap); return ok && maps.Equal(l, o) }

func compareLimits(old, new *policy.Profile) Difference {
	d := Difference{Dimension: Limits, Old: limitsOf(old), New: limitsOf(new)}
	for _, r := range slices.Concat(old.Rlimits, new.Rlimits) {
		x, y := old.Rlimit(r.Name), new.Rlimit(r.Name)
		d.Order = d.Order.and(within(limitWithin(x, y), limitWithin(y, x)))
	}
	return d
}

// limitWithin reports whether x is never greater than y, for all limits that the caller
// may have. A soft limit is never above its hard limit.
func limitWithin(x, y policy.Rlimit) bool {
	mostHard, leastSoft := uint64(policy.Unlimited), uint64(0)
	if !x.InheritHard {
		mostHard = x.Hard
	}
	if !y.InheritSoft {
		leastSoft = y.Soft
	}
	mostSoft, leastHard := mostHard, leastSoft
	if !x.InheritSoft {
		mostSoft = x.Soft
	}
	if !y.InheritHard {
		leastHard = y.Hard
	}
	return (x.InheritSoft && y.InheritSoft || mostSoft <= leastSoft) &&
		(x.InheritHard && y.InheritHard || mostHard <= leastHard)
}
