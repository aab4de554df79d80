package engine

import (
	"caprun/engine/machine"
	"caprun/policy"
)

// decisiveAlternative returns the alternative of the target's file that decides
// whether there is a plan: for the file or for the alternative alone there would be
// one. It returns nil if there is no plan for any of them.
func (c *compiler) decisiveAlternative() *machine.Alternative {
	if len(c.Target.Alternatives) == 0 {
		return nil
	}
	certain := *c
	certain.Target.Alternatives = nil
	if sets, ok := certain.solve(); ok {
		if failure := c.try(sets); failure != nil {
			return failure.alternative
		}
		return nil
	}
	for n := range c.Target.Alternatives {
		a := &c.Target.Alternatives[n]
		certain.Target.File = a.File
		if _, ok := certain.solve(); ok {
			return a
		}
	}
	return nil
}

// refuseAlternative refuses a target because of what is unknown about its file.
func (c *compiler) refuseAlternative(a *machine.Alternative) *policy.Diagnostic {
	hint := a.Hint
	if c.noNewPrivsHelps() {
		hint = "add no_new_privs: true, or " + hint
	}
	return c.diagnose(ruleTarget, c.first("caps", "iab", "uid", "user", "command"), c.targetEffect()+", and "+a.Unknown, hint)
}

// mountMatters reports whether there would be a plan if the target's mount allowed
// set-id bits and file capabilities.
func (c *compiler) mountMatters() bool {
	if !c.Target.File.NoSuid || c.Target.ignored() == "" {
		return false
	}
	suid := *c
	suid.Target.File.NoSuid = false
	_, ok := suid.solve()
	return ok
}
