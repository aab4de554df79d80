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

// chrootExits are the capabilities that lead out of a root directory, each
// with the way.
var chrootExits = [cap.NamedCount]string{
	cap.DAC_READ_SEARCH: "opens files outside by handle (open_by_handle_at(2))",
	cap.MKNOD:           "makes a device file of the disk, where no device cgroup or nodev forbids it",
	cap.SYS_ADMIN:       "mounts what lies outside",
	cap.SYS_CHROOT:      "changes the root directory once more, and walks up from the old one",
	cap.SYS_MODULE:      "loads code into the kernel",
	cap.SYS_PTRACE:      "traces processes outside, and acts through them",
}

func chrootEscape(p *engine.Plan, report capReporter) {
	if p.Profile.Chroot == "" || p.Profile.Chroot == "/" {
		return
	}
	var exits cred.Caps
	how := ""
	for n, way := range chrootExits {
		if way != "" && p.AfterExec.Permitted.Has(n) {
			exits, how = exits.With(n), way
		}
	}
	switch {
	case exits == 0:
		return
	case exits.Len() <= 1:
		how = exits.String() + " leads out: it " + how
	default:
		how = exits.String() + " lead out, each by itself"
	}
	report(p.Profile.Position("chroot"), exits, "the root directory does not hold the target: "+how, "take the capability from caps; caprun changes the root before it starts the target")
}

func chrootOfProcess(p *engine.Plan, report func(policy.Position, string, string)) {
	if processLinks(p.Profile.Chroot) {
		report(p.Profile.Position("chroot"), "the path leads to what a process has: /proc/1/root to the root directory of all, which holds nothing back",
			"declare a directory by its own path")
	}
}

// processLinks reports whether a path goes through the links of a process, such
// as /proc/1/root, which lead to what the process has and not to what lies
// below them.
func processLinks(name string) bool {
	return slices.ContainsFunc([]string{"/proc", "/dev/fd", "/dev/stdin", "/dev/stdout", "/dev/stderr"}, func(links string) bool {
		return name == links || strings.HasPrefix(name, links+"/")
	})
}

// chrootDescriptors is no more than worth knowing: a file does not say what
// the descriptors are, and a socket is harmless.
func chrootDescriptors(p *engine.Plan, report func(policy.Position, string, string)) {
	if len(p.Profile.KeepFDs) == 0 || p.Profile.Chroot == "" || p.Profile.Chroot == "/" {
		return
	}
	if len(p.Profile.KeepFDs) == 1 {
		report(p.Profile.Position("keep_fds"), fmt.Sprintf("if descriptor %d is a directory, it leads out of the root directory", p.Profile.KeepFDs[0]),
			"hand over sockets and files, never a directory from outside")
		return
	}
	report(p.Profile.Position("keep_fds"), "a directory among the kept descriptors leads out of the root directory",
		"hand over sockets and files, never a directory from outside")
}

func umaskOpen(p *engine.Plan, report func(policy.Position, string, string)) {
	const othersWrite = 0o002
	if u := p.Profile.Umask; u != nil && *u&othersWrite == 0 {
		report(p.Profile.Position("umask"), "files that the target makes can be written by every user, unless it says otherwise for each",
			`write "0027", or "0007" for a group that shares them`)
	}
}
