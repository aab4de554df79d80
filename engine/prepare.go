package engine

import (
	"fmt"
	"os"
	"strings"

	"caprun/engine/cred"
	"caprun/engine/machine"
	"caprun/policy"
)

// Prepare makes the plan of a launch on this machine, now, from a state that
// machine.Current returned: it looks the user up, finds the program that argv names, or
// the profile's command when argv is empty, and compiles. Diagnostics say what
// is in the way of the plan; an error, mostly a *machine.Error, what the machine
// lacks.
//
// death is the parent-death signal of the target. For that of the caller, which
// survives a launch, it is what machine.CurrentDeathSignal returned.
func Prepare(p *policy.Profile, from cred.Cred, argv []string, death machine.DeathSignal) (*Plan, []policy.Diagnostic, error) {
	target, err := TargetHere(p, from, argv)
	if err != nil {
		return nil, nil, err
	}
	if target.Surroundings, err = machine.ReadSurroundings(p); err != nil {
		return nil, nil, fmt.Errorf("read the caller's state: %w", err)
	}
	target.Kernel, target.Death = machine.KernelRules(), death
	plan, diagnostics := Compile(p, from, target)
	return plan, diagnostics, nil
}

// TargetHere returns the program that argv names, or the profile's command
// when argv is empty, as a launch from a state would find it on this machine
// now, with the entry of the profile's user. Which kernel's rules hold is left
// to the caller. The error is machine.ErrNoCommand or a *machine.Error.
func TargetHere(p *policy.Profile, from cred.Cred, argv []string) (Target, error) {
	user, err := machine.UserOf(p)
	if err != nil {
		return Target{}, err
	}
	if len(argv) == 0 {
		argv = p.Command
	}
	id := machine.Identify(p, from, user)
	var env []string
	if len(argv) > 0 && !strings.Contains(argv[0], "/") {
		// Where the program is does not depend on the variables of the loader.
		env = newEnvPolicy(p, id, id.Changes(from), false).apply(os.Environ())
	}
	program, err := machine.FindProgram(p, id, accessorOf(p, from, user, machine.KernelRules()), argv, env)
	return Target{Program: program, User: user}, err
}

// TargetUID returns the real, effective and saved uid of a target that starts
// from a state on this machine now. The error is a *machine.Error.
func TargetUID(p *policy.Profile, from cred.Cred) (uint32, error) {
	user, err := machine.UserOf(p)
	if err != nil {
		return 0, err
	}
	return machine.Identify(p, from, user).UID, nil
}

// accessorOf returns the process that a launch turns caprun into just before
// exec; nil where a step would be refused, and where the user is not looked up.
// What it holds then does not depend on the program: that decides only about the
// sets that exec makes of it.
func accessorOf(p *policy.Profile, from cred.Cred, user *machine.User, r cred.Rules) *machine.Accessor {
	c := &compiler{Plan: Plan{Profile: p, From: from, Target: Target{Kernel: r, User: user}}}
	c.Identity = machine.Identify(p, from, user)
	if !c.Identity.Resolved || c.readDeclaration() != nil {
		return nil
	}
	for _, v := range c.routes() {
		if o := c.try(v); o == nil || o.diagnostic == nil && o.steps == nil && o.step == nil {
			return &machine.Accessor{Cred: c.Before, Name: c.Identity.Name()}
		}
	}
	return nil
}
