package cap

import (
	"fmt"
	"runtime"
	"slices"
)

// Exec performs the steps of the Launcher and replaces the calling process
// with the target: same pid. It returns only when it fails, with the error of
// Steps, an error that wraps ErrLaunchFailed or ErrLaunchOnly, the error of
// the SetBeforeExec function, or a *StepError.
//
// The steps change the calling thread, which stays locked to its goroutine;
// root directory, umask and limits are the whole process's. After a
// *StepError the process is neither what it was nor what it should be: end it.
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

// execute makes one step hold on the calling thread, which must be locked.
func execute(s *Step) error {
	fail := func(call string, err error) error {
		if err == nil {
			return nil
		}
		return &StepError{Step: *s, Call: call, Err: err}
	}
	switch s.Kind {
	case StepCloseOnExec:
		return fail("close_range", markCloseOnExec(s.Keep))
	case StepRaise:
		e, p, i, err := capget(0)
		if err != nil || e == p {
			return fail("capget", err)
		}
		return fail("capset", thisThread.capset(p, p, i))
	case StepNewSession:
		return executeSession(fail)
	case StepGroups:
		have, err := getgroups()
		if err != nil || sameGroups(have, s.Groups) && !s.mayReplaceGroups() {
			return fail("getgroups", err)
		}
		return fail("setgroups", thisThread.setgroups(s.Groups))
	case StepGID:
		have, err := getgids()
		if err != nil || have == [4]uint32{s.ID, s.ID, s.ID, s.ID} && s.ID != overflowID {
			return fail("getresgid", err)
		}
		return fail("setresgid", thisThread.setgids(s.ID))
	case StepChroot:
		return executeChroot(s.Path, fail)
	case StepChdir:
		return executeChdir(s.Path, fail)
	case StepUID:
		return executeUID(s.ID, fail)
	case StepInheritable:
		if s.Caps&^kernelMask() != 0 {
			return fail("capset", ErrBadValue)
		}
		e, p, i, err := capget(0)
		if err != nil || e == p && i == s.Caps {
			return fail("capget", err)
		}
		return fail("capset", thisThread.capset(p, p, s.Caps))
	case StepAmbient:
		return executeAmbient(s.Caps, fail)
	case StepBound:
		return executeBound(s.Caps, fail)
	case StepSecbits:
		have, err := getSecurebits()
		if err != nil || have == s.Secbits {
			return fail("prctl PR_GET_SECUREBITS", err)
		}
		return fail("prctl PR_SET_SECUREBITS", thisThread.setSecurebits(s.Secbits))
	case StepUmask:
		umask(s.Umask)
		if got := umask(s.Umask); got != s.Umask {
			return fail("umask", fmt.Errorf("it is %#o", got))
		}
		return nil
	case StepRlimit:
		return executeRlimit(s, fail)
	case StepFinal:
		e, p, i, err := capget(0)
		if err != nil || e == s.Caps && p == s.Caps {
			return fail("capget", err)
		}
		if s.Caps&^kernelMask() != 0 {
			return fail("capset", ErrBadValue)
		}
		return fail("capset", thisThread.capset(s.Caps, s.Caps, i))
	case StepNoNewPrivs:
		on, err := getNoNewPrivs()
		if err != nil || on {
			return fail("prctl PR_GET_NO_NEW_PRIVS", err)
		}
		return fail("prctl PR_SET_NO_NEW_PRIVS", thisThread.setNoNewPrivs())
	case StepDeathSignal:
		if err := setDeathSignal(s.Signal); err != nil {
			return fail("prctl PR_SET_PDEATHSIG", err)
		}
		got, err := getDeathSignal()
		if err == nil && got != s.Signal {
			err = fmt.Errorf("it is %d", got)
		}
		if err != nil {
			return fail("prctl PR_GET_PDEATHSIG", err)
		}
		// A parent that ended before sent nothing.
		if parent := getppid(); parent != s.Parent {
			return fail("getppid", fmt.Errorf("the parent is process %d, no longer %d", parent, s.Parent))
		}
		return nil
	case StepExec:
		return fail("execve", execve(s.Path, s.Args, environ(s.Env)))
	}
	return fail("none", fmt.Errorf("unknown kind of step %d", s.Kind))
}

// executeRlimit sets a limit, and sees that it is set, also where it seemed to
// hold: nothing later would tell.
func executeRlimit(s *Step, fail func(string, error) error) error {
	soft, hard, err := getrlimit(s.Resource)
	if err != nil {
		return fail("getrlimit", err)
	}
	if soft != s.Soft || hard != s.Hard {
		if err := setrlimit(s.Resource, s.Soft, s.Hard); err != nil {
			return fail("setrlimit", err)
		}
	}
	soft, hard, err = getrlimit(s.Resource)
	if err == nil && !(sameLimit(soft, s.Soft) && sameLimit(hard, s.Hard)) {
		err = fmt.Errorf("it is %d, at most %d", soft, hard)
	}
	return fail("getrlimit", err)
}

// sameLimit compares limits. Some kernels make 1 second of a limit of 0.
func sameLimit(got, want uint64) bool { return got == want || want == 0 && got == 1 }

