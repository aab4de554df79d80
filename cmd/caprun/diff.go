package main

import (
	"fmt"
	"slices"
	"strings"

	"caprun/engine"
	"caprun/policy"
)

// difference is what became of a profile.
type difference struct {
	old, new   string // what messages call the two
	comparison engine.Comparison

	// others are the keys that changed and are no privilege.
	others []string
}

// diff says what a change of a profile widens and narrows.
func (c *Command) diff(args []string) int {
	f := flags("diff")
	viewFlags(f)
	format := f.String("format", "human", "")
	failOn := f.String("fail-on", "change", "")
	if status, ok := c.parse(f, args, usage, exitTrouble); !ok {
		return status
	}
	printer, ok := diffPrinter(*format)
	if !ok {
		return c.usageError(fmt.Sprintf("-format %q: human, markdown or json", *format), usage, exitTrouble)
	}
	fails, ok := diffFails(*failOn)
	if !ok {
		return c.usageError(fmt.Sprintf("-fail-on %q: change, widen or never", *failOn), usage, exitTrouble)
	}
	if f.NArg() != 2 {
		return c.usageError("diff needs two profiles, the old one and the new one", usage, exitTrouble)
	}
	view, status, ok := c.viewpoint(f)
	if !ok {
		return status
	}
	var plans [2]*engine.Plan
	for n, arg := range f.Args() {
		p, text, status := c.readToReview(arg, exitTrouble)
		if p == nil {
			return status
		}
		plan, findings := engine.Compile(p, view.from, view.target())
		if plan == nil {
			return c.noPlan(findings, text, exitTrouble)
		}
		plans[n] = plan
	}
	d := newDifference(plans[0], plans[1])
	if err := printer(c, d); err != nil {
		return c.trouble(err)
	}
	if fails(d) {
		return exitFindings
	}
	return exitOK
}

// diffPrinter returns the printer of a format.
func diffPrinter(format string) (print func(*Command, difference) error, ok bool) {
	switch format {
	case "human":
		return (*Command).printDiff, true
	case "markdown":
		return (*Command).printDiffMarkdown, true
	case "json":
		return (*Command).printDiffJSON, true
	}
	return nil, false
}

// diffFails returns which differences make the status 1.
func diffFails(on string) (fails func(difference) bool, ok bool) {
	switch on {
	case "never":
		return func(difference) bool { return false }, true
	case "change":
		return func(d difference) bool { return d.comparison.Order() != engine.Same || len(d.others) > 0 }, true
	case "widen":
		return func(d difference) bool {
			o := d.comparison.Order()
			return o == engine.More || o == engine.Incomparable
		}, true
	}
	return nil, false
}

func newDifference(a, b *engine.Plan) difference {
	p, q := a.Profile, b.Profile
	d := difference{old: p.File, new: q.File, comparison: engine.Compare(a, b)}
	add := func(key string, same bool) {
		if !same {
			d.others = append(d.others, key)
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
func (d difference) verdict() string {
	switch d.comparison.Order() {
	case engine.Same:
		if len(d.others) > 0 {
			return "grants the same as"
		}
		return "is the same as"
	case engine.Less:
		return "grants less than"
	case engine.More:
		return "grants MORE than"
	}
	for _, dim := range d.comparison.Different() {
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

func (d difference) changes() []changes {
	var list []changes
	for _, part := range []struct {
		title string
		order engine.Order
	}{{"Widened", engine.More}, {"Not comparable", engine.Incomparable}, {"Narrowed", engine.Less}} {
		group := changes{title: part.title}
		for _, dim := range d.comparison.Different() {
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
