package engine

import (
	"errors"
	"fmt"
	"strings"
	"syscall"

	"caprun/cap"
	"caprun/engine/cred"
	"caprun/engine/machine"
)

// stepKind describes a kind of step. How a step is executed is in package cap; how it
// is predicted, in predictStep and refuseResource.
type stepKind struct {
	// name is the name of the kind in JSON.
	name string

	// keys are the profile keys that cause the step, in order of precedence. *
	// stands for the name of the resource.
	keys []string

	// needs is the capability that the kernel may require for the step; empty if
	// it requires none. The model decides whether it does in a given state.
	needs cred.Caps

	// inModel reports that the step changes credentials only, so that the model
	// decides whether it is a no-op.
	inModel bool

	// text describes a step with its arguments. If it is nil, the description is
	// that of cap.StepKind.
	text func(*Plan, Step) string

	// explain returns why the model predicts a failure although the caller has
	// the capability in needs. If it is nil, or returns nil, the message has only
	// the error number.
	explain func(*stepFailure) *stepRefusal

	// hint returns what to do about a failure that the model does not predict.
	hint func(*cap.StepError) string
}

// stepKinds has the description of each kind, in the order of a launch.
var stepKinds = [...]stepKind{
	cap.StepCloseOnExec: {
		name: "close_on_exec", keys: []string{"keep_fds"},
		text: (*Plan).describeDescriptors,
	},
	cap.StepRaise: {
		name: "raise", inModel: true,
	},
	cap.StepNewSession: {
		name: "new_session", keys: []string{"new_session"},
		text: func(*Plan, Step) string { return "leave the session, or give up the controlling terminal" },
		hint: func(*cap.StepError) string { return sessionHint },
	},
	cap.StepKeyring: {
		name: "keyring", keys: []string{"uid", "user"},
		text: (*Plan).describeKeyring,
		hint: func(*cap.StepError) string { return keyringHint },
	},
	cap.StepGroups: {
		name: "groups", keys: []string{"groups", "gid", "user"}, needs: 1 << cred.SETGID, inModel: true,
		text: (*Plan).describeGroups, explain: explainIDs, hint: idHint,
	},
	cap.StepGID: {
		name: "gid", keys: []string{"gid", "user"}, needs: 1 << cred.SETGID, inModel: true,
		text:    func(p *Plan, s Step) string { return "set gid " + p.gidText(s.ID) },
		explain: explainIDs, hint: idHint,
	},
	cap.StepChroot: {
		name: "chroot", keys: []string{"chroot"}, needs: 1 << cred.SYS_CHROOT,
		text: (*Plan).describePath,
		hint: func(*cap.StepError) string { return "create the directory, or let the caller reach it" },
	},
	cap.StepChdir: {
		name: "chdir", keys: []string{"cwd"},
		text: (*Plan).describePath,
		hint: func(*cap.StepError) string { return "create the directory, or correct cwd" },
	},
	cap.StepInheritable: {
		name: "inheritable", keys: []string{"iab", "caps", "mode", "uid", "user"}, needs: 1 << cred.SETPCAP, inModel: true,
		text: (*Plan).describeCaps, explain: explainCaps,
	},
	cap.StepBound: {
		name: "bounding", keys: []string{"iab", "caps", "mode", "uid", "user"}, needs: 1 << cred.SETPCAP, inModel: true,
		text: (*Plan).describeBound,
	},
	cap.StepUID: {
		name: "uid", keys: []string{"uid", "user"}, needs: 1 << cred.SETUID, inModel: true,
		text:    func(p *Plan, s Step) string { return "set uid " + uidText(p.Identity, s.ID) },
		explain: explainIDs, hint: idHint,
	},
	cap.StepAmbient: {
		name: "ambient", keys: []string{"iab", "caps", "mode", "uid", "user"}, needs: 1 << cred.SETPCAP, inModel: true,
		text: (*Plan).describeCaps, explain: explainAmbient, hint: ambientHint,
	},
	cap.StepSecbits: {
		name: "securebits", keys: []string{"secbits", "mode"}, needs: 1 << cred.SETPCAP, inModel: true,
		text:    func(_ *Plan, s Step) string { return "set securebits " + SecbitsText(cred.Securebits(s.Secbits)) },
		explain: explainSecbits,
	},
	cap.StepUmask: {
		name: "umask", keys: []string{"umask"},
		text: func(_ *Plan, s Step) string { return fmt.Sprintf("set umask %04o", s.Umask) },
	},
	cap.StepRlimit: {
		name: "rlimit", keys: []string{"rlimits.*"}, needs: 1 << sysResource,
		text: (*Plan).describeRlimit,
		hint: func(*cap.StepError) string {
			return "declare no more than the caller's hard limit, or start caprun with cap_sys_resource"
		},
	},
	cap.StepFinal: {
		name: "final", keys: []string{"caps", "iab", "mode", "uid", "user"}, inModel: true,
		text: (*Plan).describeCaps, explain: explainCaps,
	},
	cap.StepNoNewPrivs: {
		name: "no_new_privs", keys: []string{"no_new_privs", "mode"}, inModel: true,
	},
	cap.StepDeathSignal: {
		name: "death_signal",
		text: (*Plan).describeDeathSignal, hint: deathSignalHint,
	},
	cap.StepExec: {
		name: "exec", keys: []string{"command"},
		text: func(_ *Plan, s Step) string { return "exec " + s.Path },
		hint: func(failed *cap.StepError) string { return execHint(failed.Err) },
	},
}

// kindOf returns the description of a kind; an empty one for an unknown kind.
func kindOf(k cap.StepKind) *stepKind {
	if uint(k) >= uint(len(stepKinds)) {
		return &stepKind{}
	}
	return &stepKinds[k]
}

// neededCaps returns every capability that some kind of step may need.
func neededCaps() cred.Caps {
	var caps cred.Caps
	for n := range stepKinds {
		caps = caps.Union(stepKinds[n].needs)
	}
	return caps
}

// Name returns the name of the kind in the JSON form of a plan, such as "bounding".
// It is empty for an unknown kind.
func (s Step) Name() string { return kindOf(s.Kind).name }

// origin returns the profile key that causes a step; empty for a step that is part of
// every launch.
func (c *compiler) origin(s *cap.Step) string {
	for _, key := range kindOf(s.Kind).keys {
		if key := strings.Replace(key, "*", machine.RlimitName(s.Resource), 1); c.Profile.Has(key) {
			return key
		}
	}
	return ""
}

// stepHint returns what to do about a failure that the model did not predict; empty if
// nothing is known to help.
func stepHint(failed *cap.StepError) string {
	if hint := kindOf(failed.Step.Kind).hint; hint != nil {
		return hint(failed)
	}
	return ""
}

func idHint(failed *cap.StepError) string {
	// Without /proc the model assumes that every ID is mapped.
	if errors.Is(failed.Err, syscall.EINVAL) {
		return "map the ID in this user namespace, or declare a mapped ID"
	}
	if errors.Is(failed.Err, syscall.EPERM) && failed.Step.Kind != cap.StepGroups && failed.Step.ID == cred.OverflowID {
		return "start caprun as a user that the user namespace maps: the kernel shows this ID for an unmapped one"
	}
	return ""
}

func ambientHint(failed *cap.StepError) string {
	if errors.Is(failed.Err, syscall.EINVAL) {
		return "use Linux 4.3 or later, which has ambient capabilities"
	}
	return ""
}

func deathSignalHint(failed *cap.StepError) string {
	if failed.Call == "getppid" {
		return "start caprun from a process that keeps running: its parent process has ended"
	}
	return ""
}
