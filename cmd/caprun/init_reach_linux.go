package main

import (
	"errors"
	"fmt"
	"syscall"

	"caprun/cap"
	"caprun/engine"
	"caprun/engine/cred"
	"caprun/engine/machine"
	"caprun/policy"

	"golang.org/x/sys/unix"
)

// reachTarget lets a supervisor without cap_kill send signals to a target of
// another user. For the kernel that is one whose uid is the effective uid of the
// sender: kill_ok_by_cred, which the parent-death signal has to pass too. The
// real and the saved uid stay, so the target can neither send signals to the
// supervisor nor trace it. It may change its priority and its processors, which
// is asked of the effective uid.
func reachTarget(o order, from cred.Cred, death machine.DeathSignal) error {
	if from.Permitted.Has(int(cap.KILL)) {
		return nil
	}
	p, _ := policy.Read(o.Profile, o.Text)
	if p == nil {
		return nil // the child says why
	}
	uid, err := engine.TargetUID(p, from)
	if err != nil || uid == from.UID || uid == from.EUID || !from.Permitted.Has(int(cap.SETUID)) {
		return nil // the child cannot become another user, and says so
	}
	return setEffectiveUID(uid, death)
}

// setEffectiveUID changes the effective uid of every thread. The change clears
// the parent-death signal of the caller: it is set again.
func setEffectiveUID(uid uint32, death machine.DeathSignal) error {
	if err := syscall.Setresuid(-1, int(uid), -1); err != nil {
		return fmt.Errorf("setresuid: %w", err)
	}
	if _, effective, _ := unix.Getresuid(); uint32(effective) != uid {
		return fmt.Errorf("setresuid: the effective uid is %d, not %d", effective, uid)
	}
	if err := unix.Prctl(unix.PR_SET_PDEATHSIG, uintptr(death.Signal), 0, 0, 0); err != nil {
		return fmt.Errorf("prctl PR_SET_PDEATHSIG: %w", err)
	}
	return nil
}

// checkCaller checks that the supervisor has the parent-death signal that it was
// started with, and that the parent has not ended, perhaps while there was none.
func checkCaller(death machine.DeathSignal) error {
	now, err := machine.CurrentDeathSignal()
	switch {
	case err != nil:
		return err
	case now.Signal != death.Signal:
		return fmt.Errorf("prctl PR_GET_PDEATHSIG: it is %d, not %d", now.Signal, death.Signal)
	case death.Signal != 0 && now.Parent != death.Parent:
		return errors.New("the caller has ended, and it was asked for that caprun ends then too")
	}
	return nil
}
