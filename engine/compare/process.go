package compare

import (
	"caprun/engine"
	"caprun/engine/cred"
	"caprun/engine/machine"
	"caprun/policy"
)

// Verify compares a process with the state in which profile p starts a target for a
// process with the credentials caller. It compares the user namespace, and if that is the
// same, for each thread: IDs, groups, the five capability sets, no_new_privs and the root
// directory. The plan is that for an ordinary program or, if there is none, for the file
// that the process executes.
//
// The error is an [*engine.NoPlanError], or a *machine.Error if the user or a group of p
// has no entry, if the user namespace of the process cannot be read, or if the root directory of
// p cannot be opened on this machine.
func Verify(p *policy.Profile, caller cred.Cred, proc *machine.Process) (*Verification, error) {
	accounts, err := machine.LookupAccounts(p)
	if err != nil {
		return nil, err
	}
	return VerifyAccounts(p, accounts, caller, proc)
}

// VerifyAccounts is Verify for a profile whose names have these entries, on this machine or
// in the image of a sealed launcher; nil for a profile without names.
func VerifyAccounts(p *policy.Profile, accounts *machine.Accounts, caller cred.Cred, proc *machine.Process) (*Verification, error) {
	plan, diagnostics := compileForProcess(proc, p, caller, accounts)
	if plan == nil {
		return nil, &engine.NoPlanError{Diagnostics: diagnostics}
	}
	return verify(plan, proc)
}

// compileForProcess returns the plan that a process may have been started with: for an
// ordinary program or, if there is none, for the file that the process executes. accounts
// are those that the profile names; nil if it names none.
func compileForProcess(proc *machine.Process, p *policy.Profile, caller cred.Cred, accounts *machine.Accounts) (*engine.Plan, []policy.Diagnostic) {
	target := engine.OrdinaryTarget()
	target.KernelRules, target.Accounts = machine.KernelRules(), accounts
	plan, findings := engine.Compile(p, caller, target)
	if plan != nil || proc.FileErr != nil {
		return plan, findings
	}
	target.File, target.FilePath = proc.File, "the executable of the process"
	if plan, _ := engine.Compile(p, caller, target); plan != nil {
		return plan, nil
	}
	return nil, findings
}
