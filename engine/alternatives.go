package engine

import (
	"caprun/engine/machine"
	"caprun/policy"
)

// decisiveAlternative returns the alternative because of which there is no plan: with either
// file alone there would be one. It returns nil where no file leads to one.
func (c *compiler) decisiveAlternative() *machine.Alternative {
	if len(c.Target.Alternatives) == 0 {
		return nil
	}
	certain := *c
	certain.Target.Alternatives = nil
	if sets, ok := certain.solve(); ok {
		if o := c.try(sets); o != nil {
			return o.alternative
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

// refuseAlternative says what is not known about the target's file.
func (c *compiler) refuseAlternative(a *machine.Alternative) *policy.Diagnostic {
	hint := a.Hint
	if c.noNewPrivsHelps() {
		hint = "set no_new_privs: true, or " + hint
	}
	return c.diagnose(ruleTarget, c.first("caps", "iab", "uid", "user", "command"), c.targetEffect()+", and "+a.Unknown, hint)
}

// mountMatters reports whether there would be a plan if the kernel did not ignore
// what the target's file has for the sake of its mount.
func (c *compiler) mountMatters() bool {
	if !c.Target.File.NoSuid || c.Target.ignored() == "" {
		return false
	}
	heeded := *c
	heeded.Target.File.NoSuid = false
	_, ok := heeded.solve()
	return ok
}
