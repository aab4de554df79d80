package review

import (
	"caprun/cap"
	"caprun/engine"
	"caprun/engine/cred"
	"caprun/policy"
)

// A rootEquivalent describes how a target becomes root with a capability:
// "the target can …".
type rootEquivalent struct {
	how     string // what the target can do
	asRoot  string // what a limited uid 0 can do; empty if its uid already allows it
	instead string // the hint
}

// rootEquivalents are the capabilities that are equivalent to root.
// docs/rules/amounts-to-root.md has the reasons why others are not.
var rootEquivalents = [cap.NamedCount]rootEquivalent{
	cap.CHOWN: {
		how:     "become the owner of any file, such as /etc/shadow or root's crontab, and write it",
		instead: "change the owner of the files before the launch",
	},
	cap.DAC_OVERRIDE: {
		how:     "write any file, such as /etc/shadow, root's crontab or a program that root runs",
		instead: "give the target's user or group access to the files that it needs",
	},
	cap.DAC_READ_SEARCH: {
		how:     "read any file, including /etc/shadow and private keys, and by handle also files outside its root directory",
		instead: "give the target's user or group access to the files that it needs",
	},
	cap.FOWNER: {
		how:     "change the mode of any file, such as /etc/shadow or root's crontab, and then write it",
		instead: "make the target's user the owner of the files that it changes",
	},
	cap.SETGID: {
		how:     "join any group, such as disk (which can write raw disks), shadow or docker",
		instead: "declare gid and groups, which caprun sets before it starts the target",
	},
	cap.SETUID: {
		how:     "become uid 0, which owns root's files even without capabilities",
		instead: "declare the user, which caprun sets before it starts the target",
	},
	cap.SETPCAP: {
		how:     "make its entire bounding set inheritable, so that files with inheritable capabilities grant it",
		asRoot:  "make its entire bounding set inheritable, so that files with inheritable capabilities grant it",
		instead: "declare caps and secbits, which caprun sets before it starts the target",
	},
	cap.SYS_MODULE: {
		how:     "load a kernel module and so run any code in the kernel",
		asRoot:  "load a kernel module and so run any code in the kernel",
		instead: "load the modules at boot, see modules-load.d(5)",
	},
	cap.SYS_RAWIO: {
		how:     "access I/O ports and, if it can open them, /dev/mem and raw disks, and so write kernel memory and root's files",
		asRoot:  "access I/O ports and /dev/mem, and so write kernel memory",
		instead: "give the target's user access to the device file that it needs",
	},
	cap.SYS_PTRACE: {
		how:     "trace a process of root and make it run any code",
		asRoot:  "trace a process of root that has more capabilities and make it run any code",
		instead: "run the target as the user whose processes it traces, which requires no capability",
	},
	cap.SYS_ADMIN: {
		how:     "mount its own files over those in /etc, and do most other things that root can",
		asRoot:  "mount any file system, and do most other things that root can",
		instead: "use cap_bpf, cap_perfmon, cap_syslog or cap_checkpoint_restore if one of them suffices, or declare chroot",
	},
	cap.SYS_BOOT: {
		how:     "load its own kernel and boot it (kexec_load(2))",
		asRoot:  "load its own kernel and boot it (kexec_load(2))",
		instead: "let the target request a reboot from the service manager",
	},
	cap.MKNOD: {
		how:     "create a device file for the disk and write the raw disk, unless a device cgroup or nodev forbids it",
		instead: "create the device files before the launch",
	},
	cap.SETFCAP: {
		how:     "give every capability to a file, such as a shell, that another user or cron executes",
		instead: "set file capabilities when the files are installed",
	},
	cap.MAC_ADMIN: {
		how:     "replace the AppArmor or Smack policy, which removes its own confinement and can disable safety checks of root's programs",
		asRoot:  "replace the AppArmor or Smack policy, which removes its own confinement and can disable safety checks of root's programs",
		instead: "load the policy at boot",
	},
	cap.BPF: {
		how:     "load programs into the kernel; with cap_perfmon they can read all memory, including keys and passwords",
		asRoot:  "load programs into the kernel; with cap_perfmon they can read all memory, including keys and passwords",
		instead: "load the programs before the launch, with a separate profile",
	},
}

// grantedToAnyUser returns the capabilities that a profile without a user grants, whatever
// the user of the caller is: the ambient ones, and those that are ambient where the user is
// not root. A profile with a user grants them to this user only.
func grantedToAnyUser(p *engine.Plan) cred.Caps {
	if p.Identity.Declared {
		return 0
	}
	a := p.AfterExec
	if p.Profile.Caps != nil && p.Profile.IAB == nil {
		return a.Ambient.Union(a.Inheritable.Intersect(a.Permitted))
	}
	return a.Ambient
}

