package supervise

import (
	"errors"
	"fmt"
	"os"
	"strings"

	"caprun/cap"
	"caprun/engine"
	"caprun/engine/cred"
	"caprun/engine/machine"

	"golang.org/x/sys/unix"
)

// dropPrivilege drops every capability from every set, with two exceptions. cap_kill
// stays permitted and effective if it was permitted, for signals to a target of another
// user. The bounding set changes only with cap_setpcap. dropPrivilege also sets
// no_new_privs, so no exec grants a capability again.
//
// The process still has the root directory, the groups and the limits of the caller,
// which the target may lack. It becomes undumpable: the target can neither trace it nor
// read its directory in /proc, ptrace(2).
func dropPrivilege(from cred.Cred) error {
	own, err := cap.GetPID(0)
	if err != nil {
		return err
	}
	// The state was read twice; one result with the capability is enough.
	has := func(v cap.Value) bool {
		permitted, err := own.GetFlag(cap.Permitted, v)
		return err == nil && permitted || from.Permitted.Has(int(v))
	}
	canKill, canDrop := has(cap.KILL), has(cap.SETPCAP)
	// A new tuple clears the inheritable and ambient sets and keeps the bounding set.
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
	kept := cap.NewSet()
	for _, flag := range []cap.Flag{cap.Permitted, cap.Effective} {
		if err := kept.SetFlag(flag, canKill, cap.KILL); err != nil {
			return err
		}
	}
	if err := kept.SetProc(); err != nil {
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
	var kept cred.Caps
	if canKill {
		kept = kept.With(int(cap.KILL))
	}
	dumpable, err := cap.Prctl(unix.PR_GET_DUMPABLE)
	switch {
	case err != nil:
		return fmt.Errorf("prctl PR_GET_DUMPABLE: %w", err)
	case dumpable != 0:
		return errors.New("the supervisor is still dumpable")
	case own.Permitted != kept, own.Effective != kept, own.Inheritable != 0, own.Ambient != 0:
		return fmt.Errorf("the supervisor still has capabilities: permitted %s, effective %s, inheritable %s, ambient %s", own.Permitted.String(),
			own.Effective.String(), own.Inheritable.String(), own.Ambient.String())
	case canDrop && own.Bounding != 0:
		return fmt.Errorf("the bounding set still has %s", own.Bounding.String())
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
			fields := s.Cred.Diff(own)
			for n := range fields {
				fields[n] = engine.FieldName(fields[n])
			}
			return fmt.Errorf("thread %d differs: %s", s.Threads[0], strings.Join(fields, ", "))
		}
	}
	return nil
}
