package engine

import (
	"fmt"

	"caprun/engine/machine"
	"caprun/policy"
)

// Exposed returns what the target's user could change of the files that decide
// what runs with the privileges of the plan, and of its root directory. It
// knows what FindProgram found. Of a program without capabilities only the root
// directory counts, and for uid 0 nothing does: it may write everything.
func (p *Plan) Exposed() []machine.Exposure {
	var list []machine.Exposure
	for _, e := range p.Target.Exposed {
		if e.Key == "chroot" || p.After.Permitted != 0 {
			list = append(list, e)
		}
	}
	return list
}

// ExposureDiagnostic returns an exposure as a finding about the profile of p.
func (p *Plan) ExposureDiagnostic(e machine.Exposure) policy.Diagnostic {
	which, key := ruleTargetExposed, "command[0]"
	if e.Key == "chroot" {
		which, key = ruleRootExposed, "chroot"
	}
	return diagnose(p.Profile, which, placeOf(p.Profile, key), p.exposureWarning(e), e.Hint)
}

// exposureWarning says what can come of it.
func (p *Plan) exposureWarning(e machine.Exposure) string {
	if e.Key == "chroot" {
		return fmt.Sprintf("%s %s: whoever takes the target over can replace what programs inside the root directory believe", e.Path, e.Reason)
	}
	return fmt.Sprintf("%s %s: whoever takes the target over can replace what runs with %s next time", e.Path, e.Reason, CapNames(p.After.Permitted))
}
