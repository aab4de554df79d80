package engine

import (
	"slices"

	"caprun/cap"
)

// losesDeathSignal reports whether the exec takes the parent-death signal back:
// begin_new_exec and commit_creds of the kernel, for a target that is privileged in
// its own right.
func (p *Plan) losesDeathSignal() bool {
	b, a := p.BeforeExec, p.AfterExec
	return p.SecureExec || a.EUID != b.EUID || a.EGID != b.EGID || a.FSUID != b.FSUID || a.FSGID != b.FSGID ||
		!a.Permitted.SubsetOf(b.Permitted)
}

// setDeathSignal adds the step for the signal to a launch.
func (c *compiler) setDeathSignal(l *cap.Launcher) {
	if c.Target.DeathSignal.Signal != 0 {
		l.SetDeathSignal(c.Target.DeathSignal.Signal, c.Target.DeathSignal.Parent)
	}
}

// omitLostSignal removes the step for a signal of the caller that the exec clears.
func (c *compiler) omitLostSignal() {
	if c.Target.DeathSignal.Inherited && c.losesDeathSignal() {
		c.Plan.launcher.SetDeathSignal(0, 0)
		c.Steps = slices.DeleteFunc(c.Steps, func(s Step) bool { return s.Kind == cap.StepDeathSignal })
	}
}
