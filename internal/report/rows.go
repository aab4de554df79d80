package report

import (
	"cmp"
	"slices"
	"strings"
	"time"

	"caprun/engine"
	"caprun/engine/cred"
	"caprun/engine/review"
	"caprun/internal/render"
	"caprun/internal/sanitize"
	"caprun/policy"
)

// Options configure a report.
type Options struct {
	// Today decides which suppressions of findings have expired.
	Today time.Time

	// Base is the name of the version that the profiles are compared with; empty for a
	// report without comparison.
	Base string
}

// A Report is the rows of many profiles.
type Report struct {
	options Options
	rows    []*Row
	sorted  bool
}

// New returns a report without rows.
func New(o Options) *Report { return &Report{options: o} }

// A Row is what a report says about one profile. Its text has no control characters.
type Row struct {
	Name        string
	Description string
	Power       Power

	// HasPlan reports that a program can be started with the profile. Otherwise the fields
	// about privileges are zero. Problem is the reason of a profile that cannot be read.
	HasPlan bool
	Problem string

	// User is the user that the target runs as: the uids, the name of a user that was not
	// looked up, or "caller" for a profile that declares no identity, or what the source has for
	// one. GID and Groups are
	// the same for the group and the supplementary groups.
	User, GID, Groups string

	// Held are the permitted capabilities of the target. RootEquivalent are those of them
	// that amount to root, Children those that an ordinary program that it executes has,
	// Later those that the target lacks and that it, or a program that it executes, can
	// gain.
	Held, RootEquivalent, Children, Later cred.Caps

	// CallerCaps reports that the profile declares no capability sets, so that the target
	// has those that the caller leaves it.
	CallerCaps bool

	NoNewPrivs bool
	Securebits cred.Securebits

	// Reachable are the sentences of [engine.Plan.Reachable].
	Reachable []string

	// Findings are those of check, at most maxFindings; More is the number of the others.
	Findings               []Finding
	More                   int
	Errors, Warnings       int
	Infos, SuppressedCount int

	// Change is the comparison with the base; empty without one.
	Change render.Kind
	Note   string // what changed

	launches   string // the profile with which caprun starts a program; empty for another process
	launchText string // the same for a sentence, after the word profile
	file       string // to link to
	noLines    bool
	uid0       bool // the profile declares uid 0
	undeclared bool // it has a plan and declares no identity
	mayBeRoot  bool
	removed    bool
}

// A Finding is a finding of a row.
type Finding struct {
	Severity   policy.Severity
	Rule       string
	Message    string // with the hint
	Suppressed string // the reason; empty if it is not suppressed

	file string // to link to; empty for none
	line int    // 0 if unknown
}

// maxFindings is the number of findings of a profile that a report shows. More are a reason
// to run check.
const maxFindings = 50

// maxText is the largest length of a description or message in a report, in characters.
const maxText = 1000

// Caller is what a row has for an identity that the profile does not declare.
const Caller = "caller"

// Add adds the row of a source. It returns an error if there are too many.
func (r *Report) Add(s Source) error {
	if len(r.rows) == MaxProfiles {
		return ErrTooLarge
	}
	row := newRow(s, r.options)
	row.Power = powerOf(row)
	r.rows = append(r.rows, row)
	r.sorted = false
	return nil
}

// Rows returns the rows, ordered by power.
func (r *Report) Rows() []*Row {
	if !r.sorted {
		sortRows(r.rows)
		r.sorted = true
	}
	return r.rows
}

// newRow returns the row of a source.
func newRow(s Source, o Options) *Row {
	row := &Row{Name: text(sanitize.Line(s.Name)), file: s.File, noLines: s.NoLines, removed: s.Removed, launches: text(s.Launches), launchText: text(s.LaunchText)}
	var plan *engine.Plan
	switch {
	case s.Removed:
		row.file = ""
	case s.Err != nil:
		row.Problem = text(s.Err.Error())
	default:
		var p *policy.Profile
		if p, _ = policy.Parse(row.Name, s.Text); p != nil {
			row.Description = text(p.Description)
			if plan, _ = engine.Compile(standIn(s.StandIn, p), cred.Root(), engine.OrdinaryTarget()); plan != nil {
				row.setPlan(plan, cmp.Or(s.Undeclared, Caller))
				if s.NotRoot {
					row.User, row.GID, row.Groups = s.Undeclared, s.Undeclared, s.Undeclared
				}
			}
		}
		options := review.Options{Today: o.Today}
		if s.Check != nil {
			row.addFindings(s, s.Check(options))
		} else {
			row.addFindings(s, review.Check(row.Name, s.Text, options).Findings)
		}
	}
	if o.Base != "" {
		row.compare(s, plan)
	}
	return row
}

// standIn returns the profile to make a plan of.
func standIn(f func(*policy.Profile) *policy.Profile, p *policy.Profile) *policy.Profile {
	if f == nil {
		return p
	}
	return f(p)
}

