package review

import (
	"fmt"
	"slices"
	"strings"
	"time"

	"caprun/policy"
)

// The rules about the entries of lint.ignore. None of their findings can be
// suppressed.
var (
	suppressionExpired = policy.Rule{Name: "suppression-expired", Severity: policy.Warning, Summary: "An entry of lint.ignore has expired, and its findings count again."}
	suppressionOfError = policy.Rule{Name: "suppression-of-error", Severity: policy.Error, Summary: "Errors, and findings about suppressions, cannot be suppressed."}
	suppressionUnknown = policy.Rule{Name: "suppression-unknown", Severity: policy.Warning, Summary: "An entry of lint.ignore names a rule that does not exist."}
	suppressionUnused  = policy.Rule{Name: "suppression-unused", Severity: policy.Warning, Summary: "An entry of lint.ignore suppresses nothing."}
)

func suppressionRules() []policy.Rule {
	return []policy.Rule{suppressionExpired, suppressionOfError, suppressionUnknown, suppressionUnused}
}

// suppress returns the findings of a profile, sorted, those that it accepts
// marked, and with them what is wrong with the entries that accept them. ran
// reports whether a rule had the chance to find something.
func suppress(p *policy.Profile, found []policy.Diagnostic, today time.Time, ran func(rule string) bool) []Finding {
	accepted := map[string]*Suppression{}
	if len(p.Ignored) > 0 {
		rules := Rules()
		day := today.UTC().Format(time.DateOnly)
		var wrong []policy.Diagnostic
		for i := range p.Ignored {
			e := entry{profile: p, index: i, Ignore: p.Ignored[i]}
			if e.accepts(rules, found, day, ran(e.Rule), &wrong) {
				accepted[e.Rule] = &Suppression{Position: p.Position(e.path()), Reason: strings.Join(strings.Fields(e.Reason), " "), Until: e.Until}
			}
		}
		found = append(found, wrong...)
	}
	policy.Sort(found)
	var list []Finding
	for _, d := range found {
		f := Finding{Diagnostic: d}
		if d.Severity != policy.Error {
			f.Suppressed = accepted[d.Rule]
		}
		list = append(list, f)
	}
	return list
}

// An entry is one of lint.ignore.
type entry struct {
	policy.Ignore
	profile *policy.Profile
	index   int
}

func (e entry) path() string { return fmt.Sprintf("lint.ignore[%d]", e.index) }

// accepts reports whether the entry holds on a day, and says what is wrong
// with it.
func (e entry) accepts(rules []policy.Rule, found []policy.Diagnostic, day string, ran bool, wrong *[]policy.Diagnostic) bool {
	say := func(key string, r policy.Rule, message, hint string) {
		sayer(e.profile, r, wrong)(e.profile.Position(e.path()+"."+key), message, hint)
	}
	n := slices.IndexFunc(rules, func(r policy.Rule) bool { return r.Name == e.Rule })
	finds := slices.ContainsFunc(found, func(d policy.Diagnostic) bool { return d.Rule == e.Rule })
	switch {
	case n < 0:
		say("rule", suppressionUnknown, "there is no rule "+e.Rule, e.meant(rules))
	case rules[n].Severity == policy.Error:
		say("rule", suppressionOfError, e.Rule+" is an error, and errors cannot be suppressed", e.remove())
	case slices.Contains(suppressionRules(), rules[n]):
		say("rule", suppressionOfError, e.Rule+" is about suppressions, and cannot be suppressed", e.remove())
	case e.Until != "" && e.Until < day && (finds || !ran):
		say("until", suppressionExpired, "the suppression of "+e.Rule+" ended with "+e.Until, "mend what it hid, or write another day, with the reason that holds now")
	case e.Until != "" && e.Until < day:
		say("until", suppressionExpired, "the suppression of "+e.Rule+" ended with "+e.Until, e.remove())
	case !finds && ran:
		say("rule", suppressionUnused, e.Rule+" finds nothing here, so the entry suppresses nothing", e.remove())
	default:
		return true
	}
	return false
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
