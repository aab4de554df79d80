package review

import (
	"fmt"

	"caprun/cap"
	"caprun/engine"
	"caprun/policy"
)

// limitWithoutEffect reports limits that the kernel does not enforce on the target.
func limitWithoutEffect(p *engine.Plan, report func(policy.Position, string, string)) {
	if p.AfterExec.Permitted.Has(int(cap.SYS_RESOURCE)) && !canChangeUser(p) {
		reportRaised(p, report)
		return
	}
	for _, limit := range p.Profile.Rlimits {
		if limit.Soft == policy.Unlimited || limit.InheritSoft && limit.Hard == policy.Unlimited {
			continue
		}
		if why, instead := unenforced(p, limit.Name); why != "" {
			report(p.Profile.Position("rlimits."+limit.Name), limit.Name+" does not limit the target: "+why, instead)
		}
	}
}

// reportRaised reports limits that the target can raise, several in one finding.
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
		report(p.Profile.KeyPosition("rlimits"), "rlimits does not limit the target: with cap_sys_resource it can raise its limits", raisedHint)
	}
}

const raisedHint = "remove cap_sys_resource from caps, or limit the target with a cgroup"

// unenforced returns why the kernel does not enforce a limit on the target, and
// what to do instead. Most limits apply again once a target changes its user.
func unenforced(p *engine.Plan, name string) (why, instead string) {
	has := func(v cap.Value) bool { return p.AfterExec.Permitted.Has(int(v)) && !canChangeUser(p) }
	switch {
	case name == "rss":
		return "Linux ignores it since 2.4.30", "set rlimits.as instead, or set memory.max in a cgroup"
	case name == "locks":
		return "Linux ignores it since 2.4.25", "remove locks from rlimits"
	case name == "nproc" && p.AfterExec.UID == 0 && !canChangeUser(p):
		return "uid 0 can create any number of processes, even without capabilities", "declare another user, or set pids.max in a cgroup"
	case name == "nproc" && has(cap.SYS_ADMIN):
		return "with cap_sys_admin it can create any number of processes", "remove cap_sys_admin from caps, or set pids.max in a cgroup"
	case name == "memlock" && has(cap.IPC_LOCK):
		return "with cap_ipc_lock it can lock any amount of memory", "remove cap_ipc_lock from caps, and set the limit to what the target needs"
	case (name == "nice" || name == "rtprio") && has(cap.SYS_NICE):
		return "with cap_sys_nice it can set any priority", "remove cap_sys_nice from caps, and set the limit to what the target needs"
	}
	return "", ""
}

// A minimumLimit is the lowest value of a limit with which programs work.
type minimumLimit struct {
	name  string
	least uint64 // a lower soft limit is reported
	zero  bool   // 0 is valid
	unit  string
	why   string
}

const (
	kib = 1 << 10
	mib = 1 << 20
)

// minimumLimits are far below useful values, and above common values of ulimit(1p)
// in KiB taken as bytes.
var minimumLimits = [...]minimumLimit{
	{"as", 4*mib + 1, false, "bytes", "too little for a program and its libraries"},
	{"core", 64 * kib, true, "bytes", "too little for a usable core dump"},
	{"cpu", 1, false, "seconds", "the kernel kills the program within a second"},
	{"data", mib + 1, false, "bytes", "too little for the data of most programs"},
	{"fsize", 4 * kib, true, "bytes", "the target cannot write a file of one page"},
	{"memlock", 16 * kib, true, "bytes", "the target can lock at most a few pages"},
	{"rttime", 1000, false, "microseconds", "the kernel kills a real-time program almost immediately"},
	{"stack", 128 * kib, false, "bytes", "the kernel kills most programs when they start"},
}

// limitTooLow reports limits under which programs do not work, most of them written
// in the wrong unit.
func limitTooLow(p *engine.Plan, report func(policy.Position, string, string)) {
	for _, limit := range p.Profile.Rlimits {
		for _, l := range minimumLimits {
			// A core limit of 1 is meant for core_pattern pipes, see core(5).
			value, key := limit.Soft, "soft"
			if limit.InheritSoft {
				value, key = limit.Hard, "hard"
			}
			special := l.zero && value == 0 || l.name == "core" && value == 1
			if l.name != limit.Name || value >= l.least || special {
				continue
			}
			at := p.Profile.Position("rlimits." + limit.Name + "." + key)
			both := at == p.Profile.Position("rlimits."+limit.Name)
			report(at, fmt.Sprintf("%s is %d %s: %s", l.name, value, l.unit, l.why), l.hint(limit, value, both))
		}
	}
}

// hint names the value that was probably meant. both says that one value is the
// soft and the hard limit.
func (l minimumLimit) hint(limit policy.Rlimit, value uint64, both bool) string {
	switch {
	case l.unit != "bytes":
		return fmt.Sprintf("write a larger value; %s is in %s", l.name, l.unit)
	case value*kib < l.least:
		return "write a larger value; " + l.name + " is in bytes"
	}
	key := ""
	if !both && !limit.InheritSoft && !limit.InheritHard && value*kib > limit.Hard {
		key = l.name + ": "
	}
	return fmt.Sprintf("write %s%d for %d KiB; %s is in bytes, ulimit in KiB", key, value*kib, value, l.name)
}
