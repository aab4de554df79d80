package review

import (
	"caprun/cap"
	"caprun/engine"
	"caprun/policy"
)

// limitWithoutEffect finds limits that do not limit this target.
func limitWithoutEffect(p *engine.Plan, say func(policy.Position, string, string)) {
	if p.After.Permitted.Has(int(cap.SYS_RESOURCE)) && !changesUser(p) {
		sayRaised(p, say)
		return
	}
	for _, limit := range p.Profile.Rlimits {
		if limit.Soft == policy.Unlimited {
			continue
		}
		if why, instead := unenforced(p, limit.Name); why != "" {
			say(p.Profile.Position("rlimits."+limit.Name), limit.Name+" does not limit the target: "+why, instead)
		}
	}
}

// sayRaised says once of all limits what is true of each.
func sayRaised(p *engine.Plan, say func(policy.Position, string, string)) {
	count, last := 0, ""
	for _, limit := range p.Profile.Rlimits {
		if limit.Hard != policy.Unlimited {
			count, last = count+1, limit.Name
		}
	}
	switch count {
	case 0:
	case 1:
		say(p.Profile.Position("rlimits."+last), last+" does not limit the target: with cap_sys_resource it can raise the limit", raisedHint)
	default:
		say(p.Profile.KeyPosition("rlimits"), "these do not limit the target: with cap_sys_resource it can raise each of them", raisedHint)
	}
}

const raisedHint = "take cap_sys_resource out of caps; where the target needs it, let a cgroup limit what it takes"

// unenforced says why the kernel does not hold the target to a limit, and what
// to do instead. Who becomes another user by itself is held to most of them
// then.
func unenforced(p *engine.Plan, name string) (why, instead string) {
	holds := func(v cap.Value) bool { return p.After.Permitted.Has(int(v)) && !changesUser(p) }
	switch {
	case name == "rss":
		return "kernels since 2.4.30 ignore it", "limit as, or memory.max of a cgroup"
	case name == "locks":
		return "kernels since 2.4.25 ignore it", "leave it out"
	case name == "nproc" && p.After.UID == 0 && !changesUser(p):
		return "uid 0 may have any number of processes, even without capabilities", "declare another user, or limit pids.max of a cgroup"
	case name == "nproc" && holds(cap.SYS_ADMIN):
		return "with cap_sys_admin it may have any number of processes", "take cap_sys_admin out of caps, or limit pids.max of a cgroup"
	case name == "memlock" && holds(cap.IPC_LOCK):
		return "with cap_ipc_lock it may lock any amount of memory", "take cap_ipc_lock out of caps, and let the limit be as much as it needs"
	case (name == "nice" || name == "rtprio") && holds(cap.SYS_NICE):
		return "with cap_sys_nice it may have any priority", "take cap_sys_nice out of caps, and let the limit allow what it needs"
	}
	return "", ""
}
