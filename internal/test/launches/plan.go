package launches

import (
	"caprun/engine"
	"caprun/engine/cred"
	"caprun/engine/machine"
	"caprun/policy"
)

// Verdict is the compiler's result for a case: a plan, or the diagnostics.
type Verdict struct {
	Plan        *engine.Plan
	Diagnostics []policy.Diagnostic

	// Text reports whether the reader already refuses the profile.
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

// Compile compiles the text of the profile for a caller in the state from. The target
// and the user come from the case; the engine would read them from the machine.
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
		Accounts: &machine.Accounts{User: c.Profile.Promise(m.Users).Entry},
	})
	return Verdict{Plan: plan, Diagnostics: diagnostics}
}

// Missed searches for a route to a refused profile. It returns the calls, or nil if
// the refusal is right or the reader refuses the profile.
func (c Case) Missed(m *Machine, v Verdict, from cred.Cred) []string {
	if v.Text || v.Plan != nil {
		return nil
	}
	if c.Profile.Limits != nil {
		// The refusal may be about the stack limit, not credentials.
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

// refusesKeep reports whether env.keep is the only cause of the refusal, and rightly:
// without it there is a plan, whose target must not get the variables.
func (c Case) refusesKeep(m *Machine, from cred.Cred) bool {
	c.Profile.Env = nil
	plan := c.Compile(m, "/dir", from).Plan
	return plan != nil && removesLoader(Expect(from, false), Expect(plan.AfterExec, false))
}
