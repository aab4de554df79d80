package review

import (
	"fmt"
	"slices"
	"strings"

	"caprun/cap"
	"caprun/engine"
	"caprun/engine/cred"
	"caprun/policy"
)

// chrootEscapes describes how the target leaves its root directory with a
// capability: "it can …".
var chrootEscapes = [cap.NamedCount]string{
	cap.DAC_READ_SEARCH: "open files outside by handle (open_by_handle_at(2))",
	cap.MKNOD:           "create a device file for the disk, unless a device cgroup or nodev forbids it",
	cap.SYS_ADMIN:       "mount file systems from outside",
	cap.SYS_CHROOT:      "change the root directory again and leave it with ..",
	cap.SYS_MODULE:      "load code into the kernel",
	cap.SYS_PTRACE:      "trace processes outside and run code in them",
}

func chrootEscape(p *engine.Plan, report capReporter) {
	if p.Profile.Chroot == "" || p.Profile.Chroot == "/" {
		return
	}
	var exits cred.Caps
	how := ""
	for n, way := range chrootEscapes {
		if way != "" && p.AfterExec.Permitted.Has(n) {
			exits, how = exits.With(n), way
		}
	}
	switch {
	case exits == 0:
		return
	case exits.Len() <= 1:
		how = "with " + exits.String() + " it can " + how
	default:
		how = "each of " + exits.String() + " lets it leave"
	}
	report(p.Profile.Position("chroot"), exits, "chroot does not confine the target: "+how, "remove "+pronoun(exits)+" from caps; caprun itself changes the root directory before it starts the target")
}

func chrootOfProcess(p *engine.Plan, report func(policy.Position, string, string)) {
	if processLinks(p.Profile.Chroot) {
		report(p.Profile.Position("chroot"), "chroot leads through a link of a process, which can refer to any directory; /proc/1/root is usually the host's root directory",
			"name the directory by its own path")
	}
}

// processLinks reports whether a path leads through links of a process, such as
// /proc/1/root, which refer to objects of the process.
func processLinks(name string) bool {
	return slices.ContainsFunc([]string{"/proc", "/dev/fd", "/dev/stdin", "/dev/stdout", "/dev/stderr"}, func(links string) bool {
		return name == links || strings.HasPrefix(name, links+"/")
	})
}

// chrootDescriptors has severity Info: a profile does not tell what a descriptor
// refers to, and a socket is harmless.
func chrootDescriptors(p *engine.Plan, report func(policy.Position, string, string)) {
	if len(p.Profile.KeepFDs) == 0 || p.Profile.Chroot == "" || p.Profile.Chroot == "/" {
		return
	}
	if len(p.Profile.KeepFDs) == 1 {
		report(p.Profile.Position("keep_fds"), fmt.Sprintf("if descriptor %d refers to a directory, the target can leave chroot", p.Profile.KeepFDs[0]),
			"pass sockets and regular files, not a directory outside chroot")
		return
	}
	report(p.Profile.Position("keep_fds"), "if a kept descriptor refers to a directory, the target can leave chroot",
		"pass sockets and regular files, not a directory outside chroot")
}

func umaskOpen(p *engine.Plan, report func(policy.Position, string, string)) {
	const othersWrite = 0o002
	if u := p.Profile.Umask; u != nil && *u&othersWrite == 0 {
		report(p.Profile.Position("umask"), "files that the target creates are writable by every user, unless it sets their mode itself",
			`write "0027", or write "0007" if a group shares the files`)
	}
}
