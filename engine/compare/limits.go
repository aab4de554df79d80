package compare

import (
	"maps"
	"slices"

	"caprun/engine"
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
		soft, hard := engine.LimitText(limit.Soft), engine.LimitText(limit.Hard)
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

func compareLimits(old, new LimitMap) Difference {
	d := Difference{Dimension: Limits, Old: old, New: new}
	for _, name := range slices.Concat(slices.Collect(maps.Keys(old)), slices.Collect(maps.Keys(new))) {
		d.Order = d.Order.and(within(limitWithin(old, new, name), limitWithin(new, old, name)))
	}
	return d
}

// limitWithin reports whether the limit name of a is never greater than that of b, for
// all limits that the caller may have. A soft limit is never above its hard limit.
func limitWithin(a, b LimitMap, name string) bool {
	x, y := limitOf(a, name), limitOf(b, name)
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

// limitOf returns a limit; both values are the caller's if the profile does not set it.
func limitOf(l LimitMap, name string) policy.Rlimit {
	if limit, ok := l[name]; ok {
		return limit
	}
	return policy.Rlimit{Name: name, InheritSoft: true, InheritHard: true}
}
