package engine

import (
	"fmt"
	"os"
	"strings"

	"caprun/engine/cred"
	"caprun/engine/machine"
	"caprun/policy"
)

// Caller is the state that a launch starts from.
type Caller struct {
	Cred cred.Cred

	// DeathSignal is the parent-death signal that the target gets.
	DeathSignal machine.DeathSignal
}

// NoPlanError says why a profile has no plan.
type NoPlanError struct {
	Diagnostics []policy.Diagnostic // at least one
}

// Error returns the diagnostics, one a line, without their hints.
func (e *NoPlanError) Error() string {
	lines := make([]string, len(e.Diagnostics))
	for n, d := range e.Diagnostics {
		lines[n] = d.String()
	}
	return strings.Join(lines, "\n")
}

// Prepare makes the plan of a launch on this machine, now: it looks up the user of
// the profile, finds the program that argv names, or the profile's command if argv
// is empty, and calls Compile. [Plan.Exec] carries the plan out.
//
// If caller is nil, Prepare reads the state of the calling thread. Only the first
// thread of a process has the parent-death signal that its parent asked for: a
// program that is to pass it on locks its main goroutine to that thread, with
// runtime.LockOSThread in an init function. A caller that is not nil comes from
// machine.CurrentCred and machine.CurrentDeathSignal; Exec refuses another state.
//
// The error is a [*NoPlanError] if the profile has no plan, machine.ErrNoCommand,
// a *machine.Error if the user or the program is missing, or one about reading the
// caller's state.
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
	if target.Resources, err = machine.ReadResources(p); err != nil {
		return nil, fmt.Errorf("read the caller's state: %w", err)
	}
	target.KernelRules, target.DeathSignal = machine.KernelRules(), caller.DeathSignal
	plan, diagnostics := Compile(p, caller.Cred, target)
	if plan == nil {
		return nil, &NoPlanError{diagnostics}
	}
	return plan, nil
}

// currentCaller reads the state of the calling thread.
func currentCaller() (*Caller, error) {
	// The signal first: a parent that ends meanwhile is noticed.
	death, err := machine.CurrentDeathSignal()
	if err != nil {
		return nil, err
	}
	now, err := machine.CurrentCred()
	return &Caller{now, death}, err
}

// FindTarget returns the program that argv names, or the profile's command
// when argv is empty, as a launch from a state would find it on this machine
// now, with the entry of the profile's user. Which kernel's rules hold is left
// to the caller. The error is machine.ErrNoCommand or a *machine.Error.
func FindTarget(p *policy.Profile, from cred.Cred, argv []string) (Target, error) {
	user, err := machine.LookupUser(p)
	if err != nil {
		return Target{}, err
	}
	if len(argv) == 0 {
		argv = p.Command
	}
	id := machine.TargetIdentity(p, from, user)
	var env []string
	if len(argv) > 0 && !strings.Contains(argv[0], "/") {
		// Where the program is does not depend on the variables of the loader.
		env = newEnvPolicy(p, id, id.ChangesUID(from), false).apply(os.Environ())
	}
	program, err := machine.FindProgram(p, id, accessorOf(p, from, user, machine.KernelRules()), argv, env)
	return Target{Program: program, User: user}, err
}

// accessorOf returns the process that a launch turns caprun into just before
// exec; nil where a step would be refused, and where the user is not looked up.
// What it holds then does not depend on the program: that decides only about the
// sets that exec makes of it.
func accessorOf(p *policy.Profile, from cred.Cred, user *machine.User, r cred.Rules) *machine.Accessor {
	c := &compiler{Plan: Plan{Profile: p, Caller: from, Target: Target{KernelRules: r, User: user}}}
	c.Identity = machine.TargetIdentity(p, from, user)
	if !c.Identity.Resolved || c.readDeclaration() != nil {
		return nil
	}
	for _, sets := range c.routes() {
		if o := c.try(sets); o == nil || o.diagnostic == nil && o.stepsErr == nil && o.step == nil {
			return &machine.Accessor{Cred: c.BeforeExec, Name: c.Identity.Name()}
		}
	}
	return nil
}
