package review

import (
	"fmt"
	"slices"
	"strings"

	"caprun/engine"
	"caprun/engine/cred"
	"caprun/policy"
)

// isRootUser reports whether the target is uid 0, with capabilities or not.
func isRootUser(p *engine.Plan) bool { return p.AfterExec.UID == 0 || p.AfterExec.EUID == 0 }

// hasRootPower reports whether being uid 0 gives the target capabilities.
func hasRootPower(p *engine.Plan) bool {
	return isRootUser(p) && !p.AfterExec.Securebits.Has(cred.SecNoRoot)
}

// isAllPowerful reports whether the target is uid 0 and nothing was taken from
// it: then that is what to say, and not what follows from it.
func isAllPowerful(p *engine.Plan) bool {
	return hasRootPower(p) && p.AfterExec.Permitted == p.AfterExec.All
}

// rootTarget says in words, and where, that the target is uid 0.
func rootTarget(p *engine.Plan) (who string, at policy.Position) {
	switch {
	case p.Profile.UID != nil:
		return "the target is uid 0", p.Profile.Position("uid")
	case p.Profile.User != "":
		return "the target is uid 0", p.Profile.Position("user")
	}
	return "started by root, the target stays uid 0", policy.Position{}
}

func rootKeepsPower(p *engine.Plan, report func(policy.Position, string, string)) {
	if !isAllPowerful(p) {
		return
	}
	who, at := rootTarget(p)
	report(at, who+" and gets every capability at every exec", "declare another user; or caps, and secbits: [noroot, noroot_locked]")
}

// norootMissing is about a uid 0 that was limited: the limit is all that it
// gets, and it gets all of it each time. Under no_new_privs what was dropped
// stays dropped, and what is held is handed on with noroot and ambient
// capabilities too.
func norootMissing(p *engine.Plan, report capReporter) {
	a := p.AfterExec
	if !hasRootPower(p) || a.NoNewPrivs || a.Permitted == 0 || a.Permitted == a.All {
		return
	}
	dropped := "also after it was dropped"
	if a.Permitted.Len() > 1 {
		dropped = "also after they were dropped"
	}
	who, at := rootTarget(p)
	report(at, a.Permitted, who+" without noroot: each exec gives "+fewNames(a.Permitted)+" again to it and to what it starts, "+dropped,
		"add secbits: [noroot, noroot_locked], and give each capability of caps the flags eip: they are then handed on in the ambient set")
}

// rootOwnsFiles is about a declared uid 0 of which no other rule has anything to
// say: without capabilities it still owns what root owns, unless another root
// directory keeps that away.
func rootOwnsFiles(p *engine.Plan, report func(policy.Position, string, string)) {
	again := hasRootPower(p) && !p.AfterExec.NoNewPrivs && p.AfterExec.Permitted != 0 // noroot-missing
	jailed := strings.Trim(p.Profile.Chroot, "/") != "" && !processLinks(p.Profile.Chroot)
	if !p.Identity.Declared || jailed || !isRootUser(p) || isAllPowerful(p) || again || changesUser(p) || rootWays(p) != 0 {
		return
	}
	who, at := rootTarget(p)
	report(at, who+", which owns root's files whatever capabilities it has: it writes /etc/passwd and the programs that root runs, where it sees those of the machine",
		"declare another user, and give it the files that it needs; where a container or chroot keeps root's files away, say so in a reason")
}

// changesUser reports whether the target is uid 0 and can become another user
// with other groups.
func changesUser(p *engine.Plan) bool {
	return isRootUser(p) && p.AfterExec.Permitted.Has(cred.SETUID) && p.AfterExec.Permitted.Has(cred.SETGID)
}

// dropsByItself is no more than worth knowing: some daemons must open as root
// what no descriptor and no capability could give them. What has more than
// uid 0 has by itself is no such daemon, but one that works as root.
func dropsByItself(p *engine.Plan, report func(policy.Position, string, string)) {
	if !changesUser(p) || isAllPowerful(p) || rootWays(p) != 0 {
		return
	}
	who, at := rootTarget(p)
	report(at, who+", with cap_setuid and cap_setgid: until it drops root by itself it runs as root, and the profile does not say as whom it serves then",
		"declare the user that it becomes, and only the capabilities that it needs then; where it stays uid 0, take these two out of caps")
}

// rootLikeGroups are the groups whose number is the same on many systems, and
// that are as good as root. Others, such as docker, have another on each.
var rootLikeGroups = [...]struct {
	id   uint32
	why  string
	hint string
}{
	{0, "group 0 is root's: what its files allow their group, they allow the target",
		"give it a group of its own; where an image made files for group 0, say so in a reason"},
	{6, "group 6 is disk on most systems: it writes the disks below the permissions of files",
		"give it a group of its own; where group 6 is another here, say so in a reason"},
	{42, "group 42 is shadow on Debian and Alpine: it reads the passwords in /etc/shadow",
		"give it a group of its own; where group 42 is another here, say so in a reason"},
}

func rootGroup(p *engine.Plan, report func(policy.Position, string, string)) {
	if !p.Identity.Declared || p.AfterExec.UID == 0 {
		return
	}
	for _, g := range rootLikeGroups {
		at := ""
		if gid := p.Profile.GID; gid != nil && *gid == g.id {
			at = "gid"
		} else if n := slices.Index(p.Profile.Groups, g.id); n >= 0 {
			at = fmt.Sprintf("groups[%d]", n)
		} else if slices.Contains(p.AfterExec.Groups, g.id) {
			at = "user" // whose entry was looked up
		}
		if at != "" {
			report(p.Profile.Position(at), g.why, g.hint)
		}
	}
}
