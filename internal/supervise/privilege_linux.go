package supervise

import (
	"errors"
	"fmt"
	"os"
	"strings"

	"caprun/cap"
	"caprun/engine/cred"
	"caprun/engine/machine"

	"golang.org/x/sys/unix"
)

// dropPrivilege leaves the process cap_kill, if it has it: without it, it could not
// send signals to a target of another user. Every other capability leaves the
// permitted, inheritable and ambient sets, and the bounding set where
// cap_setpcap allows it; no exec brings one back.
//
// The process still has what the target may lack: the root directory, the groups and
// the limits of the caller. It becomes undumpable, so that the target cannot trace
// it, nor read its directory below /proc: ptrace(2).
func dropPrivilege(from cred.Cred) error {
	own, err := cap.GetPID(0)
	if err != nil {
		return err
	}
	// The state was read twice: drop what one of the two reports.
	has := func(v cap.Value) bool {
		held, err := own.GetFlag(cap.Permitted, v)
		return err == nil && held || from.Permitted.Has(int(v))
	}
	canKill, canDrop := has(cap.KILL), has(cap.SETPCAP)
	// An empty tuple inherits nothing and keeps the bounding set.
	tuple := cap.NewIAB()
	if canDrop {
		for v := range cap.MaxBits() {
			if err := tuple.SetVector(cap.Bound, true, v); err != nil {
				return err
			}
		}
	}
	if err := tuple.SetProc(); err != nil {
		return err
	}
	if _, err := cap.Prctlw(unix.PR_SET_NO_NEW_PRIVS, 1); err != nil {
		return err
	}
	rest := cap.NewSet()
	for _, flag := range []cap.Flag{cap.Permitted, cap.Effective} {
		if err := rest.SetFlag(flag, canKill, cap.KILL); err != nil {
			return err
		}
	}
	if err := rest.SetProc(); err != nil {
		return err
	}
	if _, err := cap.Prctl(unix.PR_SET_DUMPABLE, 0); err != nil {
		return fmt.Errorf("prctl PR_SET_DUMPABLE: %w", err)
	}
	return verifyPrivilege(canKill, canDrop)
}

// verifyPrivilege verifies the change; no later step would notice a failure.
func verifyPrivilege(canKill, canDrop bool) error {
	own, err := machine.CurrentCred()
	if err != nil {
		return err
	}
	var keeps cred.Caps
	if canKill {
		keeps = keeps.With(int(cap.KILL))
	}
	dumpable, err := cap.Prctl(unix.PR_GET_DUMPABLE)
	switch {
	case err != nil:
		return fmt.Errorf("prctl PR_GET_DUMPABLE: %w", err)
	case dumpable != 0:
		return errors.New("it can still be traced")
	case own.Permitted != keeps, own.Effective != keeps, own.Inheritable != 0, own.Ambient != 0:
		return fmt.Errorf("it still has capabilities: %s permitted, %s effective, %s inheritable, %s ambient", own.Permitted.String(),
			own.Effective.String(), own.Inheritable.String(), own.Ambient.String())
	case canDrop && own.Bounding != 0:
		return fmt.Errorf("its bounding set still has %s", own.Bounding.String())
	case !own.NoNewPrivs:
		return errors.New("no_new_privs is not set")
	}
	return verifyThreads(own)
}

// verifyThreads verifies that every thread has the credentials of the calling one.
// Without /proc it cannot read them, and returns nil.
func verifyThreads(own cred.Cred) error {
	p, err := machine.ReadProcess(os.Getpid())
	if errors.Is(err, machine.ErrNoProc) {
		return nil
	}
	if err != nil {
		return err
	}
	own.UserNS, own.Securebits = cred.UserNS{}, 0 // /proc does not show them
	for _, s := range p.States {
		if !s.Cred.Equal(own) {
			return fmt.Errorf("thread %d differs: %s", s.Threads[0], strings.Join(s.Cred.Diff(own), ", "))
		}
	}
	return nil
}
