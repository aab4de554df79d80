package engine

import (
	"slices"

	"caprun/cap"
)

// losesDeathSignal reports whether exec clears the parent-death signal, as it does
// for a program that gains privileges.
//
// Kernel: begin_new_exec (fs/exec.c), commit_creds (kernel/cred.c).
func (p *Plan) losesDeathSignal() bool {
	b, a := p.BeforeExec, p.AfterExec
	return p.SecureExec || a.EUID != b.EUID || a.EGID != b.EGID || a.FSUID != b.FSUID || a.FSGID != b.FSGID ||
		!a.Permitted.SubsetOf(b.Permitted)
}

// setDeathSignal adds the step that sets the parent-death signal.
func (c *compiler) setDeathSignal(l *cap.Launcher) {
	if c.Target.DeathSignal.Signal != 0 {
		l.SetDeathSignal(c.Target.DeathSignal.Signal, c.Target.DeathSignal.Parent)
	}
}

// omitLostSignal removes the step that sets the parent-death signal if the caller has set
// the signal and exec clears it.
func (c *compiler) omitLostSignal() {
	if !c.Target.Supervised && c.losesDeathSignal() {
		c.Plan.launcher.SetDeathSignal(0, 0)
		c.Steps = slices.DeleteFunc(c.Steps, func(s Step) bool { return s.Kind == cap.StepDeathSignal })
	}
}
