package cap

import (
	"fmt"
	"runtime"
	"slices"
)

// Exec performs the steps of the Launcher, the last of which replaces the calling
// process with the target: execve(2). It returns only an error: that of Steps, one
// that wraps ErrLaunchFailed or ErrLaunchOnly, that of the SetBeforeExec function, or
// a *StepError.
//
// The steps change the calling thread, to which the goroutine stays locked. Some
// change the whole process, such as its root directory, umask and resource limits.
// After a *StepError the steps have been performed in part: end the process.
func (attr *Launcher) Exec() error {
	if attr == nil {
		return ErrLaunchFailed
	}
	c := attr.config()
	if c.callback != nil {
		return ErrLaunchOnly
	}
	if c.path == "" || len(c.args) == 0 {
		return fmt.Errorf("%w: no program to run", ErrLaunchFailed)
	}
	steps, err := c.steps()
	if err != nil {
		return err
	}
	runtime.LockOSThread()
	for _, s := range steps {
		if s.Kind == StepExec && c.beforeExec != nil {
			if err := c.beforeExec(); err != nil {
				return err
			}
		}
		if err := execute(&s); err != nil {
			return err
		}
	}
	return ErrLaunchFailed
}

// executors holds the function that executes each kind of step.
var executors = [...]func(*Step, failFunc) error{
	StepCloseOnExec: executeCloseOnExec,
	StepRaise:       executeRaise,
	StepNewSession:  executeSession,
	StepKeyring:     executeKeyring,
	StepGroups:      executeGroups,
	StepGID:         executeGID,
	StepChroot:      executeChroot,
	StepChdir:       executeChdir,
	StepInheritable: executeInheritable,
	StepBound:       executeBound,
	StepUID:         executeUID,
	StepAmbient:     executeAmbient,
	StepSecbits:     executeSecbits,
	StepUmask:       executeUmask,
	StepRlimit:      executeRlimit,
	StepFinal:       executeFinal,
	StepNoNewPrivs:  executeNoNewPrivs,
	StepDeathSignal: executeDeathSignal,
	StepExec:        executeExec,
}

// A failFunc returns a *StepError for the error of a system call, or nil for nil.
type failFunc func(call string, err error) error

// execute executes one step on the calling thread, to which the goroutine must be
// locked. It skips a step that would change nothing. The error is a *StepError.
func execute(s *Step) error {
	fail := func(call string, err error) error {
		if err == nil {
			return nil
		}
		return &StepError{Step: *s, Call: call, Err: err}
	}
	if uint(s.Kind) >= uint(len(executors)) || executors[s.Kind] == nil {
		return fail("none", fmt.Errorf("unknown step %d", s.Kind))
	}
	return executors[s.Kind](s, fail)
}

func executeRaise(_ *Step, fail failFunc) error {
	e, p, i, err := capget(0)
	if err != nil || e == p {
		return fail("capget", err)
	}
	return fail("capset", thisThread.capset(p, p, i))
}

func executeGroups(s *Step, fail failFunc) error {
	have, err := getgroups()
	if err != nil || sameGroups(have, s.Groups) && !mayReplaceGroups(s.Groups) {
		return fail("getgroups", err)
	}
	return fail("setgroups", thisThread.setgroups(s.Groups))
}

func executeGID(s *Step, fail failFunc) error {
	have, err := getgids()
	if err != nil || have == [4]uint32{s.ID, s.ID, s.ID, s.ID} && !mayBeUnmappedGID(s.ID) {
		return fail("getresgid", err)
	}
	return fail("setresgid", thisThread.setgids(s.ID))
}

// mayReplaceGroups reports whether executeGroups must set an equal list again. Where
// a group may be one that the user namespace does not map, only setgroups(2) shows
// that: it fails. It needs cap_setgid; an ID can be set again without a privilege.
func mayReplaceGroups(groups []uint32) bool {
	e, _, _, err := capget(0)
	return err == nil && e.Has(int(SETGID)) && slices.ContainsFunc(groups, mayBeUnmappedGID)
}

// sameGroups reports whether two lists have the same groups. The kernel sorts them.
func sameGroups(a, b []uint32) bool {
	if len(a) != len(b) {
		return false
	}
	a, b = slices.Clone(a), slices.Clone(b)
	slices.Sort(a)
	slices.Sort(b)
	return slices.Equal(a, b)
}

// executeUID sets the user IDs, keeps the permitted set, and makes the effective set
// equal to it.
func executeUID(s *Step, fail failFunc) error {
	uid := s.ID
	have, err := getuids()
	if err != nil || have == [4]uint32{uid, uid, uid, uid} && !mayBeUnmappedUID(uid) {
		return fail("getresuid", err)
	}
	_, p, _, err := capget(0)
	if err != nil {
		return fail("capget", err)
	}
	bits, err := getSecurebits()
	if err != nil {
		return fail("prctl PR_GET_SECUREBITS", err)
	}
	// The kernel clears the sets only when the last user ID 0 changes.
	leaves := uid != 0 && (have[0] == 0 || have[1] == 0 || have[2] == 0)
	if p == 0 || !leaves || bits&(SecbitKeepCaps|SecbitNoSetUIDFixup) != 0 {
		err = fail("setresuid", thisThread.setuids(uid))
	} else {
		err = keepPermitted(uid, p, bits, fail)
	}
	if err != nil {
		return err
	}
	e, p, i, err := capget(0)
	if err != nil || e == p {
		return fail("capget", err)
	}
	return fail("capset", thisThread.capset(p, p, i))
}

