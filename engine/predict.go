package engine

import (
	"slices"

	"caprun/cap"
	"caprun/engine/cred"
	"caprun/policy"
)

// stepFailure describes a step that fails in the model.
type stepFailure struct {
	step  Step
	state cred.Cred // before the step
	errno cred.Errno

	// value is the capability at which the step fails; -1 if it fails for
	// another reason.
	value int

	// refusal is the reason, if it is a resource and not the credentials.
	refusal *stepRefusal
}

// predict executes steps in the model, beginning in the state from, as
// cap.Launcher.Exec executes them. It returns them with what they need, and the state
// before exec.
func predict(from cred.Cred, steps []cap.Step, target Target, p *policy.Profile) ([]Step, cred.Cred, *stepFailure) {
	r := target.KernelRules
	c := from
	out := make([]Step, 0, len(steps))
	for n := range steps {
		s := &steps[n]
		if s.Kind == cap.StepInheritable {
			c = raised(c)
		}
		next, value, errno := predictStep(c, s, r)
		refusal := refuseResource(target.Resources, c, p, s)
		kind := kindOf(s.Kind)
		step := Step{Step: s, NoOp: errno == 0 && kind.inModel && c.Equal(next)}
		if !step.NoOp && kind.needs != 0 {
			without := c
			without.Effective = without.Effective.Minus(kind.needs)
			_, _, e := predictStep(without, s, r)
			if e != 0 || refusal == nil && refuseResource(target.Resources, without, p, s) != nil {
				step.Needs = kind.needs
			}
		}
		out = append(out, step)
		if errno != 0 || refusal != nil {
			return out, c, &stepFailure{step, c, errno, value, refusal}
		}
		c = next
	}
	return out, c, nil
}

// raised returns the state in which the step of the inheritable set begins. That step
// first makes the permitted capabilities effective again if a uid change has cleared
// the effective set.
func raised(c cred.Cred) cred.Cred {
	if c.Effective == 0 {
		c, _ = c.Capset(c.Permitted, c.Permitted, c.Inheritable)
	}
	return c
}

// predictStep executes one step in the model: the counterpart of execute in package
// cap. If the step fails, value is the capability at which it does, or -1.
func predictStep(c cred.Cred, s *cap.Step, r cred.Rules) (next cred.Cred, value int, errno cred.Errno) {
	value = -1
	switch s.Kind {
	case cap.StepCloseOnExec, cap.StepNewSession, cap.StepKeyring, cap.StepChdir, cap.StepUmask, cap.StepRlimit, cap.StepDeathSignal, cap.StepExec:
		return c, value, 0
	case cap.StepRaise:
		next, errno = c.Capset(c.Permitted, c.Permitted, c.Inheritable)
	case cap.StepGroups:
		if sameGroups(c.Groups, s.Groups) {
			return c, value, 0
		}
		next, errno = c.Setgroups(s.Groups)
	case cap.StepGID:
		next, errno = c.Setresgid(s.ID, s.ID, s.ID)
	case cap.StepChroot:
		next, errno = c.Chroot()
	case cap.StepUID:
		next, errno = predictUID(c, s.ID, r)
	case cap.StepInheritable:
		want := s.Caps
		if !want.SubsetOf(c.All) {
			return c, lowest(want.Minus(c.All)), cred.EINVAL
		}
		next, errno = c.Capset(c.Permitted, c.Permitted, want)
		if errno != 0 {
			value = lowest(want.Minus(c.Inheritable.Union(c.Permitted.Intersect(c.Bounding))))
		}
	case cap.StepAmbient:
		return predictAmbient(c, s.Caps, r)
	case cap.StepBound:
		next = c
		for n := range 64 {
			if !next.Bounding.Intersect(s.Caps).Has(n) {
				continue
			}
			if next, errno = next.DropBounding(n); errno != 0 {
				return c, n, errno
			}
		}
	case cap.StepSecbits:
		if c.Securebits == cred.Securebits(s.Secbits) {
			return c, value, 0
		}
		next, errno = c.SetSecurebits(cred.Securebits(s.Secbits), r)
	case cap.StepFinal:
		want := s.Caps
		if !want.SubsetOf(c.All) {
			return c, lowest(want.Minus(c.All)), cred.EINVAL
		}
		next, errno = c.Capset(want, want, c.Inheritable)
		if errno != 0 {
			value = lowest(want.Minus(c.Permitted))
		}
	case cap.StepNoNewPrivs:
		next = c.SetNoNewPrivs()
	default:
		return c, value, cred.EINVAL
	}
	return next, value, errno
}