// executeChroot changes the root directory, and sees that it is changed:
// nothing later would tell.
func executeChroot(path string, fail func(string, error) error) error {
	return withDirectory(path, fail, func(dir int) error {
		if err := chroot(path); err != nil {
			return fail("chroot", err)
		}
		if err := fail("chroot", isDirectory("/", dir)); err != nil {
			return err
		}
		return enter("/", dir, fail)
	})
}

// executeChdir changes the working directory, and sees that it is changed.
func executeChdir(path string, fail func(string, error) error) error {
	return withDirectory(path, fail, func(dir int) error { return enter(path, dir, fail) })
}

func enter(path string, dir int, fail func(string, error) error) error {
	if err := chdir(path); err != nil {
		return fail("chdir", err)
	}
	return fail("chdir", isDirectory(".", dir))
}

// withDirectory holds the directory at path open for as long as use takes.
func withDirectory(path string, fail func(string, error) error, use func(dir int) error) error {
	dir, err := openDirectory(path)
	if err != nil {
		return fail("open", err)
	}
	defer closeDescriptor(dir)
	return use(dir)
}

// overflowID is what the kernel shows for an id that the user namespace does not
// map: the default of /proc/sys/kernel/overflowuid and overflowgid. A process that
// shows it already may be another user. To set it changes nothing, needs no
// privilege where it is already set, and fails otherwise.
const overflowID = 65534

// mayReplaceGroups reports whether a list with the overflow id can be set again:
// unlike an id, that needs cap_setgid.
func (s *Step) mayReplaceGroups() bool {
	e, _, _, err := capget(0)
	return err == nil && e.Has(int(SETGID)) && slices.Contains(s.Groups, overflowID)
}

// sameGroups compares two group lists as the kernel keeps them: sorted.
func sameGroups(a, b []uint32) bool {
	if len(a) != len(b) {
		return false
	}
	a, b = slices.Clone(a), slices.Clone(b)
	slices.Sort(a)
	slices.Sort(b)
	return slices.Equal(a, b)
}

// executeUID changes the uids, keeps the permitted set and makes all of it
// effective again.
func executeUID(uid uint32, fail func(string, error) error) error {
	have, err := getuids()
	if err != nil || have == [4]uint32{uid, uid, uid, uid} && uid != overflowID {
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
	// The sets suffer only when the last uid 0 goes.
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

// keepPermitted changes the uids with keep-caps. Where that is locked off,
// no_setuid_fixup stands in for it until the uids are changed; so it does where
// the ambient set, which keep-caps does not keep, could not be raised again.
// Where neither can be set, the capabilities go: what needs them later fails.
func keepPermitted(uid uint32, p Mask, bits Secbits, fail func(string, error) error) error {
	setuids := func() error { return fail("setresuid", thisThread.setuids(uid)) }
	standsIn := bits&SecbitNoSetUIDFixupLocked == 0 && p.Has(int(SETPCAP))
	switch {
	case standsIn && bits&(SecbitKeepCapsLocked|SecbitNoCapAmbientRaiseLocked) != 0:
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

// withSecurebits makes a change under other securebits, and sets the old ones
// again.
func withSecurebits(have, other Secbits, fail func(string, error) error, change func() error) error {
	if err := thisThread.setSecurebits(other); err != nil {
		return fail("prctl PR_SET_SECUREBITS", err)
	}
	if err := change(); err != nil {
		return err
	}
	return fail("prctl PR_SET_SECUREBITS", thisThread.setSecurebits(have))
}

// executeAmbient makes the ambient set what is wanted. A securebit that forbids
// to raise it, and is not locked, is cleared for as long as that takes.
func executeAmbient(want Mask, fail func(string, error) error) error {
	have, err := readAmbient()
	if err != nil || have == want {
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

func changeAmbient(have, want Mask, fail func(string, error) error) error {
	if want == 0 {
		return fail("prctl PR_CAP_AMBIENT_CLEAR_ALL", thisThread.ambientClear())
	}
	for n := range (want ^ have).All() {
		v := Value(n)
		if want.Has(n) {
			if err := thisThread.ambientRaise(v); err != nil {
				return fail("prctl PR_CAP_AMBIENT_RAISE", fmt.Errorf("%v: %w", v, err))
			}
		} else if err := thisThread.ambientLower(v); err != nil {
			return fail("prctl PR_CAP_AMBIENT_LOWER", fmt.Errorf("%v: %w", v, err))
		}
	}
	return nil
}

func executeBound(drop Mask, fail func(string, error) error) error {
	have, err := readBounding()
	if err != nil {
		return fail("prctl PR_CAPBSET_READ", err)
	}
	for n := range (have & drop).All() {
		v := Value(n)
		if err := thisThread.boundingDrop(v); err != nil {
			return fail("prctl PR_CAPBSET_DROP", fmt.Errorf("%v: %w", v, err))
		}
	}
	return nil
}

// markCloseOnExec marks every descriptor above 2 close-on-exec but those to keep.
func markCloseOnExec(keep []int) error {
	keep = slices.Clone(keep)
	slices.Sort(keep)
	first := 3
	for _, fd := range keep {
		if fd > first {
			if err := closeOnExecRange(first, fd-1); err != nil {
				return err
			}
		}
		first = max(first, fd+1)
	}
	if err := closeOnExecRange(first, maxDescriptor); err != nil {
		return err
	}
	return checkCloseOnExec(keep)
}
