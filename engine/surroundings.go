package engine

import (
	"fmt"
	"slices"

	"caprun/cap"
	"caprun/engine/cred"
	"caprun/policy"
)

// Surroundings are what a caller has beside its credentials and a step of a
// launch depends on, as far as a profile asks for it. ReadSurroundings reads
// those of the calling process. What is nil is not known.
type Surroundings struct {
	limits      map[int]limit
	keepsLimits bool   // cap_sys_resource, which raises a hard limit, cannot be held
	nrOpen      uint64 // fs.nr_open; 0 where it is not known
	descriptors map[int]descriptor
	terminal    *terminal
}

// limit is a resource limit; policy.Unlimited is none.
type limit struct{ soft, hard uint64 }

// descriptor is what a descriptor number stands for.
type descriptor struct{ open, closeOnExec, directory bool }

// terminal is how far a process can know and give up its controlling terminal.
type terminal struct {
	leader   bool // of a process group: it cannot start a session
	asked    bool // /dev/tty tells whether there is one
	standard bool // it is one of the standard descriptors
	listed   bool // the proc file system tells whether there is one,
	none     bool // and there is none
}

// stepRefusal says why a step will fail, for a reason beside the credentials.
type stepRefusal struct {
	rule      rule
	key, what string // empty for those of the step
	why, hint string
	needs     cred.Caps // with which it would not fail
}

// refuses returns why a step will fail in a state; nil where nothing is known to
// be in its way.
func (a *Surroundings) refuses(c cred.Cred, p *policy.Profile, s *cap.Step) *stepRefusal {
	if a == nil {
		return nil
	}
	switch s.Kind {
	case cap.StepCloseOnExec:
		return a.refusesDescriptors(s.Keep)
	case cap.StepNewSession:
		return a.refusesSession()
	case cap.StepChroot:
		return a.refusesStandard(p)
	case cap.StepRlimit:
		return a.refusesLimit(c, s)
	}
	return nil
}

// refusesLimit is do_prlimit of kernel/sys.c.
func (a *Surroundings) refusesLimit(c cred.Cred, s *cap.Step) *stepRefusal {
	have, ok := a.limits[s.Resource]
	if !ok || have == (limit{s.Soft, s.Hard}) {
		return nil
	}
	name := rlimitName(s.Resource)
	has := fmt.Sprintf("the caller has %s, at most %s", LimitText(have.soft), LimitText(have.hard))
	key := "rlimits." + name
	if name == "nofile" && a.nrOpen != 0 && s.Hard > a.nrOpen {
		return &stepRefusal{rule: ruleCaller, key: key,
			why:  fmt.Sprintf("fs.nr_open allows no more than %d (%s)", a.nrOpen, has),
			hint: fmt.Sprintf("declare at most %d, or raise it: sysctl fs.nr_open=%s", a.nrOpen, LimitText(s.Hard))}
	}
	able := c.Effective.Has(sysResource) && !c.UserNS.Nested && !a.keepsLimits
	if s.Hard <= have.hard || able {
		return nil
	}
	needs, held := "needs cap_sys_resource", "held: "+c.Permitted.String()
	switch {
	case a.keepsLimits:
		held = "no process here can hold it"
	case c.UserNS.Nested:
		needs += " in the initial user namespace"
	}
	return &stepRefusal{rule: ruleMissing, key: key, needs: cred.CapsOf(sysResource),
		why: fmt.Sprintf("%v: a higher hard limit %s (%s; %s)", cred.EPERM, needs, has, held),
		hint: fmt.Sprintf("declare at most %s, give the caller a hard limit of %s (a container: ulimits), or start caprun with cap_sys_resource",
			LimitText(have.hard), LimitText(s.Hard))}
}

const sysResource = int(cap.SYS_RESOURCE)

func (a *Surroundings) refusesDescriptors(keep []int) *stepRefusal {
	if a.descriptors == nil {
		return nil
	}
	for n, fd := range keep {
		r := &stepRefusal{rule: ruleCaller, key: fmt.Sprintf("keep_fds[%d]", n), what: fmt.Sprintf("keep descriptor %d", fd)}
		switch d := a.descriptors[fd]; {
		case !d.open:
			r.why, r.hint = "it is not open", "open it before caprun starts"
			return r
		case d.closeOnExec:
			// Perhaps the Go runtime's own, in place of one that was not open.
			r.why, r.hint = "it is not open, or close-on-exec", "open it without that flag before caprun starts"
			return r
		}
	}
	return nil
}

// refusesStandard refuses a directory as a standard descriptor of a target with
// another root directory: it leads out of that, and no profile declares it.
func (a *Surroundings) refusesStandard(p *policy.Profile) *stepRefusal {
	if p.Chroot == "/" {
		return nil
	}
	for fd := range 3 {
		if a.descriptors[fd].directory {
			return &stepRefusal{rule: ruleCaller, key: "chroot", what: fmt.Sprintf("pass on descriptor %d", fd),
				why: "it is a directory, which leads out of the root directory", hint: "open a file or the null device there"}
		}
	}
	return nil
}

// refusesSession is executeSession of package cap.
func (a *Surroundings) refusesSession() *stepRefusal {
	t := a.terminal
	if t == nil || t.asked || t.leader && t.standard || t.listed && (t.none || !t.leader) {
		return nil
	}
	return &stepRefusal{rule: ruleCaller, key: "new_session",
		why: "whether the caller has a controlling terminal cannot be told: neither /dev/tty nor /proc/self/stat says", hint: sessionHint}
}

// sessionHint says what the step needs that leaves the terminal.
const sessionHint = "start caprun where /dev/tty and /proc can be reached, from a process that leads no process group, or leave new_session out"

// watchedDescriptors returns the descriptors that a profile makes matter.
func watchedDescriptors(p *policy.Profile) []int {
	list := slices.Clone(p.KeepFDs)
	if p.Chroot != "" {
		list = append(list, 0, 1, 2)
	}
	return list
}
