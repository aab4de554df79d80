package engine

import (
	"fmt"
	"os"
	"strings"

	"caprun/engine/cred"
	"caprun/policy"
)

// Prepare makes the plan of a launch on this machine, now, from a state that
// Current returned: it looks the user up, finds the program that argv names, or
// the profile's command when argv is empty, and compiles. Diagnostics say what
// is in the way of the plan; an error, a *UserError, a *DirectoryError or a
// *TargetError among them, what the machine lacks.
//
// death is the parent-death signal of the target. For that of the caller, which
// survives a launch, it is what CurrentDeathSignal returned.
func Prepare(p *policy.Profile, from cred.Cred, argv []string, death DeathSignal) (*Plan, []policy.Diagnostic, error) {
	target, err := TargetHere(p, from, argv)
	if err != nil {
		return nil, nil, err
	}
	if target.Surroundings, err = readSurroundings(p); err != nil {
		return nil, nil, fmt.Errorf("read the caller's state: %w", err)
	}
	target.Kernel, target.Death = KernelRules(), death
	plan, diagnostics := Compile(p, from, target)
	return plan, diagnostics, nil
}

// TargetHere returns the program that argv names, or the profile's command
// when argv is empty, as a launch from a state would find it on this machine
// now, with the entry of the profile's user. Which kernel's rules hold is left
// to the caller. The error is a *UserError, or one of FindTarget.
func TargetHere(p *policy.Profile, from cred.Cred, argv []string) (Target, error) {
	user, err := entryOf(p)
	if err != nil {
		return Target{}, err
	}
	if len(argv) == 0 {
		argv = p.Command
	}
	id := identify(p, from, user)
	var env []string
	if len(argv) > 0 && !strings.Contains(argv[0], "/") {
		// Where the program is does not depend on the variables of the loader.
		env = newEnvPolicy(p, id, id.Changes(from), false).apply(os.Environ())
	}
	target, err := findTarget(p, id, accessorOf(p, from, user, KernelRules()), argv, env)
	target.User = user
	return target, err
}

// TargetUID returns the real, effective and saved uid of a target that starts
// from a state on this machine now. The error is a *UserError.
func TargetUID(p *policy.Profile, from cred.Cred) (uint32, error) {
	user, err := entryOf(p)
	if err != nil {
		return 0, err
	}
	return identify(p, from, user).UID, nil
}

// entryOf returns the entry of the profile's user; nil for a profile without.
func entryOf(p *policy.Profile) (*User, error) {
	if p.User == "" {
		return nil, nil
	}
	return LookupUser(p.User)
}
