package review

import (
	"caprun/cap"
	"caprun/engine"
	"caprun/engine/cred"
	"caprun/policy"
)

// rootLike says of each capability that amounts to root how it does, and what
// to do instead. Those that only harm, disclose, or help one of these are not
// in it: docs/rules/amounts-to-root.md has the reasons.
var rootLike = [cap.NamedCount]struct{ how, instead string }{
	cap.CHOWN: {"makes /etc/shadow, root's crontab or any other file its own, and writes it",
		"give the files to the target's user beforehand"},
	cap.DAC_OVERRIDE: {"writes any file: /etc/shadow, root's crontab, the programs that root runs",
		"give the target's user, or a group, access to the files that it needs"},
	cap.DAC_READ_SEARCH: {"reads any file, /etc/shadow and root's private keys among them, and by handle also those outside of its root directory",
		"give the target's user, or a group, access to the files that it needs"},
	cap.FOWNER: {"changes the mode of any file: of /etc/shadow or root's crontab, so that it can write them",
		"let the target's user own the files that it changes"},
	cap.SETGID: {"joins any group: disk, which writes the disks below the permissions of files, shadow, docker",
		"declare gid and groups, which caprun sets before the start"},
	cap.SETUID: {"becomes uid 0, which owns root's files even where it gets no capabilities",
		"declare the user, which caprun changes before the start"},
	cap.SETPCAP: {"clears securebits without a lock, noroot for one, and makes all of the bounding set inheritable, for files that then give it",
		"declare caps and secbits, which caprun sets before the start"},
	cap.SYS_MODULE: {"loads a kernel module, and so any code into the kernel",
		"load the modules at boot, see modules-load.d(5)"},
	cap.SYS_RAWIO: {"drives devices past their drivers, by I/O ports and where it can open them by /dev/mem and raw disks: so it writes the kernel's memory and root's files",
		"give the target's user access to the one device file that it needs"},
	cap.SYS_PTRACE: {"traces a process of root and lets it run any code",
		"run the target as the user whose processes it traces, which needs no capability"},
	cap.SYS_ADMIN: {"mounts its own files over those in /etc, and does most other things that root can",
		"look for the narrower one: cap_bpf, cap_perfmon, cap_syslog or cap_checkpoint_restore, or a change of root by chroot"},
	cap.SYS_BOOT: {"loads a kernel of its own and starts it (kexec_load(2))",
		"let the target ask the service manager for a reboot"},
	cap.MKNOD: {"makes a device file of the disk that it may open, and writes the disk below the permissions of files, where no device cgroup or nodev forbids it",
		"make the device files beforehand"},
	cap.SETFCAP: {"gives every capability to a file, such as a shell, that others start or that cron starts for it",
		"give files their capabilities when they are installed"},
	cap.MAC_ADMIN: {"replaces the policy of AppArmor or Smack: it ends its own confinement, and denies programs of root what their safety depends on",
		"load the policy at boot"},
	cap.BPF: {"loads programs into the kernel; with cap_perfmon they read all memory, keys and passwords included",
		"load the programs beforehand, by a profile of their own"},
}

// amountsToRoot finds each capability of rootLike that the target holds, at
// the word that gives it. Those that a text gives without their names, as "="
// and "all" do, are one finding together.
func amountsToRoot(p *engine.Plan, say func(policy.Position, string, string)) {
	var left cred.Caps
	for n := range rootLike {
		if rootLike[n].how != "" && p.After.Permitted.Has(n) {
			left = left.With(n)
		}
	}
	if left == 0 || isAllPowerful(p) {
		return
	}
	key := "caps"
	see := func(w capWord) {
		if w.value < cap.NamedCount && left.Has(int(w.value)) {
			left = left.Without(int(w.value))
			about := rootLike[w.value]
			say(p.Profile.TextPosition(key, w.offset, w.length), w.value.String()+" amounts to root: it "+about.how, about.instead)
		}
	}
	if text := p.Profile.Caps; text != nil {
		capsWords(*text, see)
	}
	if text := p.Profile.IAB; text != nil {
		key = "iab"
		iabWords(*text, see)
	}
	if left != 0 {
		say(capsPosition(p.Profile, left), "the target gets "+engine.CapNames(left)+", each of which amounts to root",
			"name the capabilities that it needs, and no others")
	}
}
