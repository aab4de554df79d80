package engine

import (
	"fmt"

	"caprun/cap"
	"caprun/engine/cred"
	"caprun/engine/machine"
	"caprun/policy"
)

// stepRefusal says why a step will fail, for a reason beside the credentials.
type stepRefusal struct {
	rule      rule
	key, what string // empty for those of the step
	why, hint string
}

// refuseResource returns why a step will fail in a state, for a caller with these
// surroundings; nil where nothing is known to be in its way.
func refuseResource(a *machine.Resources, c cred.Cred, p *policy.Profile, s *cap.Step) *stepRefusal {
	if a == nil {
		return nil
	}
	switch s.Kind {
	case cap.StepCloseOnExec:
		return refuseDescriptors(a, s.Keep)
	case cap.StepNewSession:
		return refuseSession(a)
	case cap.StepKeyring:
		return refuseKeyring(a, p)
	case cap.StepChroot:
		return refuseStandard(a, p)
	case cap.StepRlimit:
		return refuseLimit(a, c, s)
	}
	return nil
}

// refuseLimit is do_prlimit of kernel/sys.c.
func refuseLimit(a *machine.Resources, c cred.Cred, s *cap.Step) *stepRefusal {
	have, ok := a.Limits[s.Resource]
	if !ok || have == (machine.Limit{Soft: s.Soft, Hard: s.Hard}) {
		return nil
	}
	name := machine.RlimitName(s.Resource)
	has := fmt.Sprintf("the caller has %s, at most %s", LimitText(have.Soft), LimitText(have.Hard))
	key := "rlimits." + name
	if name == "nofile" && a.NrOpen != 0 && s.Hard > a.NrOpen {
		return &stepRefusal{rule: ruleCaller, key: key,
			why:  fmt.Sprintf("fs.nr_open allows no more than %d (%s)", a.NrOpen, has),
			hint: fmt.Sprintf("declare at most %d, or raise it: sysctl fs.nr_open=%s", a.NrOpen, LimitText(s.Hard))}
	}
	able := c.Effective.Has(sysResource) && !c.UserNS.Nested && !a.HardLimitsFixed
	if s.Hard <= have.Hard || able {
		return nil
	}
	needs, held := "needs cap_sys_resource", "held: "+c.Permitted.String()
	switch {
	case a.HardLimitsFixed:
		held = "no process here can hold it"
	case c.UserNS.Nested:
		needs += " in the initial user namespace"
	}
	return &stepRefusal{rule: ruleMissing, key: key,
		why: fmt.Sprintf("%v: a higher hard limit %s (%s; %s)", cred.EPERM, needs, has, held),
		hint: fmt.Sprintf("declare at most %s, give the caller a hard limit of %s (a container: ulimits), or start caprun with cap_sys_resource",
			LimitText(have.Hard), LimitText(s.Hard))}
}

const sysResource = int(cap.SYS_RESOURCE)

func refuseDescriptors(a *machine.Resources, keep []int) *stepRefusal {
	if a.Descriptors == nil {
		return nil
	}
	for n, fd := range keep {
		r := &stepRefusal{rule: ruleCaller, key: fmt.Sprintf("keep_fds[%d]", n), what: fmt.Sprintf("keep descriptor %d", fd)}
		switch d := a.Descriptors[fd]; {
		case !d.Open:
			r.why, r.hint = "it is not open", "open it before caprun starts"
			return r
		case d.CloseOnExec:
			// Perhaps the Go runtime's own, in place of one that was not open.
			r.why, r.hint = "it is not open, or close-on-exec", "open it without that flag before caprun starts"
			return r
		}
	}
	return nil
}

// refuseStandard refuses a directory as a standard descriptor of a target with
// another root directory: it leads out of that, and no profile declares it.
func refuseStandard(a *machine.Resources, p *policy.Profile) *stepRefusal {
	if p.Chroot == "/" {
		return nil
	}
	for fd := range 3 {
		if a.Descriptors[fd].Directory {
			return &stepRefusal{rule: ruleCaller, key: "chroot", what: fmt.Sprintf("pass on descriptor %d", fd),
				why: "it is a directory, which leads out of the root directory", hint: "open a file or the null device there"}
		}
	}
	return nil
}

// refuseSession is executeSession of package cap.
func refuseSession(a *machine.Resources) *stepRefusal {
	t := a.Terminal
	if t == nil || t.DevTTY || t.GroupLeader && t.OnStandardFD || t.InProc && (t.ProcNone || !t.GroupLeader) {
		return nil
	}
	return &stepRefusal{rule: ruleCaller, key: "new_session",
		why: "whether the caller has a controlling terminal cannot be told: neither /dev/tty nor /proc/self/stat says", hint: sessionHint}
}

// sessionHint says what the step needs that leaves the terminal.
const sessionHint = "start caprun where /dev/tty and /proc can be reached, from a process that leads no process group, or leave new_session out"
