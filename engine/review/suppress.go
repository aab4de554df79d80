package review

import (
	"fmt"
	"slices"
	"strings"
	"time"

	"caprun/cap"
	"caprun/engine"
	"caprun/engine/cred"
	"caprun/policy"
)

// The rules about entries in lint.ignore. Their findings cannot be suppressed.
var (
	suppressionExpired = policy.Rule{Name: "suppression-expired", Severity: policy.Warning, Summary: "An entry in lint.ignore has expired and no longer suppresses findings."}
	suppressionOfError = policy.Rule{Name: "suppression-of-error", Severity: policy.Error, Summary: "Errors and findings about suppressions cannot be suppressed."}
	suppressionTooWide = policy.Rule{Name: "suppression-too-wide", Severity: policy.Info, Summary: "An entry in lint.ignore without caps also suppresses findings about capabilities added later."}
	suppressionUnknown = policy.Rule{Name: "suppression-unknown", Severity: policy.Warning, Summary: "An entry in lint.ignore names an unknown rule."}
	suppressionUnused  = policy.Rule{Name: "suppression-unused", Severity: policy.Warning, Summary: "An entry in lint.ignore suppresses nothing."}
)

func suppressionRules() []policy.Rule {
	return []policy.Rule{suppressionExpired, suppressionOfError, suppressionTooWide, suppressionUnknown, suppressionUnused}
}

// maxListed is the maximum number of capabilities that suppression-too-wide asks an
// entry to list. Nobody reads a longer list.
const maxListed = cap.NamedCount / 2

// A coverage is what a review examined besides the text of a profile.
type coverage struct {
	plan *engine.Plan // nil if the profile has none
	host bool
}

// includes reports whether a rule was checked.
func (c coverage) includes(rule string) bool {
	if isRisk(rule) {
		return c.plan != nil
	}
	return c.host
}

// hasEveryCap reports whether a capability set of the target is full, so that no
// capability can be added later.
func (c coverage) hasEveryCap(capSet func(cred.Cred) cred.Caps) bool {
	return c.plan != nil && c.plan.AfterExec.All.SubsetOf(capSet(c.plan.AfterExec))
}

// suppress marks the findings that the profile suppresses, adds the findings about
// entries in lint.ignore, and returns all sorted.
func suppress(p *policy.Profile, found []Finding, today time.Time, c coverage) []Finding {
	accepted := map[string][]acceptance{}
	if len(p.Ignored) > 0 {
		rules := Rules()
		day := today.UTC().Format(time.DateOnly)
		var wrong reporter
		wrong.profile = p
		for i := range p.Ignored {
			e := newEntry(p, i, found)
			if e.applies(rules, day, c, &wrong) {
				accepted[e.Rule] = append(accepted[e.Rule], acceptance{e.suppression(), e.Caps == nil, e.caps})
			}
		}
		found = append(found, wrong.found...)
	}
	slices.SortStableFunc(found, func(a, b Finding) int { return a.Compare(b.Diagnostic) })
	for i := range found {
		if f := &found[i]; f.Severity != policy.Error {
			f.suppressBy(accepted[f.Rule])
		}
	}
	return found
}

// An acceptance is a valid entry.
type acceptance struct {
	Suppression
	every bool // it has no caps, and suppresses every finding of the rule
	caps  cred.Caps
}

// suppressBy marks a finding if one entry without caps, or entries that together
// list all of its capabilities, suppress it. If capabilities are left, the hint
// names them.
func (f *Finding) suppressBy(entries []acceptance) {
	var together Suppression
	var reasons []string
	left := f.Caps
	for _, a := range entries {
		if a.every {
			f.Suppressed = &a.Suppression
			return
		}
		if a.caps.Intersect(left) == 0 {
			continue
		}
		left = left.Minus(a.caps)
		if reasons == nil {
			together = a.Suppression
		} else if a.Until != "" && (together.Until == "" || a.Until < together.Until) {
			together.Until = a.Until
		}
		reasons = append(reasons, a.Reason)
	}
	switch {
	case reasons == nil:
	case left != 0:
		f.Hint += "; lint.ignore does not list " + strings.Join(left.Names(), ", ")
	default:
		together.Reason = strings.Join(reasons, "; ")
		f.Suppressed = &together
	}
}

// An entry is an entry in lint.ignore.
type entry struct {
	policy.Ignore
	profile *policy.Profile
	index   int

	caps    cred.Caps // that it lists
	found   cred.Caps // of the findings of its rule
	matches bool      // there is a finding of its rule, and of its caps if it has any
}

