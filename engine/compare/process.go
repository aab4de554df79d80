package compare

import (
	"caprun/engine"
	"caprun/engine/cred"
	"caprun/engine/machine"
	"caprun/policy"
)

// Verify compares a process with the state in which a profile starts a target, for
// a caller in the state from: ids, groups, the five capability sets, no_new_privs and
// the root directory of every thread, and the user namespace before all of them. The
// plan is that of an ordinary program or, if there is none, of the file that the
// process executes.
//
// The error is an [*engine.NoPlanError], or a *machine.Error: the user of the profile
// has no entry, the user namespace of the process cannot be read, or the root
// directory of the profile does not exist on this machine.
func Verify(p *policy.Profile, from cred.Cred, proc *machine.Process) (*Verification, error) {
	user, err := machine.LookupUser(p)
	if err != nil {
		return nil, err
	}
	plan, diagnostics := compileForProcess(proc, p, from, user)
	if plan == nil {
		return nil, &engine.NoPlanError{Diagnostics: diagnostics}
	}
	return verify(plan, proc)
}

// compileForProcess makes the plan with which a process may have been started: for an
// ordinary program or, where that leads nowhere, for the file that the process
// executes. user is the entry of the profile's user, nil without.
func compileForProcess(proc *machine.Process, p *policy.Profile, from cred.Cred, user *machine.User) (*engine.Plan, []policy.Diagnostic) {
	target := engine.OrdinaryTarget()
	target.KernelRules, target.User = machine.KernelRules(), user
	plan, findings := engine.Compile(p, from, target)
	if plan != nil || proc.FileErr != nil {
		return plan, findings
	}
	target.File, target.FilePath = proc.File, "the executable of the process"
	if plan, _ := engine.Compile(p, from, target); plan != nil {
		return plan, nil
	}
	return nil, findings
}
