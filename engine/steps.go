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

// stepKind is what is known of a kind of step beside how it is executed, which is
// in package cap, and predicted, which is in predictStep and refuses.
type stepKind struct {
	// name is the word for the kind in JSON.
	name string

	// keys are those keys of a profile that ask for the step: it comes from the
	// first one that the profile has. * stands for the name of the resource.
	keys []string

	// needs is the capability that the kernel may require for the step, empty
	// for none. Whether it does in a given state is a question to the model.
	needs cred.Caps

	// inModel tells that the step changes credentials alone, so that the model
	// can tell a step that changes nothing.
	inModel bool

	// text describes a step with its arguments; nil where the words of
	// cap.StepKind are enough.
	text func(*Plan, Step) string

	// explain explains a failure that the model predicts although the caller
	// has the capability that the step needs. Where it is nil, or returns nil,
	// the error number has to do.
	explain func(*stepFailure) *stepRefusal

	// hint says what to do about a failure that the model cannot foresee; nil
	// where nothing is known that helps.
	hint func(*cap.StepError) string
}

// stepKinds describes each kind of step, in the order of a launch.
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
		hint: func(*cap.StepError) string { return "the directory must exist and be reachable" },
	},
	cap.StepChdir: {
		name: "chdir", keys: []string{"cwd"},
		text: (*Plan).describePath,
		hint: func(*cap.StepError) string { return "the directory must exist inside the root directory" },
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
			return "a hard limit can be raised only with cap_sys_resource: declare no more than the caller has"
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

// kindOf returns the row of a kind, an empty one for an unknown kind.
func kindOf(k cap.StepKind) *stepKind {
	if uint(k) >= uint(len(stepKinds)) {
		return &stepKind{}
	}
	return &stepKinds[k]
}

// neededCaps returns the capabilities that steps may need.
func neededCaps() cred.Caps {
	var caps cred.Caps
	for n := range stepKinds {
		caps = caps.Union(stepKinds[n].needs)
	}
	return caps
}

// Name returns the word for the kind of a step in the JSON form of a plan:
// "bounding". It is empty for an unknown kind.
func (s Step) Name() string { return kindOf(s.Kind).name }

// origin returns the key of the profile that a step comes from; empty for a step
// of every launch.
func (c *compiler) origin(s *cap.Step) string {
	for _, key := range kindOf(s.Kind).keys {
		if key := strings.Replace(key, "*", machine.RlimitName(s.Resource), 1); c.Profile.Has(key) {
			return key
		}
	}
	return ""
}

// stepHint says what to do about a step whose failure the model cannot foresee.
func stepHint(failed *cap.StepError) string {
	if hint := kindOf(failed.Step.Kind).hint; hint != nil {
		return hint(failed)
	}
	return ""
}

func idHint(failed *cap.StepError) string {
	// Without /proc the model takes every id to be mapped.
	if errors.Is(failed.Err, syscall.EINVAL) {
		return "in a user namespace it must be mapped: map it, or declare an id that is mapped"
	}
	if errors.Is(failed.Err, syscall.EPERM) && failed.Step.Kind != cap.StepGroups && failed.Step.ID == cred.OverflowID {
		return "the caller shows this id without having it: the user namespace does not map its own; start caprun there as a user that is mapped"
	}
	return ""
}

func ambientHint(failed *cap.StepError) string {
	if errors.Is(failed.Err, syscall.EINVAL) {
		return "this kernel may not have ambient capabilities (Linux 4.3 and later have them)"
	}
	return ""
}

func deathSignalHint(failed *cap.StepError) string {
	if failed.Call == "getppid" {
		return "the process that the target must not outlive has ended, so the target is not started"
	}
	return ""
}
