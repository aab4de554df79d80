package cred

import "slices"

// OverflowID is what the kernel shows for an id that the user namespace does
// not map: the default of /proc/sys/kernel/overflowuid and overflowgid.
const OverflowID = 65534

// UserNS holds the facts about a user namespace that rules depend on. The zero
// value is the initial namespace, where every id but [NoID] exists and
// setgroups is allowed.
//
// The ids of a [Cred] and of a [File] are as seen inside. Two different ids
// that are not mapped look the same there, and are the same to this package.
// A namespace that maps OverflowID too shows an unmapped id and the mapped one
// alike. To this package they differ: there, [NoID] stands for an unmapped id.
type UserNS struct {
	// Nested says that this is not the initial namespace. UIDs and GIDs then
	// have the lines of uid_map and gid_map, in any order, and an id that no
	// extent covers does not exist.
	Nested     bool
	UIDs, GIDs []Extent

	// SetgroupsDenied says that /proc/PID/setgroups reads "deny".
	SetgroupsDenied bool
}

// Extent is a line of uid_map or gid_map: the ids Inside to Inside+Count-1 are
// the ids Outside to Outside+Count-1 of the parent namespace.
type Extent struct{ Inside, Outside, Count uint32 }

// NewUserNamespace moves the task into a new user namespace, as
// unshare(2) and clone(2) with CLONE_NEWUSER do. The argument says how the
// namespace will be once its maps are written; Nested is implied. With empty
// maps the result is what the task is before that.
//
// The task gets every capability inside, whatever its bounding set was
// outside: P = E = B = All, I = A = {}. Securebits are cleared, even locked
// ones. The user stays the same, so its ids change as the maps say. The
// file system state is no longer shared. No_new_privs stays.
//
// The effective user owns the new namespace. A tracer which had that effective
// uid when it attached, in the parent namespace, has CAP_SYS_PTRACE over the
// new one, and Traced ends. Any other tracer stays one without it, there and in
// every namespace below.
//
// EPERM after a change of root directory, and when the effective uid or gid
// is not mapped in the present namespace. Limits (ENOSPC) and threads
// (EINVAL from unshare) are outside this model, and so is who may write which
// map.
//
// Kernel: create_user_ns, set_cred_user_ns (kernel/user_namespace.c), and for
// the tracer cap_capable (security/commoncap.c).
func (c Cred) NewUserNamespace(ns UserNS) (Cred, Errno) {
	if c.Chrooted || !c.UserNS.uids().has(c.EUID) || !c.UserNS.gids().has(c.EGID) {
		return c, EPERM
	}
	ns.Nested = true
	uids, gids := ns.uids(), ns.gids()
	n := c
	n.UserNS = ns
	n.UID, n.EUID, n.SUID, n.FSUID = uids.inside(c.UID), uids.inside(c.EUID), uids.inside(c.SUID), uids.inside(c.FSUID)
	n.GID, n.EGID, n.SGID, n.FSGID = gids.inside(c.GID), gids.inside(c.EGID), gids.inside(c.SGID), gids.inside(c.FSGID)
	n.Groups = make([]uint32, len(c.Groups))
	for i, g := range c.Groups {
		n.Groups[i] = gids.inside(g)
	}
	slices.Sort(n.Groups)
	n.Inheritable, n.Ambient = 0, 0
	n.Permitted, n.Effective, n.Bounding = c.All, c.All, c.All
	n.Securebits = 0
	n.SharedFS = false
	switch {
	case !c.Traced:
	case c.TracerUID == c.EUID:
		n.Traced, n.TracerUID = false, 0
	default:
		n.TracerUID = NoID
	}
	return n, 0
}

// maySetgroups is userns_may_setgroups (kernel/user_namespace.c).
func (ns UserNS) maySetgroups() bool {
	return !ns.SetgroupsDenied && (!ns.Nested || len(ns.GIDs) > 0)
}

func (ns UserNS) equal(other UserNS) bool {
	return ns.Nested == other.Nested && ns.SetgroupsDenied == other.SetgroupsDenied &&
		slices.Equal(ns.UIDs, other.UIDs) && slices.Equal(ns.GIDs, other.GIDs)
}

// MapsUID reports whether a uid exists inside the namespace.
func (ns UserNS) MapsUID(uid uint32) bool { return ns.uids().has(uid) }

// MapsGID reports whether a gid exists inside the namespace.
func (ns UserNS) MapsGID(gid uint32) bool { return ns.gids().has(gid) }

func (ns UserNS) uids() idMap { return idMap{everything: !ns.Nested, extents: ns.UIDs} }
func (ns UserNS) gids() idMap { return idMap{everything: !ns.Nested, extents: ns.GIDs} }

// idMap is one of the two maps of a user namespace.
type idMap struct {
	everything bool
	extents    []Extent
}

// has reports whether id exists inside: from_kuid and make_kuid
// (kernel/user_namespace.c).
func (m idMap) has(id uint32) bool {
	if id == NoID {
		return false
	}
	return m.everything || slices.ContainsFunc(m.extents, func(x Extent) bool {
		return id >= x.Inside && id-x.Inside < x.Count
	})
}

// hasGiven reports whether all ids that are not NoID exist inside.
func (m idMap) hasGiven(ids ...uint32) bool {
	for _, id := range ids {
		if id != NoID && !m.has(id) {
			return false
		}
	}
	return true
}

// inside returns what an id of the parent namespace is inside. An unmapped one
// is OverflowID, or NoID where OverflowID is mapped.
func (m idMap) inside(id uint32) uint32 {
	for _, x := range m.extents {
		if id >= x.Outside && id-x.Outside < x.Count {
			return x.Inside + (id - x.Outside)
		}
	}
	if m.has(OverflowID) {
		return NoID
	}
	return OverflowID
}
