package review

import (
	"cmp"
	"slices"

	"caprun/engine"
	"caprun/policy"
)

// risk is a rule about a profile that has a plan.
type risk struct {
	policy.Rule
	// find returns the key at fault, with a message and a hint; ok is false
	// where there is nothing to say.
	find func(*engine.Plan) (key, message, hint string, ok bool)
}

// risks are the rules of this package; their functions lie in files by subject.
func risks() []risk {
	return []risk{
		{policy.Rule{Name: "bounding-wider", Severity: policy.Warning, Summary: "iab leaves more in the bounding set than the target holds"}, boundingWider},
		{policy.Rule{Name: "loader-variable", Severity: policy.Warning, Summary: "env keeps a variable that a privileged program never gets"}, loaderVariable},
		{policy.Rule{Name: "no-new-privs-missing", Severity: policy.Warning, Summary: "set-id programs and file capabilities still work"}, noNewPrivsMissing},
		{policy.Rule{Name: "nothing-declared", Severity: policy.Warning, Summary: "no key says which capabilities the target has"}, nothingDeclared},
		{policy.Rule{Name: "relative-command", Severity: policy.Warning, Summary: "which program runs depends on where caprun starts"}, relativeCommand},
		{policy.Rule{Name: "root-keeps-power", Severity: policy.Warning, Summary: "the target is uid 0 and regains capabilities at every exec"}, rootKeepsPower},
		{policy.Rule{Name: "terminal-kept", Severity: policy.Warning, Summary: "an interactive program with less privilege can type into the caller's terminal"}, terminalKept},
	}
}

// Rules returns every rule about profiles, sorted by name.
func Rules() []policy.Rule {
	all := slices.Concat(policy.Rules(), engine.Rules())
	for _, r := range risks() {
		all = append(all, r.Rule)
	}
	slices.SortFunc(all, func(a, b policy.Rule) int { return cmp.Compare(a.Name, b.Name) })
	return slices.CompactFunc(all, func(a, b policy.Rule) bool { return a.Name == b.Name })
}

// Check finds the mistakes and risks of a profile, sorted by position. It
// plans for a caller that is root with every named capability, and for an
// ordinary program.
func Check(name string, src []byte) []policy.Diagnostic {
	p, found := policy.Parse(name, src)
	if p == nil {
		return found
	}
	return append(found, CheckProfile(p)...)
}

// CheckProfile finds the contradictions and risks of a profile that was read.
func CheckProfile(p *policy.Profile) []policy.Diagnostic {
	plan, found := engine.Explain(p)
	if plan == nil {
		return found
	}
	for _, r := range risks() {
		key, message, hint, ok := r.find(plan)
		if !ok {
			continue
		}
		at := p.Position(key)
		if !at.IsKnown() {
			at = p.Position("version")
		}
		found = append(found, policy.Diagnostic{
			File: p.File, Position: at, Severity: r.Severity, Rule: r.Name, Message: message, Hint: hint,
		})
	}
	policy.Sort(found)
	return found
}
