package main

import (
	"errors"
	"fmt"

	"caprun/cap"

	"golang.org/x/sys/unix"
)

// keepKillOnly leaves the process cap_kill, if it has it: a target of another
// user could not be sent signals without it. Every other capability leaves the
// permitted, inheritable and ambient sets, and the bounding set where
// cap_setpcap allows it; no exec brings one back.
//
// What it still has, the target may lack: the root directory, the groups and the
// limits of the caller. So the target cannot trace it, nor look into its
// directory below /proc: it is not dumpable, ptrace(2).
func keepKillOnly() error {
	own, err := cap.GetPID(0)
	if err != nil {
		return err
	}
	// An empty tuple inherits nothing and keeps the bounding set.
	tuple := cap.NewIAB()
	canDrop, err := own.GetFlag(cap.Permitted, cap.SETPCAP)
	if err != nil {
		return err
	}
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
	canKill, err := own.GetFlag(cap.Permitted, cap.KILL)
	if err != nil {
		return err
	}
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
	return checkKillOnly(rest)
}

// checkKillOnly sees that it had an effect: nothing later would tell.
func checkKillOnly(want *cap.Set) error {
	got, err := cap.GetPID(0)
	if err != nil {
		return err
	}
	if differs, err := got.Cf(want); err != nil || differs != 0 {
		return errors.Join(fmt.Errorf("it still has %v", got), err)
	}
	dumpable, err := cap.Prctl(unix.PR_GET_DUMPABLE)
	if err != nil {
		return fmt.Errorf("prctl PR_GET_DUMPABLE: %w", err)
	}
	if dumpable != 0 {
		return errors.New("it can still be traced")
	}
	return nil
}
