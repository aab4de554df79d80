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

// The rules about the entries of lint.ignore. None of their findings can be
// suppressed.
var (
	suppressionExpired = policy.Rule{Name: "suppression-expired", Severity: policy.Warning, Summary: "An entry of lint.ignore has expired, and its findings count again."}
	suppressionOfError = policy.Rule{Name: "suppression-of-error", Severity: policy.Error, Summary: "Errors, and findings about suppressions, cannot be suppressed."}
	suppressionTooWide = policy.Rule{Name: "suppression-too-wide", Severity: policy.Info, Summary: "An entry of lint.ignore accepts capabilities that the profile does not have yet."}
	suppressionUnknown = policy.Rule{Name: "suppression-unknown", Severity: policy.Warning, Summary: "An entry of lint.ignore names a rule that does not exist."}
	suppressionUnused  = policy.Rule{Name: "suppression-unused", Severity: policy.Warning, Summary: "An entry of lint.ignore suppresses nothing."}
)

func suppressionRules() []policy.Rule {
	return []policy.Rule{suppressionExpired, suppressionOfError, suppressionTooWide, suppressionUnknown, suppressionUnused}
}

// mostListed is how many capabilities an entry is asked to name. A list of more
// than half of them tells nobody which are missing; a ceiling holds them.
const mostListed = cap.NamedCount / 2

// seen is what a review looked at beside the text of a profile.
type seen struct {
	plan *engine.Plan // nil if the profile has none
	host bool
}

// ran reports whether a rule had the chance to find something.
func (s seen) ran(rule string) bool {
	if isRisk(rule) {
		return s.plan != nil
	}
	return s.host
}

// hasAll reports whether there is no capability that could be added where a
// rule about capabilities looks.
func (s seen) hasAll(vector func(cred.Cred) cred.Caps) bool {
	return s.plan != nil && s.plan.AfterExec.All.SubsetOf(vector(s.plan.AfterExec))
}

// suppress returns the findings of a profile, sorted, those that it accepts
// marked, and with them what is wrong with the entries that accept them.
func suppress(p *policy.Profile, found []Finding, today time.Time, s seen) []Finding {
	accepted := map[string][]acceptance{}
	if len(p.Ignored) > 0 {
		rules := Rules()
		day := today.UTC().Format(time.DateOnly)
		var wrong reporter
		wrong.profile = p
		for i := range p.Ignored {
			e := newEntry(p, i, found)
			if e.accepts(rules, day, s, &wrong) {
				accepted[e.Rule] = append(accepted[e.Rule], acceptance{e.suppression(), e.Caps == nil, e.caps})
			}
		}
		found = append(found, wrong.found...)
	}
	slices.SortStableFunc(found, func(a, b Finding) int { return a.Compare(b.Diagnostic) })
	for i := range found {
		if f := &found[i]; f.Severity != policy.Error {
			f.acceptBy(accepted[f.Rule])
		}
	}
	return found
}

// An acceptance is an entry that holds.
type acceptance struct {
	Suppression
	whole bool // it accepts whatever the rule finds,
	caps  cred.Caps
}

// acceptBy marks a finding if entries accept it: one as a whole, or one or more
// all of its capabilities. Where they accept only some, the hint names the
// others.
func (f *Finding) acceptBy(entries []acceptance) {
	var together Suppression
	var reasons []string
	left := f.Caps
	for _, a := range entries {
		if a.whole {
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
		f.Hint += "; lint.ignore does not accept " + strings.Join(left.Names(), ", ")
	default:
		together.Reason = strings.Join(reasons, "; ")
		f.Suppressed = &together
	}
}

// An entry is one of lint.ignore.
type entry struct {
	policy.Ignore
	profile *policy.Profile
	index   int

	caps  cred.Caps // which it names
	found cred.Caps // which the findings of its rule are about
	finds bool      // its rule finds something that it is for
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
			e.finds = e.finds || e.Caps == nil || f.Caps.Intersect(e.caps) != 0
		}
	}
	return e
}

func (e entry) path() string { return fmt.Sprintf("lint.ignore[%d]", e.index) }

func (e entry) suppression() Suppression {
	return Suppression{Position: e.profile.Position(e.path()), Reason: strings.Join(strings.Fields(e.Reason), " "), Until: e.Until}
}

// accepts reports whether the entry holds on a day, and says what is wrong
// with it.
func (e entry) accepts(rules []policy.Rule, day string, s seen, wrong *reporter) bool {
	report := func(key string, r policy.Rule, caps cred.Caps, message, hint string) {
		wrong.rule = r
		wrong.reportCaps(e.profile.Position(e.path()+key), caps, message, hint)
	}
	n := slices.IndexFunc(rules, func(r policy.Rule) bool { return r.Name == e.Rule })
	vector, ran := vectorOf(e.Rule), s.ran(e.Rule)
	switch {
	case n < 0:
		report(".rule", suppressionUnknown, 0, "there is no rule "+e.Rule, e.meant(rules))
		return false
	case rules[n].Severity == policy.Error:
		report(".rule", suppressionOfError, 0, e.Rule+" is an error, and errors cannot be suppressed", e.remove())
		return false
	case slices.Contains(suppressionRules(), rules[n]):
		report(".rule", suppressionOfError, 0, e.Rule+" is about suppressions, and cannot be suppressed", e.remove())
		return false
	case e.Caps != nil && vector == nil:
		report(".caps", suppressionUnused, 0, e.Rule+" is not about capabilities, so an entry with caps suppresses nothing", "leave caps out of the entry")
		return false
	case e.Until != "" && e.Until < day:
		hint := e.remove()
		if e.finds || !ran {
			hint = "correct what it hid, or write another day, with the reason that holds now"
		}
		report(".until", suppressionExpired, 0, "the suppression of "+e.Rule+" ended with "+e.Until, hint)
		return false
	case !e.finds && ran:
		what := " finds nothing here"
		if e.found != 0 {
			what = " finds nothing about these capabilities here"
		}
		report(".rule", suppressionUnused, 0, e.Rule+what+", so the entry suppresses nothing", e.remove())
		return false
	case e.Caps == nil && e.found != 0 && !s.hasAll(vector) && e.found.Len() <= mostListed:
		report("", suppressionTooWide, e.found, "the entry accepts whatever capability "+e.Rule+" finds, also one that is added later",
			"add caps: ["+strings.Join(e.found.Names(), ", ")+"]")
	case ran:
		for i, name := range e.Caps {
			if v, err := cap.FromName(name); err == nil && !e.found.Has(int(v)) {
				report(fmt.Sprintf(".caps[%d]", i), suppressionUnused, cred.CapsOf(int(v)), e.Rule+" finds nothing about "+v.String()+" here", "take it out of caps")
			}
		}
	}
	return true
}

// meant is the hint for a rule that does not exist.
func (e entry) meant(rules []policy.Rule) string {
	names := make([]string, len(rules))
	for i, r := range rules {
		names[i] = r.Name
	}
	if name := policy.Suggest(e.Rule, names); name != "" {
		return "did you mean " + name + "?"
	}
	return e.remove()
}

// remove is the hint to take the entry away: a list without entries would have
// no value.
func (e entry) remove() string {
	what, at := "the entry", e.profile.Position(e.path())
	if len(e.profile.Ignored) == 1 {
		what, at = "lint", e.profile.Position("lint")
		at.Line = e.profile.KeyPosition("lint").Line
	}
	if at.EndLine > at.Line {
		return fmt.Sprintf("delete %s on lines %d to %d", what, at.Line, at.EndLine)
	}
	return fmt.Sprintf("delete %s on line %d", what, at.Line)
}
