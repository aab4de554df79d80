package engine

import (
	"fmt"

	"caprun/policy"
)

// An Exposure is something on the way to the target or to its root directory
// that the target's user could change, and with it what runs next time.
type Exposure struct {
	Key    string // of the profile: command or chroot
	Path   string
	Reason string
	Hint   string // the command that mends it
}

// Exposed returns what the target's user could change of the files that decide
// what runs with the privileges of the plan, and of its root directory. It
// knows what FindTarget found. Of a program without capabilities only the root
// directory counts, and for uid 0 nothing does: it may write everything.
func (p *Plan) Exposed() []Exposure {
	var list []Exposure
	for _, e := range p.Target.exposed {
		if e.Key == "chroot" || p.After.Permitted != 0 {
			list = append(list, e)
		}
	}
	return list
}

// Diagnostic returns the exposure as a finding about the profile of p.
func (e Exposure) Diagnostic(p *Plan) policy.Diagnostic {
	which, key := ruleTargetExposed, "command[0]"
	if e.Key == "chroot" {
		which, key = ruleRootExposed, "chroot"
	}
	return diagnose(p.Profile, which, placeOf(p.Profile, key), e.warning(p), e.Hint)
}

// warning says what can come of it.
func (e Exposure) warning(p *Plan) string {
	if e.Key == "chroot" {
		return fmt.Sprintf("%s %s: whoever takes the target over can replace what programs inside the root directory believe", e.Path, e.Reason)
	}
	return fmt.Sprintf("%s %s: whoever takes the target over can replace what runs with %s next time", e.Path, e.Reason, p.After.Permitted)
}
