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

// gainsCapsAsRoot reports whether exec gives the target capabilities because it is
// uid 0.
func gainsCapsAsRoot(p *engine.Plan) bool {
	return isRootUser(p) && !p.AfterExec.Securebits.Has(cred.SecNoRoot)
}

// isUnrestrictedRoot reports whether the target is uid 0 with every capability.
// root-keeps-power reports it, and most other rules are silent.
func isUnrestrictedRoot(p *engine.Plan) bool {
	return gainsCapsAsRoot(p) && p.AfterExec.Permitted == p.AfterExec.All
}

// rootTarget returns the beginning of a message about a target that is uid 0, and
// the position that makes it uid 0.
func rootTarget(p *engine.Plan) (who string, at policy.Position) {
	switch {
	case p.Profile.UID != nil:
		return "the target is uid 0", p.Profile.Position("uid")
	case p.Profile.User != "":
		return "the target is uid 0", p.Profile.Position("user")
	}
	return "without uid or user the target stays uid 0", policy.Position{}
}

func rootKeepsPower(p *engine.Plan, report func(policy.Position, string, string)) {
	if !isUnrestrictedRoot(p) {
		return
	}
	who, at := rootTarget(p)
	report(at, who+" and gains every capability at each exec", "declare another user, or declare caps and secbits: [noroot, noroot_locked]")
}

// norootMissing reports a limited uid 0 that regains dropped capabilities at each
// exec. With no_new_privs it does not, and passing capabilities on to other programs
// is the same with noroot and ambient capabilities.
func norootMissing(p *engine.Plan, report capReporter) {
	a := p.AfterExec
	if !gainsCapsAsRoot(p) || a.NoNewPrivs || a.Permitted == 0 || a.Permitted == a.All {
		return
	}
	who, at := rootTarget(p)
	report(at, a.Permitted, who+", and noroot is not set: each exec restores "+namesOrCount(a.Permitted)+", even after the target drops "+pronoun(a.Permitted),
		"add secbits: [noroot, noroot_locked] and use the flags eip in caps")
}

// rootOwnsFiles reports a declared uid 0 that no other rule reports: without
// capabilities it still owns root's files, unless chroot hides them.
func rootOwnsFiles(p *engine.Plan, report func(policy.Position, string, string)) {
	again := gainsCapsAsRoot(p) && !p.AfterExec.NoNewPrivs && p.AfterExec.Permitted != 0 // noroot-missing
	jailed := strings.Trim(p.Profile.Chroot, "/") != "" && !processLinks(p.Profile.Chroot)
	if !p.Identity.Declared || jailed || !isRootUser(p) || isUnrestrictedRoot(p) || again || canChangeUser(p) || rootEquivalentCaps(p) != 0 {
		return
	}
	who, at := rootTarget(p)
	report(at, who+" and owns root's files: even without capabilities it can write /etc/passwd and programs that root runs",
		"declare another user and give it the files that it needs; if a container hides the host's files, suppress the finding and say so in the reason")
}

// canChangeUser reports whether the target is uid 0 and can change its user and
// groups.
func canChangeUser(p *engine.Plan) bool {
	return isRootUser(p) && p.AfterExec.Permitted.Has(cred.SETUID) && p.AfterExec.Permitted.Has(cred.SETGID)
}

// dropsByItself has severity Info: some daemons must open files as root. A target
// with more than uid 0 and these capabilities works as root, which amounts-to-root
// reports.
func dropsByItself(p *engine.Plan, report func(policy.Position, string, string)) {
	if !canChangeUser(p) || isUnrestrictedRoot(p) || rootEquivalentCaps(p) != 0 {
		return
	}
	who, at := rootTarget(p)
	report(at, who+" with cap_setuid and cap_setgid: it runs as root until it changes its user, and that user is not declared",
		"declare that user and only the capabilities that it needs; if the target stays uid 0, remove cap_setuid and cap_setgid from caps")
}

// A privilegedGroup is a group with access to root's files, or to a service that runs as
// root and does what its clients ask.
type privilegedGroup struct {
	name string

	// id is the gid on many systems, and system says on which. If system is empty,
	// the gid differs between machines, and only the name counts.
	id     uint32
	system string

	grants string // what the target can do
}

var privilegedGroups = [...]privilegedGroup{
	{"root", 0, "root's group", "the target has the group permissions of root's files"},
	{"disk", 6, "disk on most systems", "the target can write raw disks and so every file on them"},
	{"shadow", 42, "shadow on Debian and Alpine", "the target can read the password hashes in /etc/shadow"},
	{"docker", 0, "", "the target can start a container as root with every file of the host"},
	{"incus-admin", 0, "", "the target can start a container as root with every file of the host"},
	{"lxd", 0, "", "the target can start a container as root with every file of the host"},
}

// has reports whether a group that the profile of p declares is g, by its name or by its
// number, also if the number is that of a name that was looked up.
func (g privilegedGroup) has(p *engine.Plan, declared policy.Group) bool {
	if declared.Name == g.name {
		return true
	}
	gid, known := declared.ID, declared.Name == ""
	if a := p.Target.Accounts; a != nil && !known {
		gid, known = a.Groups[declared.Name]
	}
	return known && g.isGID(gid)
}

func (g privilegedGroup) isGID(gid uint32) bool { return g.system != "" && gid == g.id }

func rootGroup(p *engine.Plan, report func(policy.Position, string, string)) {
	if !p.Identity.Declared || p.AfterExec.UID == 0 {
		return
	}
	for _, g := range privilegedGroups {
		is := func(declared policy.Group) bool { return g.has(p, declared) }
		at, named := "", false
		if gid := p.Profile.GID; gid != nil && is(*gid) {
			at, named = "gid", gid.Name == g.name
		} else if n := slices.IndexFunc(p.Profile.Groups, is); n >= 0 {
			at, named = fmt.Sprintf("groups[%d]", n), p.Profile.Groups[n].Name == g.name
		} else if slices.ContainsFunc(p.AfterExec.Groups, g.isGID) {
			at = "user" // its entry in the user database
		}
		if at == "" {
			continue
		}
		who, except := fmt.Sprintf("group %d is %s", g.id, g.system), fmt.Sprintf("group %d is not %s here", g.id, g.name)
		if named {
			who, except = "group "+g.name, "it has no such access here"
		}
		if g.name == "root" {
			except = "an image assigns its files to group 0"
		}
		report(p.Profile.Position(at), who+": "+g.grants, "declare another group; if "+except+", suppress the finding and say so in the reason")
	}
}
