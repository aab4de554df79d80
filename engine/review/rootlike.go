package review

import (
	"caprun/cap"
	"caprun/engine"
	"caprun/engine/cred"
	"caprun/policy"
)

// A rootWay is how a capability amounts to root.
type rootWay struct {
	how     string // what the target does with it
	asRoot  string // the same of a uid 0 that was limited; empty where it owns by its uid what it would gain
	instead string
}

// rootLike has each capability that amounts to root, and what to do instead.
// Those that only harm, disclose, or help one of these are not in it:
// docs/rules/amounts-to-root.md has the reasons.
var rootLike = [cap.NamedCount]rootWay{
	cap.CHOWN: {
		how:     "makes /etc/shadow, root's crontab or any other file its own, and writes it",
		instead: "give the files to the target's user beforehand",
	},
	cap.DAC_OVERRIDE: {
		how:     "writes any file: /etc/shadow, root's crontab, the programs that root runs",
		instead: "give the target's user, or a group, access to the files that it needs",
	},
	cap.DAC_READ_SEARCH: {
		how:     "reads any file, /etc/shadow and root's private keys among them, and by handle also those outside of its root directory",
		instead: "give the target's user, or a group, access to the files that it needs",
	},
	cap.FOWNER: {
		how:     "changes the mode of any file: of /etc/shadow or root's crontab, so that it can write them",
		instead: "let the target's user own the files that it changes",
	},
	cap.SETGID: {
		how:     "joins any group: disk, which writes the disks below the permissions of files, shadow, docker",
		instead: "declare gid and groups, which caprun sets before the start",
	},
	cap.SETUID: {
		how:     "becomes uid 0, which owns root's files even where it gets no capabilities",
		instead: "declare the user, which caprun changes before the start",
	},
	cap.SETPCAP: {
		how:     "makes all of its bounding set inheritable, for files that then give it",
		asRoot:  "makes all of its bounding set inheritable, for files that then give it",
		instead: "declare caps and secbits, which caprun sets before the start",
	},
	cap.SYS_MODULE: {
		how:     "loads a kernel module, and so any code into the kernel",
		asRoot:  "loads a kernel module, and so any code into the kernel",
		instead: "load the modules at boot, see modules-load.d(5)",
	},
	cap.SYS_RAWIO: {
		how:     "drives devices past their drivers, by I/O ports and where it can open them by /dev/mem and raw disks: so it writes the kernel's memory and root's files",
		asRoot:  "drives devices past their drivers, by I/O ports and /dev/mem, and so writes the kernel's memory",
		instead: "give the target's user access to the one device file that it needs",
	},
	cap.SYS_PTRACE: {
		how:     "traces a process of root and lets it run any code",
		asRoot:  "traces a process of root that has more capabilities, and lets it run any code",
		instead: "run the target as the user whose processes it traces, which needs no capability",
	},
	cap.SYS_ADMIN: {
		how:     "mounts its own files over those in /etc, and does most other things that root can",
		asRoot:  "mounts any file system, and does most other things that root can",
		instead: "look for the narrower one: cap_bpf, cap_perfmon, cap_syslog or cap_checkpoint_restore, or a change of root by chroot",
	},
	cap.SYS_BOOT: {
		how:     "loads a kernel of its own and starts it (kexec_load(2))",
		asRoot:  "loads a kernel of its own and starts it (kexec_load(2))",
		instead: "let the target ask the service manager for a reboot",
	},
	cap.MKNOD: {
		how:     "makes a device file of the disk that it may open, and writes the disk below the permissions of files, where no device cgroup or nodev forbids it",
		instead: "make the device files beforehand",
	},
	cap.SETFCAP: {
		how:     "gives every capability to a file, such as a shell, that others start or that cron starts for it",
		instead: "give files their capabilities when they are installed",
	},
	cap.MAC_ADMIN: {
		how:     "replaces the policy of AppArmor or Smack: it ends its own confinement, and denies programs of root what their safety depends on",
		asRoot:  "replaces the policy of AppArmor or Smack: it ends its own confinement, and denies programs of root what their safety depends on",
		instead: "load the policy at boot",
	},
	cap.BPF: {
		how:     "loads programs into the kernel; with cap_perfmon they read all memory, keys and passwords included",
		asRoot:  "loads programs into the kernel; with cap_perfmon they read all memory, keys and passwords included",
		instead: "load the programs beforehand, by a profile of their own",
	},
}

// way returns how a capability amounts to root for this target; how is empty
// if it does not.
func way(p *engine.Plan, v int) rootWay {
	about := rootLike[v]
	if isRootUser(p) {
		about.how = about.asRoot
	}
	if v != cred.SETPCAP {
		return about
	}
	switch a := p.AfterExec; {
	case !bringsMore(p):
		about.how = ""
	case isRootUser(p) && !a.Securebits.Has(cred.SecNoRootLocked):
		about.how = "clears noroot, which has no lock, and gets all of its bounding set at its next exec"
	}
	return about
}

// rootWays returns what the target holds that amounts to root.
func rootWays(p *engine.Plan) cred.Caps {
	var all cred.Caps
	for v := range rootLike {
		if p.AfterExec.Permitted.Has(v) && way(p, v).how != "" {
			all = all.With(v)
		}
	}
	return all
}

// bringsMore reports whether cap_setpcap leads to a capability that amounts to
// root: from the bounding set, by files or as uid 0 at a later exec. Under
// no_new_privs exec gives nothing that is not held already.
func bringsMore(p *engine.Plan) bool {
	a := p.AfterExec
	more := a.Bounding.Minus(a.Permitted.Union(a.Inheritable))
	for v := range rootLike {
		if v != cred.SETPCAP && more.Has(v) && way(p, v).how != "" {
			return !a.NoNewPrivs
		}
	}
	return false
}

// amountsToRoot finds each capability of rootLike that the target holds, at
// the word that gives it. Those without a place of their own, as with "=" and
// "all" or in a folded text, are one finding together, and so are more than a
// reader wants to hear one by one.
func amountsToRoot(p *engine.Plan, report capReporter) {
	all := rootWays(p)
	if all == 0 || isAllPowerful(p) {
		return
	}
	const few = 4
	left := all
	var found []rootFinding
	eachCapWord(p.Profile, func(at policy.Position, v cap.Value) {
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

// A rootFinding is what is said at one place.
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
	amounts := "amounts to root"
	if isRootUser(p) {
		amounts = "undoes the limits of uid 0"
	}
	names, which := f.caps.String(), "which"
	if f.caps.Len() > 1 {
		which = "each of which"
	}
	switch {
	case unnamed:
		report(f.at, f.caps, "the target gets "+names+", "+which+" "+amounts, "name the capabilities that it needs, and no others")
	case f.caps.Len() > 1:
		report(f.at, f.caps, "the target gets "+names+", "+which+" "+amounts,
			"take out what it can do without; caprun rules amounts-to-root says what each does, and what to do instead")
	default:
		about := way(p, f.caps.Lowest())
		report(f.at, f.caps, names+" "+amounts+": it "+about.how, about.instead)
	}
}
