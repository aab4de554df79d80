package engine

import (
	"slices"

	"caprun/cap"
	"caprun/engine/machine"
	"caprun/policy"
)

// NewKeyring reports whether the target gets a new, empty session keyring instead of the
// caller's, see keyrings(7).
func (p *Plan) NewKeyring() bool {
	return slices.ContainsFunc(p.Steps, func(s Step) bool { return s.Kind == cap.StepKeyring })
}

// KeysUnreachable reports whether the caller, and so the target, can access no key: the
// launch cannot replace the session keyring then and does not need to.
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

// refuseKeyring refuses a caller that cannot replace the session keyring and can access
// keys, as executeKeyring of package cap does.
func refuseKeyring(a *machine.Resources, p *policy.Profile) *stepRefusal {
	if a.Keys != cap.KeysFixed {
		return nil
	}
	key := "user"
	if p.UID != nil {
		key = "uid"
	}
	return &stepRefusal{rule: ruleCaller, key: key,
		why:  "a seccomp filter denies KEYCTL_JOIN_SESSION_KEYRING of keyctl(2) but allows other access to keys: the target could use the caller's keys",
		hint: keyringHint}
}

// keyringHint is the hint for a session keyring that cannot be replaced.
const keyringHint = "allow keyctl(2) in the filter, deny add_key(2) and request_key(2) too, or add keyring: inherit"
