package cred

import "slices"

// NoID leaves an ID unchanged in Setreuid, Setresuid, Setregid and Setresgid: -1 in the
// manual pages. It is never a valid ID.
const NoID = ^uint32(0)

// MaxGroups is the maximum number of supplementary groups: NGROUPS_MAX.
const MaxGroups = 65536

// Setuid is setuid(2). With SETUID it sets all four uids to u. Without SETUID it sets only
// the effective and the file system uid, and u must be the real or the saved uid. The
// capability sets change as the package documentation describes.
//
// EINVAL for an ID that the user namespace does not map, then EPERM.
//
// Kernel: __sys_setuid (kernel/sys.c).
func (c Cred) Setuid(u uint32) (Cred, Errno) {
	if !c.UserNS.uids().has(u) {
		return c, EINVAL
	}
	x, errno := c.uids().set(u, c.able(SETUID))
	return c.withUIDs(x), errno
}

// Setreuid is setreuid(2); [NoID] leaves an ID unchanged. Without SETUID a new real uid
// must be the real or effective one, and a new effective uid the real, effective or saved
// one. The saved uid becomes the effective one if r is given, or if e is given and is not
// the old real uid. The file system uid always becomes the effective one. The capability
// sets change as for [Cred.Setuid].
//
// EINVAL for an ID that the user namespace does not map, then EPERM.
//
// Kernel: __sys_setreuid (kernel/sys.c).
func (c Cred) Setreuid(r, e uint32) (Cred, Errno) {
	if !c.UserNS.uids().hasGiven(r, e) {
		return c, EINVAL
	}
	x, errno := c.uids().setre(r, e, c.able(SETUID))
	return c.withUIDs(x), errno
}

// Setresuid is setresuid(2); [NoID] leaves an ID unchanged. Without SETUID each given ID
// must be the real, effective or saved uid. If a given ID differs from the present one, the
// file system uid becomes the effective one; otherwise the call changes nothing. (Kernels
// before 6.3 without the backported fix set the file system uid in that case too.) The
// capability sets change as for [Cred.Setuid].
//
// EINVAL for an ID that the user namespace does not map, then EPERM.
//
// Kernel: __sys_setresuid (kernel/sys.c).
func (c Cred) Setresuid(r, e, s uint32) (Cred, Errno) {
	if !c.UserNS.uids().hasGiven(r, e, s) {
		return c, EINVAL
	}
	x, errno := c.uids().setres(r, e, s, c.able(SETUID))
	return c.withUIDs(x), errno
}

// Setfsuid is setfsuid(2). It sets the file system uid to u if u is one of the four uids or
// the task has SETUID; otherwise it does nothing. It never fails. If the file system uid
// changes from 0, the effective set loses [FS]; if it changes to 0, the effective set gains
// the permitted capabilities of FS. [SecNoSetuidFixup] disables both.
//
// Kernel: __sys_setfsuid (kernel/sys.c), cap_task_fix_setuid (security/commoncap.c).
func (c Cred) Setfsuid(u uint32) Cred {
	if !c.UserNS.uids().has(u) {
		return c
	}
	n := c
	n.FSUID = c.uids().setfs(u, c.able(SETUID)).fs
	if c.Securebits.Has(SecNoSetuidFixup) {
		return n
	}
	switch was, is := c.isRoot(c.FSUID), c.isRoot(n.FSUID); {
	case was && !is:
		n.Effective = c.Effective.Minus(FS)
	case !was && is:
		n.Effective = c.Effective.Union(c.Permitted.Intersect(FS))
	}
	return n
}

// Setgid is setgid(2): [Cred.Setuid] for gids, with SETGID instead of SETUID. No group call
// changes a capability set.
//
// EINVAL for an ID that the user namespace does not map, then EPERM.
//
// Kernel: __sys_setgid (kernel/sys.c).
func (c Cred) Setgid(g uint32) (Cred, Errno) {
	if !c.UserNS.gids().has(g) {
		return c, EINVAL
	}
	x, errno := c.gids().set(g, c.able(SETGID))
	return c.withGIDs(x), errno
}

// Setregid is setregid(2): [Cred.Setreuid] for gids, with SETGID instead of SETUID.
//
// EINVAL for an ID that the user namespace does not map, then EPERM.
//
// Kernel: __sys_setregid (kernel/sys.c).
func (c Cred) Setregid(r, e uint32) (Cred, Errno) {
	if !c.UserNS.gids().hasGiven(r, e) {
		return c, EINVAL
	}
	x, errno := c.gids().setre(r, e, c.able(SETGID))
	return c.withGIDs(x), errno
}

// Setresgid is setresgid(2): [Cred.Setresuid] for gids, with SETGID instead of SETUID.
//
// EINVAL for an ID that the user namespace does not map, then EPERM.
//
// Kernel: __sys_setresgid (kernel/sys.c).
func (c Cred) Setresgid(r, e, s uint32) (Cred, Errno) {
	if !c.UserNS.gids().hasGiven(r, e, s) {
		return c, EINVAL
	}
	x, errno := c.gids().setres(r, e, s, c.able(SETGID))
	return c.withGIDs(x), errno
}

