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
		text := name + " " + engine.LimitText(limit.Soft)
		if limit.Soft != limit.Hard {
			text += ":" + engine.LimitText(limit.Hard)
		}
		parts = append(parts, text)
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
// all limits that the caller may have.
func limitWithin(a, b LimitMap, name string) bool {
	x, inA := a[name]
	y, inB := b[name]
	switch {
	case inA && inB:
		return x.Soft <= y.Soft && x.Hard <= y.Hard
	case inA:
		return x.Soft == 0 && x.Hard == 0
	case inB:
		return y.Soft == policy.Unlimited && y.Hard == policy.Unlimited
	}
	return true
}
