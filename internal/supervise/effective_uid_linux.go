package supervise

import (
	"errors"
	"fmt"
	"syscall"

	"caprun/cap"
	"caprun/engine/machine"
	"caprun/policy"

	"golang.org/x/sys/unix"
)

// permitSignals lets a supervisor without cap_kill send signals to a target of another
// user. It sets the effective uid, which the kernel compares (kill_ok_by_cred), to the
// uid of the target. The kernel checks the parent-death signal in the same way. The
// real and the saved uid do not change: the target can neither send signals to the
// supervisor nor trace it. It can change the priority and the CPU affinity of the
// supervisor, for which the kernel compares the effective uid.
func permitSignals(r Request) error {
	if r.From.Permitted.Has(int(cap.KILL)) {
		return nil
	}
	p, _ := policy.Read(r.Profile, r.Text)
	if p == nil {
		return nil // the child reports why
	}
	accounts, err := machine.LookupAccounts(p)
	if err != nil {
		return nil // the child reports why
	}
	uid := machine.TargetIdentity(p, r.From, accounts).UID
	if uid == r.From.UID || uid == r.From.EUID || !r.From.Permitted.Has(int(cap.SETUID)) {
		return nil // the child cannot become another user, and reports it
	}
	return setEffectiveUID(uid, r.Death)
}

// setEffectiveUID changes the effective uid of every thread, and sets the parent-death
// signal of the caller again, which the change clears.
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

// checkDeathSignal checks that the supervisor still has the parent-death signal that it
// was started with. If there is one, it also checks that the parent has not ended, which
// it may have while the signal was cleared.
func checkDeathSignal(death machine.DeathSignal) error {
	now, err := machine.CurrentDeathSignal()
	switch {
	case err != nil:
		return err
	case now.Signal != death.Signal:
		return fmt.Errorf("prctl PR_GET_PDEATHSIG: signal is %d, not %d", now.Signal, death.Signal)
	case death.Signal != 0 && now.Parent != death.Parent:
		return errors.New("the caller has ended, and set a parent-death signal to end caprun with it")
	}
	return nil
}
