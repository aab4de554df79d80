package engine

import (
	"fmt"
	"slices"

	"caprun/cap"
	"caprun/engine/cred"
)

// tryGroups is tryRoute, also for a caller who may not call setgroups and need
// not: one with no supplementary group, for a profile that declares none but the
// gid. The target keeps the empty list then, if no permission depends on it.
func (c *compiler) tryGroups(sets launchSets) *routeFailure {
	c.keepNoGroups = false
	o := c.tryRoute(sets)
	p, id := c.Profile, c.Identity
	if o == nil || o.step == nil || o.step.step.Kind != cap.StepGroups || o.step.errno != cred.EPERM ||
		len(c.Caller.Groups) > 0 || !slices.Equal(id.Groups, []uint32{id.GID}) ||
		!p.NoNewPrivs && !c.Caller.NoNewPrivs && (p.Mode == nil || *p.Mode != cap.ModeNoPriv) {
		return o
	}
	kept := *c
	kept.keepNoGroups = true
	other := kept.tryRoute(sets)
	if other == nil && !kept.groupsAlike() || other != nil && other.step != nil && other.step.step.Kind == cap.StepGID {
		return o
	}
	*c = kept
	return other
}

// groupsAlike reports whether no permission depends on whether the target's list of
// supplementary groups is empty or has its gid alone. getgroups(2) shows the target
// which of them it is. Group permission is that of the
// file system gid or of a group in the list, so both give the same until the gid
// changes: by one of the four gids, by a set-group-ID program, or by cap_setgid,
// which changes the list too. So all four are the gid, no_new_privs rules the
// program out, and cap_setgid is neither held nor can be gained.
func (c *compiler) groupsAlike() bool {
	for _, s := range []cred.Cred{c.BeforeExec, c.AfterExec} {
		gid := c.Identity.GID
		if !s.NoNewPrivs || s.GID != gid || s.EGID != gid || s.SGID != gid || s.FSGID != gid ||
			s.Permitted.Union(s.Inheritable).Union(s.Ambient).Has(cred.SETGID) {
			return false
		}
	}
	return !c.reachable().most.Has(cred.SETGID)
}

// groupsList returns groups for a message, of which a caller may have 65536.
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
