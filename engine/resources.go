package engine

import (
	"fmt"

	"caprun/cap"
	"caprun/engine/cred"
	"caprun/engine/machine"
	"caprun/policy"
)

// stepRefusal says why a step fails, and what to do.
type stepRefusal struct {
	rule         rule
	key, subject string // if empty, those of the step
	why, hint    string
}

// refuseResource returns why step s fails in the state c because of the resources r;
// nil if they do not make it fail, or if r is nil.
func refuseResource(r *machine.Resources, c cred.Cred, p *policy.Profile, s *cap.Step) *stepRefusal {
	if r == nil {
		return nil
	}
	switch s.Kind {
	case cap.StepCloseOnExec:
		return refuseDescriptors(r, s.Keep)
	case cap.StepNewSession:
		return refuseSession(r)
	case cap.StepKeyring:
		return refuseKeyring(r, p)
	case cap.StepChroot:
		return refuseStandard(r, p)
	case cap.StepRlimit:
		return refuseLimit(r, c, p, s)
	}
	return nil
}

// maxNrOpen is the greatest value of fs.nr_open on a 64-bit machine:
// sysctl_nr_open_max (fs/file.c).
const maxNrOpen = 0x7fffffc0

// refuseLimit refuses a limit that the kernel does not allow.
//
// Kernel: do_prlimit (kernel/sys.c).
func refuseLimit(r *machine.Resources, c cred.Cred, p *policy.Profile, s *cap.Step) *stepRefusal {
	now, ok := r.Limits[s.Resource]
	if !ok || now == (machine.Limit{Soft: s.Soft, Hard: s.Hard}) {
		return nil
	}
	name := machine.RlimitName(s.Resource)
	limit := fmt.Sprintf("caller's limit: soft %s, hard %s", policy.LimitText(now.Soft), policy.LimitText(now.Hard))
	key := "rlimits." + name
	// lowerHard is the hint to declare a hard limit of at most that.
	lowerHard := func(most uint64) string {
		l := p.Rlimit(name)
		l.Soft, l.Hard, l.InheritHard = min(l.Soft, most), most, false
		return "write " + LimitEntry(l)
	}
	if name == "nofile" && r.NrOpen != 0 && s.Hard > r.NrOpen {
		hint := lowerHard(r.NrOpen)
		if s.Hard <= maxNrOpen {
			hint += fmt.Sprintf(", or raise fs.nr_open: sysctl fs.nr_open=%d", s.Hard)
		}
		return &stepRefusal{rule: ruleCaller, key: key,
			why: fmt.Sprintf("fs.nr_open allows no more than %d (%s)", r.NrOpen, limit), hint: hint}
	}
	able := c.Effective.Has(sysResource) && !c.UserNS.Nested && !r.HardLimitsFixed
	if s.Hard <= now.Hard || able {
		return nil
	}
	needs, has := "needs cap_sys_resource", "caller has: "+c.Permitted.String()
	switch {
	case r.HardLimitsFixed:
		has = "no process here can have it"
	case c.UserNS.Nested:
		needs += " in the initial user namespace"
	}
	return &stepRefusal{rule: ruleMissing, key: key,
		why:  fmt.Sprintf("%v: raising the hard limit %s (%s; %s)", cred.EPERM, needs, has, limit),
		hint: lowerHard(now.Hard) + ", or raise the caller's hard limit to " + policy.LimitText(s.Hard) + " (in a container: ulimits), or start caprun with cap_sys_resource"}
}

const sysResource = int(cap.SYS_RESOURCE)

// refuseDescriptors refuses a descriptor to keep that is not open, or that exec closes.
func refuseDescriptors(r *machine.Resources, keep []int) *stepRefusal {
	if r.Descriptors == nil {
		return nil
	}
	for n, fd := range keep {
		refusal := &stepRefusal{rule: ruleCaller, key: fmt.Sprintf("keep_fds[%d]", n), subject: fmt.Sprintf("keep descriptor %d", fd)}
		switch d := r.Descriptors[fd]; {
		case !d.Open:
			refusal.why, refusal.hint = "not open", "open it before caprun starts"
			return refusal
		case d.CloseOnExec:
			// A number that was not open may now be a descriptor of the Go runtime.
			refusal.why, refusal.hint = "not open, or close-on-exec", "open it without O_CLOEXEC before caprun starts"
			return refusal
		}
	}
	return nil
}

// refuseStandard refuses a directory as a standard descriptor of a target with another
// root directory: the target could leave the root directory through it.
func refuseStandard(r *machine.Resources, p *policy.Profile) *stepRefusal {
	if p.Chroot == "/" {
		return nil
	}
	for fd := range 3 {
		if r.Descriptors[fd].Directory {
			return &stepRefusal{rule: ruleCaller, key: "chroot", subject: fmt.Sprintf("pass on descriptor %d", fd),
				why: "it is a directory, through which the target could leave the root directory", hint: "redirect it to a file or /dev/null"}
		}
	}
	return nil
}

// refuseSession refuses a caller of which executeSession in package cap cannot
// determine whether it has a controlling terminal.
func refuseSession(r *machine.Resources) *stepRefusal {
	t := r.Terminal
	if t == nil || t.DevTTY || t.GroupLeader && t.OnStandardFD || t.InProc && (t.ProcNone || !t.GroupLeader) {
		return nil
	}
	return &stepRefusal{rule: ruleCaller, key: "new_session",
		why: "cannot determine whether the caller has a controlling terminal: neither /dev/tty nor /proc/self/stat is usable", hint: sessionHint}
}

// sessionHint is the hint for a step that cannot leave the session.
const sessionHint = "provide /dev/tty or mount /proc, start caprun in a process that does not lead its process group, or remove new_session"
