package review

import (
	"cmp"
	"slices"

	"caprun/engine"
	"caprun/policy"
)

// A risk is a rule about a profile that has a plan.
type risk struct {
	policy.Rule

	// find says each place that the rule is about. A place that is unknown
	// stands for the whole profile.
	find func(p *engine.Plan, say func(at policy.Position, message, hint string))
}

// risks are the rules of this package about plans. Their functions lie in
// files by subject.
func risks() []risk {
	return []risk{
		{policy.Rule{Name: "bounding-wider", Severity: policy.Warning, Summary: "iab leaves more in the bounding set than the target holds."}, boundingWider},
		{policy.Rule{Name: "loader-variable", Severity: policy.Warning, Summary: "env keeps a variable that a privileged program never gets."}, loaderVariable},
		{policy.Rule{Name: "no-new-privs-missing", Severity: policy.Warning, Summary: "Set-id programs and file capabilities still work."}, noNewPrivsMissing},
		{policy.Rule{Name: "nothing-declared", Severity: policy.Warning, Summary: "No key says which capabilities the target has."}, nothingDeclared},
		{policy.Rule{Name: "relative-command", Severity: policy.Warning, Summary: "Which program runs depends on where caprun starts."}, relativeCommand},
		{policy.Rule{Name: "root-keeps-power", Severity: policy.Warning, Summary: "The target is uid 0 and regains capabilities at every exec."}, rootKeepsPower},
		{policy.Rule{Name: "terminal-kept", Severity: policy.Warning, Summary: "An interactive program with less privilege can type into the caller's terminal."}, terminalKept},
	}
}

// Rules returns every rule about profiles, sorted by name: those of policy and
// engine too.
func Rules() []policy.Rule {
	all := slices.Concat(policy.Rules(), engine.Rules(), suppressionRules(), []policy.Rule{ceilingRule})
	for _, r := range risks() {
		all = append(all, r.Rule)
	}
	slices.SortFunc(all, func(a, b policy.Rule) int { return cmp.Compare(a.Name, b.Name) })
	return slices.CompactFunc(all, func(a, b policy.Rule) bool { return a.Name == b.Name })
}