// sameGroups reports whether b, in any order, has the groups of sorted.
func sameGroups(sorted, b []uint32) bool {
	b = slices.Clone(b)
	slices.Sort(b)
	return slices.Equal(sorted, b)
}

// predictUID changes all uids to uid. It keeps the permitted set if the securebits
// allow it, and makes all of it effective again.
func predictUID(c cred.Cred, uid uint32, r cred.Rules) (cred.Cred, cred.Errno) {
	if c.UID == uid && c.EUID == uid && c.SUID == uid && c.FSUID == uid {
		return c, 0
	}
	var n cred.Cred
	var errno cred.Errno
	leaves := uid != 0 && (c.UID == 0 || c.EUID == 0 || c.SUID == 0)
	maySetFixup := !c.Securebits.Has(cred.SecNoSetuidFixupLocked) && c.Permitted.Has(cred.SETPCAP)
	locks := c.Securebits & (cred.SecKeepCapsLocked | cred.SecNoCapAmbientRaiseLocked)
	switch {
	case c.Permitted == 0 || !leaves || c.Securebits&(cred.SecKeepCaps|cred.SecNoSetuidFixup) != 0:
		n, errno = c.Setresuid(uid, uid, uid)
	case maySetFixup && locks != 0:
		n, errno = c.SetSecurebits(c.Securebits|cred.SecNoSetuidFixup, r)
		if errno == 0 {
			n, errno = n.Setresuid(uid, uid, uid)
		}
		if errno == 0 {
			n, errno = n.SetSecurebits(c.Securebits, r)
		}
	case locks.Has(cred.SecKeepCapsLocked):
		n, errno = c.Setresuid(uid, uid, uid)
	default:
		n, errno = c.SetKeepCaps(true)
		if errno == 0 {
			n, errno = n.Setresuid(uid, uid, uid)
		}
		if errno == 0 {
			n, errno = n.SetKeepCaps(false)
		}
	}
	if errno != 0 {
		return c, errno
	}
	return n.Capset(n.Permitted, n.Permitted, n.Inheritable)
}

// predictAmbient sets the ambient set to want. If no_cap_ambient_raise is set and not
// locked, it clears the securebit temporarily.
func predictAmbient(c cred.Cred, want cred.Caps, r cred.Rules) (next cred.Cred, value int, errno cred.Errno) {
	if want == 0 {
		return c.ClearAmbient(), -1, 0
	}
	next = c
	free := c.Securebits &^ cred.SecNoCapAmbientRaise
	forbidden := !want.SubsetOf(c.Ambient) && free != c.Securebits && !c.Securebits.Has(cred.SecNoCapAmbientRaiseLocked)
	if forbidden {
		if next, errno = next.SetSecurebits(free, r); errno != 0 {
			return c, lowest(want.Minus(c.Ambient)), errno
		}
	}
	for n := range 64 {
		switch {
		case want.Has(n) && !next.Ambient.Has(n):
			next, errno = next.RaiseAmbient(n)
		case !want.Has(n) && next.Ambient.Has(n):
			next, errno = next.LowerAmbient(n)
		}
		if errno != 0 {
			return c, n, errno
		}
	}
	if forbidden {
		if next, errno = next.SetSecurebits(c.Securebits, r); errno != 0 {
			return c, -1, errno
		}
	}
	return next, -1, 0
}

// lowest returns the lowest capability of a set; -1 for the empty set.
func lowest(caps cred.Caps) int {
	for n := range 64 {
		if caps.Has(n) {
			return n
		}
	}
	return -1
}
