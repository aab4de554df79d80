package engine

import (
	"fmt"
	"slices"

	"caprun/cap"
	"caprun/engine/cred"
)

// tryGroups is try. If the caller may not call setgroups(2), has no supplementary
// group, and the profile declares no group but the gid, the target keeps the empty
// list, provided that no permission depends on the difference.
func (c *compiler) tryGroups(sets launchSets) *routeFailure {
	c.keepNoGroups = false
	failure := c.tryRoute(sets)
	p, id := c.Profile, c.Identity
	if failure == nil || failure.step == nil || failure.step.step.Kind != cap.StepGroups || failure.step.errno != cred.EPERM ||
		len(c.Caller.Groups) > 0 || !slices.Equal(id.Groups, []uint32{id.GID}) ||
		!p.NoNewPrivs && !c.Caller.NoNewPrivs && (p.Mode == nil || *p.Mode != cap.ModeNoPriv) {
		return failure
	}
	kept := *c
	kept.keepNoGroups = true
	other := kept.tryRoute(sets)
	if other == nil && !kept.groupsEquivalent() || other != nil && other.step != nil && other.step.step.Kind == cap.StepGID {
		return failure
	}
	*c = kept
	return other
}

// groupsEquivalent reports whether an empty list of supplementary groups grants the
// target the same permissions as a list of its gid alone. Only getgroups(2) shows the
// difference: the kernel grants the permissions of the file system gid and of the
// groups in the list. This holds until the file system gid changes: to another of the
// four gids, by a set-group-ID program, or with cap_setgid. So all four gids must be
// the same, no_new_privs must be set, and cap_setgid must not be reachable.
func (c *compiler) groupsEquivalent() bool {
	for _, s := range []cred.Cred{c.BeforeExec, c.AfterExec} {
		gid := c.Identity.GID
		if !s.NoNewPrivs || s.GID != gid || s.EGID != gid || s.SGID != gid || s.FSGID != gid ||
			s.Permitted.Union(s.Inheritable).Union(s.Ambient).Has(cred.SETGID) {
			return false
		}
	}
	return !c.reachable().most.Has(cred.SETGID)
}

// groupsList returns groups as text for a message, which names at most 20 of them: a
// process may have 65536.
func groupsList(groups []uint32) string {
	const most = 20
	switch {
	case len(groups) == 0:
		return "none"
	case len(groups) > most:
		return fmt.Sprintf("%s and %d more", joinNumbers(groups[:most]), len(groups)-most)
	}
	return joinNumbers(groups)
}
