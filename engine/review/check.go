package review

import (
	"slices"
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

	// Host makes the plan where this machine is to be looked at, as engine.Host
	// does; nil for engine.Explain, which gives the same everywhere.
	Host func(*policy.Profile) (*engine.Plan, []policy.Diagnostic)
}

// Check finds the mistakes and risks of a profile. It plans for a caller that
// is root with every named capability, and for an ordinary program.
func Check(name string, src []byte, o Options) Report {
	p, found := policy.Read(name, src)
	if p == nil {
		return NewReport(name, src, found)
	}
	explain := engine.Explain
	if o.Host != nil {
		explain = o.Host
	}
	plan, conflicts := explain(p)
	// What is missing or in conflict keeps the machine from being looked at.
	looked := o.Host != nil && !policy.HasErrors(conflicts)
	found = append(found, conflicts...)
	if plan != nil {
		found = append(found, risksOf(plan)...)
		if o.Ceiling != nil {
			found = append(found, aboveCeiling(o.Ceiling, plan)...)
		}
	}
	ran := func(rule string) bool {
		if isRisk(rule) {
			return plan != nil
		}
		return looked
	}
	return Report{File: name, Source: src, Findings: suppress(p, found, o.Today, ran)}
}

// risksOf returns the risks of a profile that has a plan.
func risksOf(plan *engine.Plan) []policy.Diagnostic {
	var found []policy.Diagnostic
	var of policy.Rule
	say := func(at policy.Position, message, hint string) {
		sayer(plan.Profile, of, &found)(at, message, hint)
	}
	for i := range risks {
		of = risks[i].Rule
		risks[i].find(plan, say)
	}
	return found
}

// isRisk reports whether a rule is one of those that a plan is enough for.
func isRisk(rule string) bool {
	return slices.ContainsFunc(risks[:], func(r risk) bool { return r.Name == rule })
}

// sayer returns what adds findings of a rule to a list. A place that is
// unknown stands for the whole profile.
func sayer(p *policy.Profile, r policy.Rule, found *[]policy.Diagnostic) func(at policy.Position, message, hint string) {
	return func(at policy.Position, message, hint string) {
		if !at.IsKnown() {
			at = p.Position("version")
		}
		*found = append(*found, policy.Diagnostic{
			File: p.File, Position: at, Severity: r.Severity, Rule: r.Name, Message: message, Hint: hint,
		})
	}
}
