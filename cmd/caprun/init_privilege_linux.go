package main

import (
	"errors"
	"fmt"
	"os"
	"strings"

	"caprun/cap"
	"caprun/engine"
	"caprun/engine/cred"

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
func keepKillOnly(from cred.Cred) error {
	own, err := cap.GetPID(0)
	if err != nil {
		return err
	}
	// It was read twice by now; what either says is there is given up.
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
	return checkKillOnly(canKill, canDrop)
}

// checkKillOnly sees that it had an effect: nothing later would tell.
func checkKillOnly(canKill, canDrop bool) error {
	own, err := engine.Current()
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
		return fmt.Errorf("it still has capabilities: %s permitted, %s effective, %s inheritable, %s ambient", own.Permitted,
			own.Effective, own.Inheritable, own.Ambient)
	case canDrop && own.Bounding != 0:
		return fmt.Errorf("its bounding set still has %s", own.Bounding)
	case !own.NoNewPrivs:
		return errors.New("no_new_privs is not set")
	}
	return checkThreads(own)
}

// checkThreads sees that every thread has the credentials of the calling one.
// Without /proc nothing tells.
func checkThreads(own cred.Cred) error {
	p, err := engine.ReadProcess(os.Getpid())
	if errors.Is(err, engine.ErrNoProc) {
		return nil
	}
	if err != nil {
		return err
	}
	own.UserNS, own.Securebits = cred.UserNS{}, 0 // are not to be had there
	for _, s := range p.States {
		if !s.Cred.Equal(own) {
			return fmt.Errorf("thread %d differs: %s", s.Threads[0], strings.Join(s.Cred.Diff(own), ", "))
		}
	}
	return nil
}
