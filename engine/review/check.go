package review

import (
	"slices"
	"time"

	"caprun/engine"
	"caprun/engine/cred"
	"caprun/policy"
)

// Options configure Check.
type Options struct {
	// Today decides which suppressions have expired.
	Today time.Time

	// Ceiling is the plan that no profile may exceed, compiled for cred.Root and
	// engine.OrdinaryTarget; nil for none.
	Ceiling *engine.Plan

	// Host compiles the plan for one machine, as CompileForHost does; nil for a
	// plan that does not depend on the machine.
	Host func(*policy.Profile) (*engine.Plan, []policy.Diagnostic)
}

// Check reports the mistakes and risks of a profile. The plan is for a caller
// that is root with every named capability, and for an ordinary program. The
// report keeps src, which must not be modified afterwards.
func Check(name string, src []byte, o Options) Report {
	p, mistakes := policy.Read(name, src)
	if p == nil {
		return NewReport(name, src, mistakes)
	}
	compile := compileForRoot
	if o.Host != nil {
		compile = o.Host
	}
	plan, conflicts := compile(p)
	// The machine is not examined completely after an error.
	hostChecked := o.Host != nil && !policy.HasErrors(conflicts)
	var found []Finding
	for _, d := range slices.Concat(mistakes, conflicts) {
		found = append(found, Finding{Diagnostic: d})
	}
	if plan != nil {
		found = append(found, risksOf(plan)...)
		if o.Ceiling != nil {
			found = append(found, aboveCeiling(o.Ceiling, plan)...)
		}
	}
	return Report{File: name, Source: src, Findings: suppress(p, found, o.Today, coverage{plan, hostChecked})}
}

// compileForRoot compiles a profile for root with the 41 named capabilities and no
// locked securebits, and for an ordinary program.
func compileForRoot(p *policy.Profile) (*engine.Plan, []policy.Diagnostic) {
	return engine.Compile(p, cred.Root(), engine.OrdinaryTarget())
}

// risksOf returns the risks of a profile that has a plan.
func risksOf(plan *engine.Plan) []Finding {
	s := reporter{profile: plan.Profile}
	report, reportCaps := s.report, s.reportCaps
	for i := range risks {
		s.rule = risks[i].Rule
		if find := risks[i].findCaps; find != nil {
			find(plan, reportCaps)
		} else {
			risks[i].find(plan, report)
		}
	}
	return s.found
}

// A reporter adds findings of a rule to a list. An unknown position stands for
// the whole profile.
type reporter struct {
	profile *policy.Profile
	rule    policy.Rule
	found   []Finding
}

func (s *reporter) report(at policy.Position, message, hint string) {
	s.reportCaps(at, 0, message, hint)
}

func (s *reporter) reportCaps(at policy.Position, caps cred.Caps, message, hint string) {
	if !at.IsKnown() {
		at = s.profile.Position("version")
	}
	s.found = append(s.found, Finding{Caps: caps, Diagnostic: policy.Diagnostic{
		File: s.profile.File, Position: at, Severity: s.rule.Severity, Rule: s.rule.Name, Message: message, Hint: hint,
	}})
}
