package report

import (
	"fmt"
	"strconv"
	"strings"

	"caprun/internal/render"
)

// A Summary has the numbers of a report.
type Summary struct {
	Profiles      int `json:"profiles"`        // all, without removed ones
	AmountsToRoot int `json:"amounts_to_root"` // have a capability that amounts to root
	UID0          int `json:"uid_0"`           // declare uid 0
	Caller        int `json:"caller"`          // declare no identity
	NoCaps        int `json:"no_capability"`   // have a plan and no capability
	NoPlan        int `json:"no_plan"`         // have no plan
	StartsCaprun  int `json:"starts_caprun"`   // are caprun, whose privileges the others count
	Errors        int `json:"errors"`          // these and the next two: unsuppressed findings
	Warnings      int `json:"warnings"`
	Infos         int `json:"infos"`
	Suppressed    int `json:"suppressed"`

	// UndeclaredUser counts files of other platforms that declare no identity: the
	// platform or an image decides the user.
	UndeclaredUser int `json:"undeclared_user"`

	changes map[render.Kind]int
}

// Summary returns the numbers of the report.
func (r *Report) Summary() Summary {
	s := Summary{changes: map[render.Kind]int{}}
	for _, row := range r.rows {
		if row.Change != "" {
			s.changes[row.Change]++
		}
		if row.removed {
			continue
		}
		s.Profiles++
		for _, c := range [...]struct {
			is    bool
			count *int
		}{
			{row.RootEquivalent != 0, &s.AmountsToRoot},
			{row.uid0, &s.UID0},
			{row.undeclared && row.User == Caller, &s.Caller},
			{row.undeclared && row.mayBeRoot && row.User != Caller, &s.UndeclaredUser},
			{row.HasPlan && row.Held == 0, &s.NoCaps},
			{!row.HasPlan, &s.NoPlan},
			{row.Power == StartsCaprun, &s.StartsCaprun},
		} {
			if c.is {
				*c.count++
			}
		}
		s.Errors += row.Errors
		s.Warnings += row.Warnings
		s.Infos += row.Infos
		s.Suppressed += row.SuppressedCount
	}
	return s
}

// A fact is a part of the summary: a number, and what so many profiles do.
type fact struct {
	count int
	about string
	bad   bool // a number above 0 deserves attention
}

// facts returns the parts of the summary. Those that are only sometimes of interest are
// left out if they are 0.
func (s Summary) facts() []fact {
	verb := func(n int, one, many string) string {
		if n == 1 {
			return one
		}
		return many
	}
	list := []fact{
		{s.AmountsToRoot, verb(s.AmountsToRoot, "has", "have") + " a capability that amounts to root", true},
		{s.UID0, verb(s.UID0, "runs", "run") + " as uid 0", true},
	}
	if s.Caller > 0 {
		list = append(list, fact{s.Caller, verb(s.Caller, "runs", "run") + " as the caller", true})
	}
	if s.UndeclaredUser > 0 {
		list = append(list, fact{s.UndeclaredUser, "with an undeclared user, which may be root", true})
	}
	if s.StartsCaprun > 0 {
		list = append(list, fact{s.StartsCaprun, verb(s.StartsCaprun, "starts", "start") + " a program with caprun", false})
	}
	list = append(list, fact{s.NoCaps, verb(s.NoCaps, "has", "have") + " no capability", false})
	if s.NoPlan > 0 {
		list = append(list, fact{s.NoPlan, verb(s.NoPlan, "has", "have") + " no plan", true})
	}
	return list
}

// String returns the summary as a sentence without a final period.
func (s Summary) String() string {
	var parts []string
	for _, f := range s.facts() {
		parts = append(parts, fmt.Sprintf("%d %s", f.count, f.about))
	}
	return profiles(s.Profiles) + ": " + strings.Join(parts, ", ")
}

// changesText returns the number of profiles of each kind of change, such as "1 widened, 2
// new"; "no profiles" if there are none.
func (s Summary) changesText() string {
	var parts []string
	for _, kind := range changeKinds {
		if n := s.changes[kind]; n > 0 {
			parts = append(parts, fmt.Sprintf("%d %s", n, kind))
		}
	}
	if parts == nil {
		return "no profiles"
	}
	return strings.Join(parts, ", ")
}

// changeKinds are the kinds of changes, those that need a review first.
var changeKinds = [...]render.Kind{
	render.Invalid, render.Widened, render.Incomparable, render.New, render.Narrowed, render.Removed, render.Changed, render.Unchanged,
}

func number(n int) string { return strconv.Itoa(n) }

func plural(n int, what string) string {
	if n == 1 {
		return "1 " + what
	}
	return number(n) + " " + what + "s"
}

func profiles(n int) string { return plural(n, "profile") }

// findings returns the numbers of findings, such as "1 error, 2 warnings"; "none" if there
// are none.
func (row *Row) findings() string {
	var parts []string
	for _, f := range [...]fact{{row.Errors, "error", true}, {row.Warnings, "warning", true}, {row.Infos, "info", false}} {
		if f.count > 0 {
			parts = append(parts, plural(f.count, f.about))
		}
	}
	switch {
	case parts != nil:
		return strings.Join(parts, ", ")
	case row.Problem != "":
		return "unreadable"
	case row.SuppressedCount > 0:
		return number(row.SuppressedCount) + " suppressed"
	}
	return "none"
}