// keepPermitted sets the user IDs under keep_caps. It uses no_setuid_fixup instead
// where keep_caps is locked off, and where the ambient set, which keep_caps does not
// keep, could not be raised again. Where neither can be set, the capabilities are
// lost, and later steps that need them fail.
func keepPermitted(uid uint32, p Mask, bits Secbits, fail failFunc) error {
	setuids := func() error { return fail("setresuid", thisThread.setuids(uid)) }
	mayDisableFixup := bits&SecbitNoSetUIDFixupLocked == 0 && p.Has(int(SETPCAP))
	switch {
	case mayDisableFixup && bits&(SecbitKeepCapsLocked|SecbitNoCapAmbientRaiseLocked) != 0:
		return withSecurebits(bits, bits|SecbitNoSetUIDFixup, fail, setuids)
	case bits&SecbitKeepCapsLocked != 0:
		return setuids()
	}
	if err := thisThread.setKeepCaps(true); err != nil {
		return fail("prctl PR_SET_KEEPCAPS", err)
	}
	if err := setuids(); err != nil {
		return err
	}
	return fail("prctl PR_SET_KEEPCAPS", thisThread.setKeepCaps(false))
}

// withSecurebits calls change while the securebits are temporary, and then sets
// them to have.
func withSecurebits(have, temporary Secbits, fail failFunc, change func() error) error {
	if err := thisThread.setSecurebits(temporary); err != nil {
		return fail("prctl PR_SET_SECUREBITS", err)
	}
	if err := change(); err != nil {
		return err
	}
	return fail("prctl PR_SET_SECUREBITS", thisThread.setSecurebits(have))
}

func executeInheritable(s *Step, fail failFunc) error {
	if !s.Caps.SubsetOf(kernelMask()) {
		return fail("capset", ErrBadValue)
	}
	e, p, i, err := capget(0)
	if err != nil || e == p && i == s.Caps {
		return fail("capget", err)
	}
	return fail("capset", thisThread.capset(p, p, s.Caps))
}

// executeAmbient raises and lowers ambient capabilities one at a time. If
// no_cap_ambient_raise is set and not locked, it clears it temporarily.
func executeAmbient(s *Step, fail failFunc) error {
	want := s.Caps
	have, err := readAmbient()
	if err != nil {
		return fail("prctl PR_CAP_AMBIENT_IS_SET", err)
	}
	change := func() error { return changeAmbient(have, want, fail) }
	if want&^have != 0 {
		bits, err := getSecurebits()
		if err != nil {
			return fail("prctl PR_GET_SECUREBITS", err)
		}
		const forbidden, locked = SecbitNoCapAmbientRaise, SecbitNoCapAmbientRaiseLocked
		if bits&(forbidden|locked) == forbidden {
			return withSecurebits(bits, bits&^forbidden, fail, change)
		}
	}
	return change()
}

// changeAmbient lowers also those unwanted capabilities that are not in have: a
// seccomp(2) filter may have hidden them, and lowering needs no privilege.
func changeAmbient(have, want Mask, fail failFunc) error {
	possible, err := possibleAmbient()
	if err != nil {
		return fail("capget", err)
	}
	if want == 0 && possible != 0 {
		return fail("prctl PR_CAP_AMBIENT_CLEAR_ALL", thisThread.ambientClear())
	}
	for v := range MaxBits() {
		switch n := int(v); {
		case want.Minus(have).Has(n):
			if err := thisThread.ambientRaise(v); err != nil {
				return fail("prctl PR_CAP_AMBIENT_RAISE", fmt.Errorf("%v: %w", v, err))
			}
		case possible.Minus(want).Has(n):
			if err := thisThread.ambientLower(v); err != nil {
				return fail("prctl PR_CAP_AMBIENT_LOWER", fmt.Errorf("%v: %w", v, err))
			}
		}
	}
	return nil
}

// executeBound drops also those capabilities that seem to be dropped, if cap_setpcap
// is effective: a seccomp(2) filter may have hidden them.
func executeBound(s *Step, fail failFunc) error {
	have, err := readBounding()
	if err != nil {
		return fail("prctl PR_CAPBSET_READ", err)
	}
	able, err := maySetpcap()
	if err != nil {
		return fail("capget", err)
	}
	for v := range MaxBits() {
		if !s.Caps.Has(int(v)) || !have.Has(int(v)) && !able {
			continue
		}
		if err := thisThread.boundingDrop(v); err != nil {
			return fail("prctl PR_CAPBSET_DROP", fmt.Errorf("%v: %w", v, err))
		}
	}
	return nil
}

// maySetpcap reports whether cap_setpcap is effective.
func maySetpcap() (bool, error) {
	e, _, _, err := capget(0)
	return e.Has(int(SETPCAP)), err
}

// executeSecbits sets also securebits that seem to be set, if cap_setpcap is
// effective: a seccomp(2) filter may have returned them.
func executeSecbits(s *Step, fail failFunc) error {
	have, err := getSecurebits()
	if err != nil {
		return fail("prctl PR_GET_SECUREBITS", err)
	}
	if able, err := maySetpcap(); err != nil || have == s.Secbits && !able {
		return fail("capget", err)
	}
	return fail("prctl PR_SET_SECUREBITS", thisThread.setSecurebits(s.Secbits))
}

func executeFinal(s *Step, fail failFunc) error {
	e, p, i, err := capget(0)
	if err != nil || e == s.Caps && p == s.Caps {
		return fail("capget", err)
	}
	if s.Caps&^kernelMask() != 0 {
		return fail("capset", ErrBadValue)
	}
	return fail("capset", thisThread.capset(s.Caps, s.Caps, i))
}

func executeNoNewPrivs(_ *Step, fail failFunc) error {
	on, err := getNoNewPrivs()
	if err != nil || on {
		return fail("prctl PR_GET_NO_NEW_PRIVS", err)
	}
	return fail("prctl PR_SET_NO_NEW_PRIVS", thisThread.setNoNewPrivs())
}