// isLimitedRoot reports whether uid 0, which owns root's files anyway, is the only user who
// gets a capability from the profile.
func isLimitedRoot(p *engine.Plan, v int) bool {
	return isRootUser(p) && !grantedToAnyUser(p).Has(v)
}

// rootEquivalentFor describes how this target becomes root with a capability; how is
// empty if it does not.
func rootEquivalentFor(p *engine.Plan, v int) rootEquivalent {
	about := rootEquivalents[v]
	limited := isLimitedRoot(p, v)
	if limited {
		about.how = about.asRoot
	}
	if v != cred.SETPCAP {
		return about
	}
	switch a := p.AfterExec; {
	case !setpcapGainsMore(p):
		about.how = ""
	case limited && !a.Securebits.Has(cred.SecNoRootLocked):
		about.how = "clear noroot, which is not locked, and gain its entire bounding set at the next exec"
	}
	return about
}

// rootEquivalentCaps returns the capabilities of the target that are equivalent to
// root.
func rootEquivalentCaps(p *engine.Plan) cred.Caps {
	var all cred.Caps
	for v := range rootEquivalents {
		if p.AfterExec.Permitted.Has(v) && rootEquivalentFor(p, v).how != "" {
			all = all.With(v)
		}
	}
	return all
}

// RootEquivalent returns the capabilities of the target with which a process of any user
// becomes root, as the page of the rule amounts-to-root describes it. The rule itself
// reports fewer of them for a target with uid 0, which owns root's files without them.
func RootEquivalent(p *engine.Plan) cred.Caps {
	var all cred.Caps
	for v := range rootEquivalents {
		if rootEquivalents[v].how != "" {
			all = all.With(v)
		}
	}
	a := p.AfterExec
	held := a.Permitted.Intersect(all)
	more := a.Bounding.Minus(a.Permitted.Union(a.Inheritable)).Intersect(all).Without(cred.SETPCAP)
	if a.NoNewPrivs || more == 0 {
		held = held.Without(cred.SETPCAP) // it gains nothing that amounts to root
	}
	return held
}

// setpcapGainsMore reports whether the target can gain a root-equivalent capability
// from its bounding set with cap_setpcap: from files, or as uid 0 at a later exec.
func setpcapGainsMore(p *engine.Plan) bool {
	a := p.AfterExec
	more := a.Bounding.Minus(a.Permitted.Union(a.Inheritable))
	for v := range rootEquivalents {
		if v != cred.SETPCAP && more.Has(v) && rootEquivalentFor(p, v).how != "" {
			return !a.NoNewPrivs
		}
	}
	return false
}

// amountsToRoot reports each root-equivalent capability of the target at its name.
// Capabilities without a position, as for "=", "all" or a folded text, are one
// finding, and so are more than a few.
func amountsToRoot(p *engine.Plan, report capReporter) {
	all := rootEquivalentCaps(p)
	if all == 0 || isUnrestrictedRoot(p) {
		return
	}
	const few = 4
	left := all
	var found []rootFinding
	eachCapName(p.Profile, func(at policy.Position, v cap.Value) {
		if v < cap.NamedCount && left.Has(int(v)) {
			left = left.Without(int(v))
			found = addRootFinding(found, at, cred.CapsOf(int(v)))
		}
	})
	unnamed := left
	if left != 0 {
		found = addRootFinding(found, capsPosition(p.Profile, left), left)
	}
	if len(found) > few {
		found = []rootFinding{{capsPosition(p.Profile, all), all}}
	}
	for _, f := range found {
		f.report(p, f.caps&unnamed != 0, report)
	}
}

// A rootFinding is a finding of amountsToRoot.
type rootFinding struct {
	at   policy.Position
	caps cred.Caps
}

func addRootFinding(found []rootFinding, at policy.Position, caps cred.Caps) []rootFinding {
	if n := len(found); n > 0 && found[n-1].at == at {
		found[n-1].caps = found[n-1].caps.Union(caps)
		return found
	}
	return append(found, rootFinding{at, caps})
}

func (f rootFinding) report(p *engine.Plan, unnamed bool, report capReporter) {
	effect := "is equivalent to root"
	if isRootUser(p) && grantedToAnyUser(p).Intersect(f.caps) == 0 {
		effect = "removes the limits of uid 0"
	}
	names, which := f.caps.String(), "which"
	if f.caps.Len() > 1 {
		which = "each of which"
	}
	switch {
	case unnamed:
		report(f.at, f.caps, "the target has "+names+", "+which+" "+effect, "list only the capabilities that it needs")
	case f.caps.Len() > 1:
		report(f.at, f.caps, "the target has "+names+", "+which+" "+effect,
			"remove those that it does not need; caprun rules amounts-to-root lists alternatives")
	default:
		about := rootEquivalentFor(p, f.caps.Lowest())
		report(f.at, f.caps, names+" "+effect+": the target can "+about.how, about.instead)
	}
}