// setPlan fills the fields about privileges.
func (row *Row) setPlan(p *engine.Plan, undeclared string) {
	a := p.AfterExec
	children, most := p.ReachableCaps()
	row.HasPlan = true
	row.Held, row.Children, row.Later = a.Permitted, children, most.Minus(a.Permitted)
	row.RootEquivalent = review.RootEquivalent(p)
	row.CallerCaps = p.Profile.Caps == nil && p.Profile.IAB == nil && p.Profile.Mode == nil
	row.NoNewPrivs, row.Securebits = a.NoNewPrivs, a.Securebits
	for _, s := range p.Reachable() {
		row.Reachable = append(row.Reachable, text(s))
	}
	row.User, row.GID, row.Groups = undeclared, undeclared, undeclared
	// The placeholder of a user that was not looked up is not 0.
	row.mayBeRoot = a.UID == 0 || a.EUID == 0 || a.SUID == 0
	if !p.Identity.Declared {
		row.undeclared = true
		return
	}
	row.uid0 = row.mayBeRoot
	row.User, row.GID, row.Groups = p.IdentityText()
	if known, _, _ := p.KnownIDs(); !known {
		row.User = p.Identity.User
	}
	row.User, row.GID, row.Groups = text(row.User), text(row.GID), text(row.Groups)
}

// addFindings adds the findings of check, and those about the file itself.
func (row *Row) addFindings(s Source, found []review.Finding) {
	all := slices.SortedStableFunc(slices.Values(found), func(a, b review.Finding) int { return a.Compare(b.Diagnostic) })
	for _, f := range all {
		switch {
		case f.Suppressed != nil:
			row.SuppressedCount++
		case f.Severity == policy.Error:
			row.Errors++
		case f.Severity == policy.Warning:
			row.Warnings++
		default:
			row.Infos++
		}
		if len(row.Findings) == maxFindings {
			row.More++
			continue
		}
		entry := Finding{Severity: f.Severity, Rule: f.Rule, Message: text(render.WithHint(f.Message, f.Hint)), file: s.File}
		if s.Check != nil {
			entry.file = f.File
		}
		if f.IsKnown() && !s.NoLines {
			entry.line = f.Line
		}
		if f.Suppressed != nil {
			entry.Suppressed = text(f.Suppressed.Reason)
			if f.Suppressed.Until != "" {
				entry.Suppressed += " (until " + f.Suppressed.Until + ")"
			}
		}
		row.Findings = append(row.Findings, entry)
	}
}

// compare compares the plan with that of the base.
func (row *Row) compare(s Source, new *engine.Plan) {
	var old *engine.Plan
	if s.Old != nil {
		if p, _ := policy.Parse(row.Name, s.Old); p != nil {
			old, _ = engine.Compile(standIn(s.oldStandIn, p), cred.Root(), engine.OrdinaryTarget())
		}
	}
	change := render.NewChange(row.Name, old, new, new == nil && !s.Removed || s.OldErr != nil)
	if s.Outside != nil || s.oldOutside != nil {
		change.SetOutside(render.NewOutside(s.oldOutside, s.Outside))
	}
	if differs := s.Normal != s.oldNormal; differs && s.Normal != "" && s.oldNormal != "" && change.Kind == render.Unchanged {
		change.SetUnexamined()
	}
	switch {
	case s.Unread == "":
	case s.Unread == s.oldUnread:
		change = render.Change{Kind: render.Unchanged}
	default:
		change = render.NewUncompared(row.Name, "its processes are not known")
	}
	row.Change, row.Note = change.Kind, text(change.Note())
	switch {
	case change.Kind != render.Invalid:
	case s.OldErr != nil:
		row.Note = text("the profile of the base cannot be read: " + s.OldErr.Error())
	case s.Err != nil:
		row.Note = "cannot be read: " + row.Problem
	default:
		row.Note = "has no plan"
	}
}

// text returns untrusted text as one bounded line without control characters.
func text(s string) string {
	s = sanitize.Text(strings.TrimSpace(strings.ReplaceAll(s, "\n", " ")))
	n := 0
	for at := range s {
		if n++; n > maxText {
			return s[:at] + "…"
		}
	}
	return s
}

// locks returns the securebits of a row for a column: the bits that are set and locked, or
// what is missing. The names have no prefix.
func (row *Row) locks() string {
	if row.Securebits.Has(cred.SecNoRoot | cred.SecNoRootLocked) {
		if n := row.lockedBits() - 1; n > 0 {
			return "noroot +" + number(n)
		}
		return "noroot"
	}
	if n := row.lockedBits(); n > 0 {
		return plural(n, "other")
	}
	if row.Securebits != 0 {
		return "unlocked"
	}
	return "none"
}

// lockedBits returns how many securebits are locked, set or not.
func (row *Row) lockedBits() (n int) {
	for bit := cred.Securebits(1); cred.SecAllBits&^(bit-1) != 0; bit <<= 2 {
		if row.Securebits.Has(bit << 1) {
			n++
		}
	}
	return n
}
