package render

import (
	"slices"

	"caprun/engine"
	"caprun/engine/compare"
	"caprun/policy"
)

// Difference is what became of a profile.
type Difference struct {
	old, new   string // what messages call the two
	Comparison compare.Comparison

	// Others are the keys that changed and are no privilege.
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

// verdict says in one sentence how the new profile compares.
func (d Difference) verdict() string {
	switch d.Comparison.Order() {
	case compare.Same:
		if len(d.Others) > 0 {
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
	return "grants more in one respect and less in another than"
}

// changes are the differences of one order, those with the same text together.
type changes struct {
	title string
	rows  []change
}

type change struct {
	names      []string
	dimensions []compare.Difference
	text       string
}

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

// consequence says what a change means where its values do not.
func consequence(d compare.Difference) string {
	switch {
	case d.Dimension == compare.NoNewPrivs && d.Order == compare.More:
		return ": set-user-id programs and file capabilities work again"
	case d.Dimension == compare.NoNewPrivs:
		return ": set-user-id programs and file capabilities give nothing any more"
	case d.Dimension == compare.Session && d.Order == compare.More:
		return ": the target can push input to the caller's terminal"
	case d.Dimension == compare.Securebits && d.Order == compare.Incomparable && slices.Contains(slices.Concat(d.Gained(), d.Lost()), "no_setuid_fixup"):
		return ": with no_setuid_fixup, capabilities do not follow a change of user, neither down nor up"
	case d.Dimension == compare.Limits && (isEmpty(d.Old) || isEmpty(d.New)):
		return ": the caller's limits are not known here"
	case d.Dimension == compare.UID && d.Order == compare.Less:
		return ": no longer the owner of root's files"
	case d.Dimension == compare.UID && d.Order == compare.More:
		return ": the owner of root's files"
	}
	return ""
}

// isEmpty reports whether a value has no limit.
func isEmpty(v compare.Value) bool {
	limits, ok := v.(compare.LimitMap)
	return ok && len(limits) == 0
}
