package engine

import (
	"fmt"

	"caprun/engine/machine"
	"caprun/policy"
)

// WritablePaths returns what the target's user could change of the files that decide
// what runs with the privileges of the plan, and of its root directory. It
// knows what FindProgram found. Of a program without capabilities only the root
// directory counts, and for uid 0 nothing does: it may write everything.
func (p *Plan) WritablePaths() []machine.WritablePath {
	var list []machine.WritablePath
	for _, e := range p.Target.WritablePaths {
		if e.Key == "chroot" || p.AfterExec.Permitted != 0 {
			list = append(list, e)
		}
	}
	return list
}

// WritablePathDiagnostic returns a writable path as a finding about the profile of p.
func (p *Plan) WritablePathDiagnostic(e machine.WritablePath) policy.Diagnostic {
	which, key := ruleTargetWritable, "command[0]"
	if e.Key == "chroot" {
		which, key = ruleRootWritable, "chroot"
	}
	return diagnose(p.Profile, which, placeOf(p.Profile, key), p.writablePathWarning(e), e.Hint)
}

// writablePathWarning says what the target's user can do with the path.
func (p *Plan) writablePathWarning(e machine.WritablePath) string {
	if e.Key == "chroot" {
		return fmt.Sprintf("%s %s: whoever takes the target over can replace what programs inside the root directory believe", e.Path, e.Reason)
	}
	return fmt.Sprintf("%s %s: whoever takes the target over can replace what runs with %s next time", e.Path, e.Reason, p.AfterExec.Permitted.String())
}

// placeOf returns where a key stands, or where the profile begins.
func placeOf(p *policy.Profile, key string) policy.Position {
	if at := p.Position(key); at.IsKnown() {
		return at
	}
	return p.Position("version")
}