// Setfsgid is setfsgid(2): it sets the file system gid to g if g is one of the four gids or
// the task has SETGID; otherwise it does nothing.
//
// Kernel: __sys_setfsgid (kernel/sys.c).
func (c Cred) Setfsgid(g uint32) Cred {
	if !c.UserNS.gids().has(g) {
		return c
	}
	return c.withGIDs(c.gids().setfs(g, c.able(SETGID)))
}

// Setgroups replaces the supplementary groups by a sorted copy of groups, which may be
// empty, as setgroups(2) does.
//
// EPERM without SETGID, and in a user namespace that denies setgroups or has no gid map;
// then EINVAL for more than [MaxGroups] groups or for an ID that the user namespace does not
// map.
//
// Kernel: sys_setgroups, may_setgroups (kernel/groups.c).
func (c Cred) Setgroups(groups []uint32) (Cred, Errno) {
	if !c.able(SETGID) || !c.UserNS.maySetgroups() {
		return c, EPERM
	}
	if len(groups) > MaxGroups {
		return c, EINVAL
	}
	for _, g := range groups {
		if !c.UserNS.gids().has(g) {
			return c, EINVAL
		}
	}
	c.Groups = slices.Sorted(slices.Values(groups))
	return c, 0
}

// ids are the four uids or the four gids of a task. The same rules change both; they differ
// in the capability that is required and in the effect on capability sets.
type ids struct{ real, effective, saved, fs uint32 }

func (c Cred) uids() ids { return ids{c.UID, c.EUID, c.SUID, c.FSUID} }
func (c Cred) gids() ids { return ids{c.GID, c.EGID, c.SGID, c.FSGID} }

// withUIDs returns c with the uids x, and with the capability sets after a call that
// changed the uids to x.
//
// Kernel: cap_task_fix_setuid, cap_emulate_setxuid (security/commoncap.c).
func (c Cred) withUIDs(x ids) Cred {
	n := c
	n.UID, n.EUID, n.SUID, n.FSUID = x.real, x.effective, x.saved, x.fs
	if c.Securebits.Has(SecNoSetuidFixup) {
		return n
	}
	if c.hasRootID() && !n.hasRootID() {
		if !c.Securebits.Has(SecKeepCaps) {
			n.Permitted, n.Effective = 0, 0
		}
		n.Ambient = 0
	}
	switch was, is := c.isRoot(c.EUID), n.isRoot(n.EUID); {
	case was && !is:
		n.Effective = 0
	case !was && is:
		n.Effective = n.Permitted
	}
	return n
}

func (c Cred) withGIDs(x ids) Cred {
	c.GID, c.EGID, c.SGID, c.FSGID = x.real, x.effective, x.saved, x.fs
	return c
}

// isRoot reports whether u is the root user of the task's user namespace, which may not
// have one.
func (c Cred) isRoot(u uint32) bool { return u == 0 && c.UserNS.uids().has(0) }

// hasRootID reports whether the real, effective or saved uid is root.
func (c Cred) hasRootID() bool {
	return c.isRoot(c.UID) || c.isRoot(c.EUID) || c.isRoot(c.SUID)
}

func (x ids) set(id uint32, able bool) (ids, Errno) {
	n := x
	switch {
	case able:
		n.real, n.saved = id, id
	case id != x.real && id != x.saved:
		return x, EPERM
	}
	n.effective, n.fs = id, id
	return n, 0
}

func (x ids) setre(real, effective uint32, able bool) (ids, Errno) {
	n := x
	if real != NoID {
		if real != x.real && real != x.effective && !able {
			return x, EPERM
		}
		n.real = real
	}
	if effective != NoID {
		if !x.includes(effective) && !able {
			return x, EPERM
		}
		n.effective = effective
	}
	if real != NoID || effective != NoID && effective != x.real {
		n.saved = n.effective
	}
	n.fs = n.effective
	return n, 0
}

func (x ids) setres(real, effective, saved uint32, able bool) (ids, Errno) {
	n := x
	if real != NoID {
		n.real = real
	}
	if effective != NoID {
		n.effective, n.fs = effective, effective
	}
	if saved != NoID {
		n.saved = saved
	}
	if n == x {
		return x, 0
	}
	if !able && !(x.includes(n.real) && x.includes(n.effective) && x.includes(n.saved)) {
		return x, EPERM
	}
	n.fs = n.effective
	return n, 0
}

func (x ids) setfs(id uint32, able bool) ids {
	if able || x.includes(id) {
		x.fs = id
	}
	return x
}

// includes reports whether id is the real, effective or saved one.
func (x ids) includes(id uint32) bool {
	return id == x.real || id == x.effective || id == x.saved
}
