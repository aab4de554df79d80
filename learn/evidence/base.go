package evidence

import (
	"errors"
	"fmt"
	"slices"

	"caprun/cap"
	"caprun/engine"
	"caprun/engine/cred"
	"caprun/internal/profiletext"
	"caprun/policy"
)

// Base is what profiles are written for.
type Base struct {
	// Profile has the keys that are kept: identity, environment, limits and so on. It is
	// nil for a base without any. Its caps, iab and mode limit the capabilities.
	Profile *policy.Profile

	// Caller has the credentials of the process that starts the program.
	Caller cred.Cred

	// Target is the program, with the accounts of the profile if it names any.
	Target engine.Target
}

// Settings are what a learned profile adds to its base.
type Settings struct {
	Caps       cred.Caps
	NoNewPrivs bool
	NoRoot     bool // securebits noroot and noroot_locked
}

// profile returns the base's profile, or an empty one.
func (b Base) profile() *policy.Profile {
	if b.Profile == nil {
		return &policy.Profile{}
	}
	return b.Profile
}

// WithIdentity returns the base with another identity. The keys for capabilities do not
// change.
func (b Base) WithIdentity(uid, gid uint32, groups []uint32) Base {
	p := copyProfile(b.profile())
	p.User, p.UID, p.GID, p.Groups = "", &uid, &policy.Group{ID: gid}, nil
	for _, g := range groups {
		p.Groups = append(p.Groups, policy.Group{ID: g})
	}
	b.Profile, b.Target.Accounts = p, nil
	return b
}

// WithUser returns the base with another user, by a name in /etc/passwd. The target has no
// accounts afterwards: the caller looks this user up. The keys for capabilities do not
// change.
func (b Base) WithUser(name string) Base {
	p := copyProfile(b.profile())
	p.User, p.UID, p.GID, p.Groups = name, nil, nil, nil
	b.Profile, b.Target.Accounts = p, nil
	return b
}

// copyProfile returns a profile with the values of p, and without its positions.
func copyProfile(p *policy.Profile) *policy.Profile {
	return &policy.Profile{
		File: p.File, Name: p.Name, Description: p.Description, Command: p.Command,
		User: p.User, UID: p.UID, GID: p.GID, Groups: p.Groups,
		Caps: p.Caps, IAB: p.IAB, Mode: p.Mode, Secbits: p.Secbits, NoNewPrivs: p.NoNewPrivs,
		Chroot: p.Chroot, Cwd: p.Cwd, Umask: p.Umask, Env: p.Env, Rlimits: p.Rlimits, KeepFDs: p.KeepFDs,
		NewSession: p.NewSession, InheritKeyring: p.InheritKeyring, Ignored: p.Ignored,
	}
}

// Allowed returns the capabilities that the base allows a program: the permitted set of
// caps; with iab, the ambient set, and for uid 0 also what iab does not block; none with
// mode NOPRIV. A base without these keys does not limit the capabilities: they are those
// that the caller can pass on.
func (b Base) Allowed() cred.Caps {
	p := b.profile()
	held := b.Caller.Permitted.Intersect(b.Caller.Bounding).Intersect(b.Caller.All)
	switch {
	case p.Mode != nil && *p.Mode == cap.ModeNoPriv:
		return 0
	case p.Caps != nil:
		return held.Intersect(p.Caps.Permitted)
	case p.IAB != nil:
		plan, _ := engine.Compile(b.profile(), b.Caller, b.Target)
		if plan == nil {
			return 0
		}
		return held.Intersect(plan.AfterExec.Permitted)
	}
	return held
}

// Compose returns the profile of the base with settings: the keys of the base except iab,
// and caps, which grants exactly the capabilities of the settings. For uid 0 these are
// effective and permitted (=ep), which exec grants; for another uid, and with noroot,
// inheritable too (=eip), so that they can be ambient. In both cases the bounding set has
// no other capability.
//
// The error says why the settings cannot be launched, or that they exceed [Base.Allowed].
func (b Base) Compose(s Settings) (*policy.Profile, error) {
	if more := s.Caps.Minus(b.Allowed()); more != 0 {
		return nil, fmt.Errorf("the base profile does not allow %s; remove it from the set", more)
	}
	p := copyProfile(b.profile())
	p.IAB = nil
	p.NoNewPrivs = p.NoNewPrivs || s.NoNewPrivs
	if s.NoRoot {
		if err := b.addNoRoot(p); err != nil {
			return nil, err
		}
	}
	forms := []cred.Caps{0, s.Caps} // the inheritable set
	if !b.startsAsRoot(p) {
		slices.Reverse(forms)
	}
	var refused []policy.Diagnostic
	for _, inheritable := range forms {
		caps, err := policy.NewCaps(capsText(s.Caps, inheritable))
		if err != nil {
			return nil, fmt.Errorf("caps: %w", err)
		}
		p.Caps = caps
		plan, found := engine.Compile(p, b.Caller, b.Target)
		if plan != nil {
			return p, nil
		}
		if refused == nil {
			refused = found
		}
	}
	return nil, &engine.NoPlanError{Diagnostics: refused}
}

// capsText returns the text of the key caps with equal effective and permitted sets.
func capsText(set, inheritable cred.Caps) string {
	return cap.SetOf(set, set, inheritable).Text(cap.NamedCount)
}

const noRoot = cap.Secbits(cred.SecNoRoot | cred.SecNoRootLocked)

// addNoRoot adds noroot and its lock to the securebits of p.
func (b Base) addNoRoot(p *policy.Profile) error {
	if p.Mode != nil {
		return errors.New("secbits: mode already declares the securebits; remove mode from the base profile")
	}
	// The key declares all securebits, so those of the caller are part of it.
	bits := cap.Secbits(b.Caller.Securebits &^ cred.SecKeepCaps)
	if p.Secbits != nil {
		bits = *p.Secbits
	}
	bits |= noRoot
	p.Secbits = &bits
	return nil
}

// startsAsRoot reports whether exec grants the program its capabilities because it starts
// as uid 0. A user that was not looked up is taken for another one.
func (b Base) startsAsRoot(p *policy.Profile) bool {
	uid := b.Caller.EUID
	switch {
	case p.UID != nil:
		uid = *p.UID
	case p.User == "0" || p.User == "root":
		uid = 0
	case p.User != "":
		uid = cred.NoID
	}
	bits := b.Caller.Securebits
	if p.Secbits != nil {
		bits = cred.Securebits(*p.Secbits)
	}
	return uid == 0 && !bits.Has(cred.SecNoRoot)
}

// Text returns the text of the profile that Compose returns, without comments. Comments of
// the base profile are not kept.
func (b Base) Text(s Settings) ([]byte, error) {
	p, err := b.Compose(s)
	if err != nil {
		return nil, err
	}
	text, _, err := profiletext.Write(p, nil)
	return text, err
}
