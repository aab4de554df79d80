package engine

import (
	"slices"

	"caprun/cap"
	"caprun/engine/machine"
	"caprun/policy"
)

// NewKeyring reports whether the target gets a new, empty session keyring instead
// of the caller's: keyrings(7).
func (p *Plan) NewKeyring() bool {
	return slices.ContainsFunc(p.Steps, func(s Step) bool { return s.Kind == cap.StepKeyring })
}

// KeysUnreachable reports whether the plan is for a caller that can reach no key, so
// that the session keyring cannot be replaced and need not be.
func (p *Plan) KeysUnreachable() bool {
	a := p.Target.Resources
	return a != nil && a.Keys == cap.KeysUnreachable
}

func (p *Plan) describeKeyring(Step) string {
	if p.KeysUnreachable() {
		return "session keyring: inherited (filtered)"
	}
	return "replace the session keyring"
}

// refuseKeyring is executeKeyring of package cap.
func refuseKeyring(a *machine.Resources, p *policy.Profile) *stepRefusal {
	if a.Keys != cap.KeysFixed {
		return nil
	}
	key := "user"
	if p.UID != nil {
		key = "uid"
	}
	return &stepRefusal{rule: ruleCaller, key: key,
		why:  "a seccomp filter refuses KEYCTL_JOIN_SESSION_KEYRING of keyctl(2), and not every call that reaches a key: the target could use the caller's keys",
		hint: keyringHint}
}

// keyringHint says what to do where the session keyring cannot be replaced.
const keyringHint = "allow keyctl(2) in the filter, refuse add_key(2) and request_key(2) as well, or declare keyring: inherit"
