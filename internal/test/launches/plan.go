package launches

import (
	"caprun/engine"
	"caprun/engine/cred"
	"caprun/engine/machine"
	"caprun/policy"
)

// Verdict is what the compiler says about a case: a plan, or why there is none.
type Verdict struct {
	Plan        *engine.Plan
	Diagnostics []policy.Diagnostic

	// Text tells that the reader already refuses the profile.
	Text bool
}

// Rule returns the rule of a refusal; empty for a plan.
func (v Verdict) Rule() string {
	for _, d := range v.Diagnostics {
		if d.Severity == policy.Error {
			return d.Rule
		}
	}
	return ""
}

// Compile has the engine compile the text of the profile for a caller in the
// state from. What the engine would read from the machine, the target and the
// user, comes from the case.
func (c Case) Compile(m *Machine, dir string, from cred.Cred) Verdict {
	p, diagnostics := policy.Parse("profile.yaml", []byte(c.Profile.Text(dir)))
	if v := (Verdict{Diagnostics: diagnostics, Text: true}); v.Rule() != "" || p == nil {
		return v
	}
	path := c.Target.Path(dir, c.Profile.Chroot)
	plan, diagnostics := engine.Compile(p, from, engine.Target{
		KernelRules: m.Rules,
		Program: machine.Program{
			Path: path, Args: []string{path}, FilePath: c.arguments(dir)[0],
			File: c.Target.Facts(from.UserNS, c.Caller.Has("nosuid")),
		},
		User: c.Profile.Promise(m.Users).Entry,
	})
	return Verdict{Plan: plan, Diagnostics: diagnostics}
}

// Missed searches for a way to what was refused: the calls that lead there,
// nil when the refusal is right or the profile has no meaning.
func (c Case) Missed(m *Machine, v Verdict, from cred.Cred) []string {
	if v.Text || v.Plan != nil {
		return nil
	}
	if c.Profile.Limits != nil {
		// The limit of the stack can be in the way, which is not about
		// credentials.
		c.Profile.Limits = nil
		if v = c.Compile(m, "/dir", from); v.Plan != nil {
			return nil
		}
	}
	if v.Rule() == "loader-variable-removed" && c.refusesKeep(m, from) {
		return nil
	}
	return FindRoute(c.Profile.Promise(m.Users), from, c.Target.Facts(from.UserNS, c.Caller.Has("nosuid")), m.Rules)
}

// refusesKeep reports whether the list of variables alone is in the way, and
// rightly: without it there is a plan, whose target must not get what it names.
func (c Case) refusesKeep(m *Machine, from cred.Cred) bool {
	c.Profile.Env = nil
	plan := c.Compile(m, "/dir", from).Plan
	return plan != nil && removesLoader(Expect(from, false), Expect(plan.AfterExec, false))
}
