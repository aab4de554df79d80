package engine

import (
	"fmt"
	"os"
	"strings"

	"caprun/engine/cred"
	"caprun/engine/machine"
	"caprun/policy"
)

// Caller is the state of the process that launches a target.
type Caller struct {
	Cred cred.Cred

	// DeathSignal is the parent-death signal to set for the target.
	DeathSignal machine.DeathSignal

	// Supervised is the field of [Target].
	Supervised bool
}

// NoPlanError reports why a profile has no plan.
type NoPlanError struct {
	Diagnostics []policy.Diagnostic // at least one
}

// Error returns the diagnostics without their hints, one a line.
func (e *NoPlanError) Error() string {
	lines := make([]string, len(e.Diagnostics))
	for n, d := range e.Diagnostics {
		lines[n] = d.String()
	}
	return strings.Join(lines, "\n")
}

// Prepare makes the plan of a launch on this machine: it looks up the profile's user and
// groups, finds the program that argv names (the profile's command if argv is empty), and
// calls [Compile]. [Plan.Exec] executes the plan.
//
// If caller is nil, Prepare reads the state of the calling thread. Otherwise caller
// must come from machine.CurrentCred and machine.CurrentDeathSignal: Plan.Exec refuses
// any other state.
//
// If p sets only the hard limit of open files, Prepare sets the soft limit of the calling
// process to the value that the process inherited, see machine.RestoreOpenFiles.
//
// Only the first thread of a process has the parent-death signal that its parent set.
// To pass that signal on, lock the main goroutine to this thread: call
// runtime.LockOSThread in an init function.
//
// The error is a [*NoPlanError] if the profile has no plan, machine.ErrNoCommand if
// neither argv nor the profile names a program, a *machine.Error if the user, a
// group or the program cannot be used, or an error about reading the caller's state.
func Prepare(p *policy.Profile, argv []string, caller *Caller) (*Plan, error) {
	if caller == nil {
		var err error
		if caller, err = currentCaller(); err != nil {
			return nil, fmt.Errorf("read the caller's state: %w", err)
		}
	}
	target, err := FindTarget(p, caller.Cred, argv)
	if err != nil {
		return nil, err
	}
	if err := machine.RestoreOpenFiles(p); err != nil {
		return nil, err
	}
	if target.Resources, err = machine.ReadResources(p); err != nil {
		return nil, fmt.Errorf("read the caller's state: %w", err)
	}
	target.KernelRules = machine.KernelRules()
	target.DeathSignal, target.Supervised = caller.DeathSignal, caller.Supervised
	plan, diagnostics := Compile(p, caller.Cred, target)
	if plan == nil {
		return nil, &NoPlanError{diagnostics}
	}
	return plan, nil
}

// currentCaller reads the state of the calling thread.
func currentCaller() (*Caller, error) {
	// The signal first, so that a parent that ends later is noticed.
	death, err := machine.CurrentDeathSignal()
	if err != nil {
		return nil, err
	}
	now, err := machine.CurrentCred()
	return &Caller{Cred: now, DeathSignal: death}, err
}

// FindTarget looks up the user and the groups of p, and finds the program that argv names (the
// profile's command if argv is empty) as a launch by a process with the credentials
// caller finds it on this machine. It leaves the other fields of Target zero. The error
// is machine.ErrNoCommand or a *machine.Error.
func FindTarget(p *policy.Profile, caller cred.Cred, argv []string) (Target, error) {
	accounts, err := machine.LookupAccounts(p)
	if err != nil {
		return Target{}, err
	}
	if len(argv) == 0 {
		argv = p.Command
	}
	id := machine.TargetIdentity(p, caller, accounts)
	var env []string
	if len(argv) > 0 && !strings.Contains(argv[0], "/") {
		// Only PATH matters here, so the loader variables may stay.
		env = newEnvPolicy(p, id, id.ChangesUID(caller), false).apply(os.Environ())
	}
	program, err := machine.FindProgram(p, id, accessorOf(p, caller, accounts, machine.KernelRules()), argv, env)
	return Target{Program: program, Accounts: accounts}, err
}

// accessorOf returns the process as it is just before exec: its permissions decide
// which program is found. They do not depend on the program. It returns nil if a step
// would fail, or if the user or a group was not looked up.
func accessorOf(p *policy.Profile, caller cred.Cred, accounts *machine.Accounts, r cred.Rules) *machine.Accessor {
	c := &compiler{Plan: Plan{Profile: p, Caller: caller, Target: Target{KernelRules: r, Accounts: accounts}}}
	c.Identity = machine.TargetIdentity(p, caller, accounts)
	if !c.Identity.Resolved || c.readDeclaration() != nil {
		return nil
	}
	for _, sets := range c.routes() {
		if failure := c.try(sets); failure == nil || failure.diagnostic == nil && failure.stepsErr == nil && failure.step == nil {
			return &machine.Accessor{Cred: c.BeforeExec, Name: c.Identity.Name()}
		}
	}
	return nil
}
