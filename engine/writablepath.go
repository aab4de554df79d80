package engine

import (
	"fmt"

	"caprun/engine/machine"
	"caprun/policy"
)

// WritablePaths returns the paths that the target's user can change and that decide
// which program gets the target's capabilities, or what is in its root directory. They
// are those of p.Target; machine.FindProgram finds none for uid 0, which may write
// everything. For a target without capabilities, WritablePaths leaves out the paths to
// the program.
func (p *Plan) WritablePaths() []machine.WritablePath {
	var list []machine.WritablePath
	for _, e := range p.Target.WritablePaths {
		if e.Key == "chroot" || p.AfterExec.Permitted != 0 {
			list = append(list, e)
		}
	}
	return list
}

// WritablePathDiagnostic returns the diagnostic about a writable path.
func (p *Plan) WritablePathDiagnostic(e machine.WritablePath) policy.Diagnostic {
	which, key := ruleTargetWritable, "command[0]"
	if e.Key == "chroot" {
		which, key = ruleRootWritable, "chroot"
	}
	return diagnose(p.Profile, which, placeOf(p.Profile, key), p.writablePathWarning(e), e.Hint)
}

// writablePathWarning returns the message about a writable path.
func (p *Plan) writablePathWarning(e machine.WritablePath) string {
	if e.Key == "chroot" {
		return fmt.Sprintf("%s %s: a compromised target can replace files that programs inside the root directory trust", e.Path, e.Reason)
	}
	return fmt.Sprintf("%s %s: a compromised target can replace the program that the next launch starts with %s", e.Path, e.Reason, p.AfterExec.Permitted.String())
}

// placeOf returns the position of a key, or that of version if the profile lacks it.
func placeOf(p *policy.Profile, key string) policy.Position {
	if at := p.Position(key); at.IsKnown() {
		return at
	}
	return p.Position("version")
}
