package engine

import (
	"caprun/engine/cred"
	"caprun/policy"
)

// settle adds to the facts about a file what the kernel asks beside its mode and
// attributes: whether its mount belongs to this mount namespace (ours), and
// whether the user namespace maps its owners. What is not known gives
// alternatives.
func settle(f cred.File, ours answer, owners func() answer) (cred.File, []Alternative) {
	setsIDs := f.Setuid || f.Setgid && f.GroupExec
	if f.NoSuid || !setsIDs && !f.HasCaps {
		return f, nil
	}
	if ours == answerNo {
		f.NoSuid = true
		return f, nil
	}
	var list []Alternative
	if setsIDs {
		unmapped := f
		unmapped.UID = cred.NoID
		switch owners() {
		case answerNo:
			f = unmapped
		case answerUnknown:
			list = append(list, Alternative{unmapped,
				"caprun cannot determine whether the user namespace maps its owner and group, without which the kernel ignores its set-id bits",
				"chown the program to a user and group that the namespace maps, or remove its set-id bits"})
		}
	}
	if ours == answerUnknown {
		foreign := f
		foreign.NoSuid = true
		list = append(list, Alternative{foreign,
			"caprun cannot determine whether its mount belongs to this mount namespace, without which the kernel ignores its set-id bits and file capabilities",
			"allow caprun statmount(2) (Linux 6.8) and statx(2), or mount /proc; or remove the program's set-id bits and file capabilities"})
	}
	return f, list
}

// unmappedOwner reports whether the user namespace does not map the owner or the
// group of a file, so that the kernel ignores its set-id bits.
func unmappedOwner(f cred.File) bool { return f.UID == cred.NoID || f.GID == cred.NoID }

// doubt returns the alternative because of which there is no plan: with either
// file alone there would be one. It returns nil where no file leads to one.
func (c *compiler) doubt() *Alternative {
	if len(c.Target.Alternatives) == 0 {
		return nil
	}
	certain := *c
	certain.Target.Alternatives = nil
	if v, ok := certain.solve(); ok {
		if o := c.try(v); o != nil {
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

// refuseDoubt says what is not known about the target's file.
func (c *compiler) refuseDoubt(a *Alternative) *policy.Diagnostic {
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
