package report

import (
	"strings"

	"caprun/cap"
	"caprun/engine/cred"
)

// wide is the largest number of capabilities of a row that adds columns. A row with more
// would add nearly all of them, and say nothing about the others: its capabilities without
// a column are a number in the last one.
const wide = 20

// A column is a capability that a row of at most wide capabilities has.
type column struct {
	cap   int
	first bool // of its group
	held  int  // how many rows have it
}

// name returns the name of the capability without its prefix.
func (c column) name() string { return shortName(c.cap) }

func shortName(n int) string { return strings.TrimPrefix(cap.Value(n).String(), "cap_") }

// columnGroup is a group, and its columns.
type columnGroup struct {
	Group
	columns []column
}

// columns returns the groups that have columns, and the capabilities without a column that
// a row has or can gain.
func (r *Report) columns() (list []columnGroup, rest cred.Caps) {
	var shown, any cred.Caps
	var held [cap.NamedCount]int
	for _, row := range r.rows {
		any = any.Union(row.Held).Union(row.Later)
		if row.Held.Len() <= wide {
			shown = shown.Union(row.Held)
		}
		for n := range held {
			if row.Held.Has(n) {
				held[n]++
			}
		}
	}
	for _, g := range groups {
		c := columnGroup{Group: g}
		for n := range held {
			if g.Caps.Has(n) && shown.Has(n) {
				c.columns = append(c.columns, column{n, len(c.columns) == 0, held[n]})
			}
		}
		if c.columns != nil {
			list = append(list, c)
		}
	}
	return list, any.Minus(shown)
}

// capsText returns the names of a set without their prefix. mark is appended to those that
// are in marked.
func capsText(set, marked cred.Caps, mark string) string {
	if set == 0 {
		return "none"
	}
	all := cred.FirstCaps(cap.NamedCount)
	if missing := all.Minus(set); missing == 0 {
		return "every capability"
	} else if set.Len() > wide {
		return "every capability but " + capsText(missing, 0, "")
	}
	var names []string
	for n := range cap.NamedCount {
		if set.Has(n) {
			name := shortName(n)
			if marked.Has(n) {
				name += mark
			}
			names = append(names, name)
		}
	}
	return strings.Join(names, ", ")
}
