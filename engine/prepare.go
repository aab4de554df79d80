package engine

import (
	"errors"
	"os"

	"caprun/policy"
)

// Prepare makes the plan of a launch on this machine, now: it reads the
// caller's state, looks the user up, finds the program that argv names, or the
// profile's command when argv is empty, and compiles. Diagnostics say what is
// in the way of the plan; an error, a *UserError, a *DirectoryError or a *TargetError among them,
// what the machine lacks.
func Prepare(p *policy.Profile, argv []string) (*Plan, []policy.Diagnostic, error) {
	from, err := Current()
	if err != nil {
		return nil, nil, err
	}
	var user *User
	if p.User != "" {
		if user, err = LookupUser(p.User); err != nil {
			return nil, nil, err
		}
	}
	if len(argv) == 0 {
		argv = p.Command
	}
	id := identify(p, from, user)
	// Where the program is does not depend on the variables of the loader.
	env := environ(p, id, id.Changes(from), false, os.Environ())
	target, err := FindTarget(p, id, argv, env)
	if err != nil {
		return nil, nil, err
	}
	target.User = user
	target.Kernel = KernelRules()
	plan, diagnostics := Compile(p, from, target)
	return plan, diagnostics, nil
}

// NotFound reports whether an error says that there is no such program:
// status 127 of a shell. A missing interpreter is not that.
func NotFound(err error) bool {
	var t *TargetError
	return errors.As(err, &t) && t.Missing
}
