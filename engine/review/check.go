package review

import (
	"time"

	"caprun/engine"
	"caprun/policy"
)

// Options say what Check looks at beside the profile.
type Options struct {
	// Today decides which suppressions have expired.
	Today time.Time

	// Ceiling is what no profile may exceed, planned by engine.Explain; nil
	// for none.
	Ceiling *engine.Plan

	// Host finds what only the machine knows; nil where it is not to be looked
	// at.
	Host func(*policy.Profile) []policy.Diagnostic
}

// Check finds the mistakes and risks of a profile. It plans for a caller that
// is root with every named capability, and for an ordinary program.
func Check(name string, src []byte, o Options) Report {
	p, found := policy.Parse(name, src)
	if p == nil {
		return NewReport(name, src, found)
	}
	plan, conflicts := engine.Explain(p)
	found = append(found, conflicts...)
	if plan != nil {
		found = append(found, risksOf(plan)...)
	}
	if o.Host != nil {
		found = append(found, o.Host(p)...)
	}
	return NewReport(name, src, found)
}

// risksOf returns the risks of a profile that has a plan.
func risksOf(plan *engine.Plan) []policy.Diagnostic {
	var found []policy.Diagnostic
	for _, r := range risks() {
		r.find(plan, func(at policy.Position, message, hint string) {
			if !at.IsKnown() {
				at = plan.Profile.Position("version")
			}
			found = append(found, policy.Diagnostic{
				File: plan.Profile.File, Position: at, Severity: r.Severity, Rule: r.Name, Message: message, Hint: hint,
			})
		})
	}
	return found
}
