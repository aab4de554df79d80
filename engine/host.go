package engine

import (
	"errors"
	"slices"

	"caprun/engine/cred"
	"caprun/policy"
)

// Host finds what only this machine knows about a profile: whether its user has
// an entry, its directories and its command are there, the command changes what
// is declared, and whether the target's user could change either. It looks with
// the eyes of who asks, for a start as root; a profile without a command is
// judged without one. What can be told without the machine, Explain tells.
func Host(p *policy.Profile) []policy.Diagnostic {
	from := cred.Root()
	ordinary, known := Explain(p)
	if ordinary == nil {
		return nil
	}
	target, err := TargetHere(p, from, nil)
	if errors.Is(err, ErrNoCommand) {
		// There is no program to look at, but the rest can be.
		target.exposed, err = exposedPlaces(p, identify(p, from, target.User))
	}
	var found []policy.Diagnostic
	say := func(which rule, key, message, hint string) {
		found = append(found, diagnose(p, which, placeOf(p, key), message, hint))
	}
	var user *UserError
	var dir *DirectoryError
	var program *TargetError
	switch {
	case errors.As(err, &user):
		say(ruleNoEntry, "user", user.Error(), user.Hint)
		return found
	case errors.As(err, &dir):
		say(ruleNoDirectory, dir.Key, dir.Error(), dir.Hint)
		return found
	case errors.As(err, &program):
		say(ruleNoTarget, "command[0]", program.Error(), program.Hint)
		return found
	case err != nil:
		say(ruleUnseen, "command", err.Error(), "check without -host, or as a user who may look")
		return found
	}
	target.Kernel = cred.Latest()
	plan, conflicts := Compile(p, from, target)
	for _, d := range conflicts {
		if !slices.Contains(known, d) {
			found = append(found, d)
		}
	}
	if plan == nil {
		return found
	}
	for _, e := range plan.Exposed() {
		found = append(found, e.Diagnostic(plan))
	}
	return found
}

// placeOf returns where a key stands, or where the profile begins.
func placeOf(p *policy.Profile, key string) policy.Position {
	if at := p.Position(key); at.IsKnown() {
		return at
	}
	return p.Position("version")
}
