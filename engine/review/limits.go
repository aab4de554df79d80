package review

import (
	"fmt"

	"caprun/cap"
	"caprun/engine"
	"caprun/policy"
)

// limitWithoutEffect finds limits that do not limit this target.
func limitWithoutEffect(p *engine.Plan, report func(policy.Position, string, string)) {
	if p.AfterExec.Permitted.Has(int(cap.SYS_RESOURCE)) && !changesUser(p) {
		reportRaised(p, report)
		return
	}
	for _, limit := range p.Profile.Rlimits {
		if limit.Soft == policy.Unlimited {
			continue
		}
		if why, instead := unenforced(p, limit.Name); why != "" {
			report(p.Profile.Position("rlimits."+limit.Name), limit.Name+" does not limit the target: "+why, instead)
		}
	}
}

// reportRaised reports once for all limits what is true of each.
func reportRaised(p *engine.Plan, report func(policy.Position, string, string)) {
	count, last := 0, ""
	for _, limit := range p.Profile.Rlimits {
		if limit.Hard != policy.Unlimited {
			count, last = count+1, limit.Name
		}
	}
	switch count {
	case 0:
	case 1:
		report(p.Profile.Position("rlimits."+last), last+" does not limit the target: with cap_sys_resource it can raise the limit", raisedHint)
	default:
		report(p.Profile.KeyPosition("rlimits"), "these do not limit the target: with cap_sys_resource it can raise each of them", raisedHint)
	}
}

const raisedHint = "take cap_sys_resource out of caps; where the target needs it, let a cgroup limit what it takes"

// unenforced says why the kernel does not hold the target to a limit, and what
// to do instead. Who becomes another user by itself is held to most of them
// then.
func unenforced(p *engine.Plan, name string) (why, instead string) {
	holds := func(v cap.Value) bool { return p.AfterExec.Permitted.Has(int(v)) && !changesUser(p) }
	switch {
	case name == "rss":
		return "kernels since 2.4.30 ignore it", "limit as, or memory.max of a cgroup"
	case name == "locks":
		return "kernels since 2.4.25 ignore it", "leave it out"
	case name == "nproc" && p.AfterExec.UID == 0 && !changesUser(p):
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

// A leastLimit is what a limit must allow for any program to do its work.
type leastLimit struct {
	name  string
	least uint64 // a lower soft limit is a finding
	zero  bool   // 0 has a meaning of its own
	unit  string
	why   string
}

const (
	kib = 1 << 10
	mib = 1 << 20
)

// leastLimits are far below what anybody means, and above what a number of KiB
// gives that a shell's ulimit shows.
var leastLimits = [...]leastLimit{
	{"as", 4*mib + 1, false, "bytes", "hardly any program has room for itself and its libraries"},
	{"core", 64 * kib, true, "bytes", "nothing of a core dump can be read"},
	{"cpu", 1, false, "seconds", "the kernel kills the program within a second"},
	{"data", mib + 1, false, "bytes", "hardly any program has room for its data"},
	{"fsize", 4 * kib, true, "bytes", "no file of a single page can be written"},
	{"memlock", 16 * kib, true, "bytes", "hardly a page can be locked"},
	{"rttime", 1000, false, "microseconds", "a real-time program is killed almost at once"},
	{"stack", 128 * kib, false, "bytes", "the kernel kills most programs when they start"},
}

// limitTooLow finds limits that no program can work under, most of them written
// in another unit than the kernel's.
func limitTooLow(p *engine.Plan, report func(policy.Position, string, string)) {
	for _, limit := range p.Profile.Rlimits {
		for _, l := range leastLimits {
			// A core limit of 1 is for programs that core dumps are piped to.
			special := l.zero && limit.Soft == 0 || l.name == "core" && limit.Soft == 1
			if l.name != limit.Name || limit.Soft >= l.least || special {
				continue
			}
			at := p.Profile.Position("rlimits." + limit.Name + ".soft")
			report(at, fmt.Sprintf("%s is %d %s: %s", l.name, limit.Soft, l.unit, l.why), l.hint(limit.Soft))
		}
	}
}

// hint is the value that was probably meant, where ulimit shows it in KiB.
func (l leastLimit) hint(value uint64) string {
	switch {
	case l.unit != "bytes":
		return fmt.Sprintf("%s counts %s: write a larger value, or unlimited", l.name, l.unit)
	case value == 0:
		return l.name + " counts bytes: write a larger value, or unlimited"
	}
	return fmt.Sprintf("%s counts bytes, where ulimit shows KiB: write %d for %d KiB", l.name, value*kib, value)
}