func newEntry(p *policy.Profile, index int, found []Finding) entry {
	e := entry{profile: p, index: index, Ignore: p.Ignored[index]}
	for _, name := range e.Caps {
		if v, err := cap.FromName(name); err == nil {
			e.caps = e.caps.With(int(v))
		}
	}
	for _, f := range found {
		if f.Rule == e.Rule {
			e.found = e.found.Union(f.Caps)
			e.matches = e.matches || e.Caps == nil || f.Caps.Intersect(e.caps) != 0
		}
	}
	return e
}

func (e entry) path() string { return fmt.Sprintf("lint.ignore[%d]", e.index) }

func (e entry) suppression() Suppression {
	return Suppression{Position: e.profile.Position(e.path()), Reason: strings.Join(strings.Fields(e.Reason), " "), Until: e.Until}
}

// applies reports whether the entry applies on a day, and adds what is wrong with it
// to wrong.
func (e entry) applies(rules []policy.Rule, day string, c coverage, wrong *reporter) bool {
	report := func(key string, r policy.Rule, caps cred.Caps, message, hint string) {
		wrong.rule = r
		wrong.reportCaps(e.profile.Position(e.path()+key), caps, message, hint)
	}
	n := slices.IndexFunc(rules, func(r policy.Rule) bool { return r.Name == e.Rule })
	capSet, checked := capSetOf(e.Rule), c.includes(e.Rule)
	switch {
	case n < 0:
		report(".rule", suppressionUnknown, 0, fmt.Sprintf("unknown rule %q", e.Rule), e.suggestion(rules))
		return false
	case rules[n].Severity == policy.Error:
		report(".rule", suppressionOfError, 0, e.Rule+" is an error and cannot be suppressed", e.deletion())
		return false
	case slices.Contains(suppressionRules(), rules[n]):
		report(".rule", suppressionOfError, 0, e.Rule+" is about suppressions and cannot be suppressed", e.deletion())
		return false
	case e.Caps != nil && capSet == nil:
		report(".caps", suppressionUnused, 0, e.Rule+" is not about capabilities: an entry with caps suppresses nothing", "remove caps from the entry")
		return false
	case e.Until != "" && e.Until < day:
		hint := e.deletion()
		if e.matches || !checked {
			hint = "fix the finding and delete the entry, or write a later date and a current reason"
		}
		report(".until", suppressionExpired, 0, "the suppression of "+e.Rule+" expired after "+e.Until, hint)
		return false
	case !e.matches && checked:
		what := " reports nothing in this profile"
		if e.found != 0 {
			what = " reports nothing about these capabilities"
		}
		report(".rule", suppressionUnused, 0, e.Rule+what+": the entry suppresses nothing", e.deletion())
		return false
	case e.Caps == nil && e.found != 0 && !c.hasEveryCap(capSet) && e.found.Len() <= maxListed:
		report("", suppressionTooWide, e.found, "the entry suppresses "+e.Rule+" for every capability, including those added later",
			"add caps: ["+strings.Join(e.found.Names(), ", ")+"]")
	case checked:
		for i, name := range e.Caps {
			if v, err := cap.FromName(name); err == nil && !e.found.Has(int(v)) {
				report(fmt.Sprintf(".caps[%d]", i), suppressionUnused, cred.CapsOf(int(v)), e.Rule+" reports nothing about "+v.String(), "remove it from caps")
			}
		}
	}
	return true
}

// suggestion returns the hint for an unknown rule.
func (e entry) suggestion(rules []policy.Rule) string {
	names := make([]string, len(rules))
	for i, r := range rules {
		names[i] = r.Name
	}
	if name := policy.Suggest(e.Rule, names); name != "" {
		return "did you mean " + name + "?"
	}
	return e.deletion()
}

// deletion returns the hint to delete the entry, or lint if it is the only one: an
// empty list has no value.
func (e entry) deletion() string {
	what, at := "the entry", e.profile.Position(e.path())
	if len(e.profile.Ignored) == 1 {
		what, at = "lint", e.profile.Position("lint")
		key := e.profile.KeyPosition("lint")
		at.Line, at.Column = key.Line, key.Column
	}
	switch {
	case !hasLinesAlone(e.profile.Source(), at):
		return "remove " + what
	case at.EndLine > at.Line:
		return fmt.Sprintf("delete %s on lines %d to %d", what, at.Line, at.EndLine)
	}
	return fmt.Sprintf("delete %s on line %d", what, at.Line)
}

// hasLinesAlone reports whether the lines of a position contain nothing else, except a
// dash before it and a comment.
func hasLinesAlone(source []byte, at policy.Position) bool {
	if !at.IsKnown() {
		return false
	}
	lines := strings.Split(string(source), "\n")
	first, last := []rune(lines[at.Line-1]), []rune(lines[at.EndLine-1])
	after := strings.TrimSpace(string(last[at.EndColumn-1:]))
	return strings.Trim(string(first[:at.Column-1]), " -") == "" && (after == "" || after[0] == '#')
}
