package render

import (
	"slices"

	"caprun/engine"
	"caprun/engine/compare"
	"caprun/policy"
)

// Difference is the difference between two profiles.
type Difference struct {
	old, new   string // the names of the profiles
	Comparison compare.Comparison

	// Outside is what a profile cannot express.
	Outside Outside

	// Unexamined reports that the files also differ in declarations that are neither in the
	// plans nor in Outside.
	Unexamined bool

	// Others are the changed keys that grant no privilege.
	Others []string
}

// NewDifference compares two plans.
func NewDifference(a, b *engine.Plan) Difference {
	p, q := a.Profile, b.Profile
	d := Difference{old: p.File, new: q.File, Comparison: compare.Compare(a, b)}
	add := func(key string, same bool) {
		if !same {
			d.Others = append(d.Others, key)
		}
	}
	add("command", slices.Equal(p.Command, q.Command))
	add("cwd", p.Cwd == q.Cwd)
	add("lint", slices.EqualFunc(p.Ignored, q.Ignored, policy.Ignore.Equal))
	add("umask", (p.Umask == nil) == (q.Umask == nil) && (p.Umask == nil || *p.Umask == *q.Umask))
	return d
}

// verdict returns the words between the names of the new and the old profile.
func (d Difference) verdict() string {
	switch d.order() {
	case compare.Same:
		if len(d.Others) > 0 || d.Unexamined {
			return "grants the same as"
		}
		return "is the same as"
	case compare.Less:
		return "grants less than"
	case compare.More:
		return "grants MORE than"
	}
	for _, dim := range d.Comparison.Changed() {
		if dim.Order == compare.Incomparable {
			return "cannot be compared with"
		}
	}
	if !d.Outside.isEmpty() {
		return "cannot be compared with"
	}
	return "grants more in one respect and less in another than"
}

// changes are the differences of one order.
type changes struct {
	title string
	rows  []change
}

// change is a row: the dimensions that changed in the same way.
type change struct {
	names      []string
	dimensions []compare.Difference
	text       string
}

// changes returns the differences in the order in which they are printed.
func (d Difference) changes() []changes {
	var list []changes
	for _, part := range []struct {
		title string
		order compare.Order
	}{{"Widened", compare.More}, {"Not comparable", compare.Incomparable}, {"Narrowed", compare.Less}} {
		group := changes{title: part.title}
		for _, dim := range d.Comparison.Changed() {
			if dim.Order != part.order {
				continue
			}
			text := dim.Text() + consequence(dim)
			if n := slices.IndexFunc(group.rows, func(c change) bool { return c.text == text }); n >= 0 {
				group.rows[n].names = append(group.rows[n].names, string(dim.Dimension))
				group.rows[n].dimensions = append(group.rows[n].dimensions, dim)
				continue
			}
			group.rows = append(group.rows, change{[]string{string(dim.Dimension)}, []compare.Difference{dim}, text})
		}
		if group.rows != nil {
			list = append(list, group)
		}
	}
	return list
}

// consequence returns what a change means, if its values do not show it.
func consequence(d compare.Difference) string {
	switch {
	case d.Dimension == compare.NoNewPrivs && d.Order == compare.More:
		return ": set-user-ID and file capabilities take effect again"
	case d.Dimension == compare.NoNewPrivs:
		return ": set-user-ID and file capabilities no longer take effect"
	case d.Dimension == compare.Session && d.Order == compare.More:
		return ": the target can push input to the caller's terminal"
	case d.Dimension == compare.Keyring && d.Order == compare.More:
		return ": the target can use the keys of the caller"
	case d.Dimension == compare.Securebits && d.Order == compare.Incomparable && slices.Contains(slices.Concat(d.Gained(), d.Lost()), "no_setuid_fixup"):
		return ": with no_setuid_fixup, a change of user neither clears nor restores capabilities"
	case d.Dimension == compare.Limits && (isEmpty(d.Old) || isEmpty(d.New)):
		return ": the limits of the caller are unknown"
	case d.Dimension == compare.UID && d.Order == compare.Less:
		return ": the target no longer owns the files of root"
	case d.Dimension == compare.UID && d.Order == compare.More:
		return ": the target owns the files of root"
	}
	return ""
}

// isEmpty reports whether a value has no limit.
func isEmpty(v compare.Value) bool {
	limits, ok := v.(compare.LimitMap)
	return ok && len(limits) == 0
}
