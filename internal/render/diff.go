package render

import (
	"slices"
	"strings"

	"caprun/engine"
	"caprun/policy"
)

// Difference is what became of a profile.
type Difference struct {
	old, new   string // what messages call the two
	Comparison engine.Comparison

	// Others are the keys that changed and are no privilege.
	Others []string
}

// NewDifference compares two plans.
func NewDifference(a, b *engine.Plan) Difference {
	p, q := a.Profile, b.Profile
	d := Difference{old: p.File, new: q.File, Comparison: engine.Compare(a, b)}
	add := func(key string, same bool) {
		if !same {
			d.Others = append(d.Others, key)
		}
	}
	add("command", slices.Equal(p.Command, q.Command))
	add("cwd", p.Cwd == q.Cwd)
	add("lint", slices.EqualFunc(p.Ignored, q.Ignored, policy.Ignore.Equal))
	add("new_session", p.NewSession == q.NewSession)
	add("umask", (p.Umask == nil) == (q.Umask == nil) && (p.Umask == nil || *p.Umask == *q.Umask))
	return d
}

// verdict says in one sentence how the new profile compares.
func (d Difference) verdict() string {
	switch d.Comparison.Order() {
	case engine.Same:
		if len(d.Others) > 0 {
			return "grants the same as"
		}
		return "is the same as"
	case engine.Less:
		return "grants less than"
	case engine.More:
		return "grants MORE than"
	}
	for _, dim := range d.Comparison.Different() {
		if dim.Order == engine.Incomparable {
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
	dimensions []engine.Dimension
	text       string
}

func (d Difference) changes() []changes {
	var list []changes
	for _, part := range []struct {
		title string
		order engine.Order
	}{{"Widened", engine.More}, {"Not comparable", engine.Incomparable}, {"Narrowed", engine.Less}} {
		group := changes{title: part.title}
		for _, dim := range d.Comparison.Different() {
			if dim.Order != part.order {
				continue
			}
			text := dim.Text() + consequence(dim)
			if n := slices.IndexFunc(group.rows, func(c change) bool { return c.text == text }); n >= 0 {
				group.rows[n].names = append(group.rows[n].names, dim.Name)
				group.rows[n].dimensions = append(group.rows[n].dimensions, dim)
				continue
			}
			group.rows = append(group.rows, change{[]string{dim.Name}, []engine.Dimension{dim}, text})
		}
		if group.rows != nil {
			list = append(list, group)
		}
	}
	return list
}

// consequence says what a change means where its values do not.
func consequence(d engine.Dimension) string {
	switch {
	case d.Name == "no_new_privs" && d.Order == engine.More:
		return ": set-user-id programs and file capabilities work again"
	case d.Name == "no_new_privs":
		return ": set-user-id programs and file capabilities give nothing any more"
	case d.Name == "secbits" && d.Order == engine.Incomparable && slices.Contains(slices.Concat(d.Gained, d.Lost), "no_setuid_fixup"):
		return ": with no_setuid_fixup, capabilities do not follow a change of user, neither down nor up"
	case d.Name == "rlimits" && strings.Contains(d.A+d.B, "the caller's"):
		return ": the caller's limits are not known here"
	case d.Name == "uid" && d.Order == engine.Less:
		return ": no longer the owner of root's files"
	case d.Name == "uid" && d.Order == engine.More:
		return ": the owner of root's files"
	}
	return ""
}
