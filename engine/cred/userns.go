package cred

import "slices"

// OverflowID is the ID that the kernel shows for an ID that the user namespace does not
// map: the default of /proc/sys/kernel/overflowuid and overflowgid.
const OverflowID = 65534

// UserNS has the facts about a user namespace that the rules depend on. The zero value is
// the initial namespace, where every ID except [NoID] exists and setgroups(2) is allowed.
//
// The IDs of a [Cred] and of a [File] are as seen in the namespace. Two different unmapped
// IDs look the same there, and the model treats them as the same. In a namespace that maps
// OverflowID, the kernel shows an unmapped ID and the mapped one alike; the model uses
// [NoID] for an unmapped ID there.
type UserNS struct {
	// Nested reports that this is not the initial namespace. UIDs and GIDs then have
	// the lines of uid_map and gid_map, in any order, and an ID that is in no
	// extent does not exist.
	Nested     bool
	UIDs, GIDs []Extent

	// SetgroupsDenied reports that /proc/PID/setgroups is "deny".
	SetgroupsDenied bool
}

// Extent is a line of uid_map or gid_map: the IDs Inside to Inside+Count-1 are the IDs
// Outside to Outside+Count-1 of the parent namespace.
type Extent struct{ Inside, Outside, Count uint32 }

// NewUserNamespace moves the task to a new user namespace, as unshare(2) and clone(2) with
// CLONE_NEWUSER do. ns describes the namespace after its maps are written; Nested is
// implied. With empty maps the result is the state before that.
//
// The task gets every capability, whatever its bounding set was: P = E = B = All, I = A =
// {}. The securebits are cleared, even locked ones. The IDs become what the maps say. The
// file system state is no longer shared. no_new_privs is unchanged.
//
// The effective user owns the new namespace. A tracer with that effective uid when it
// attached, in the parent namespace, has CAP_SYS_PTRACE over the new namespace, so Traced
// becomes false. Any other tracer stays a tracer without it, there and in every namespace
// below.
//
// EPERM if the root directory was changed, or if the effective uid or gid is not mapped in
// the present namespace. Outside the model are limits (ENOSPC), the number of threads
// (EINVAL from unshare), and who may write which map.
//
// Kernel: create_user_ns, set_cred_user_ns (kernel/user_namespace.c), and for the tracer
// cap_capable (security/commoncap.c).
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

// MapsUID reports whether uid exists in the namespace.
func (ns UserNS) MapsUID(uid uint32) bool { return ns.uids().has(uid) }

// MapsGID reports whether gid exists in the namespace.
func (ns UserNS) MapsGID(gid uint32) bool { return ns.gids().has(gid) }

func (ns UserNS) uids() idMap { return idMap{everything: !ns.Nested, extents: ns.UIDs} }
func (ns UserNS) gids() idMap { return idMap{everything: !ns.Nested, extents: ns.GIDs} }

// idMap is the uid map or the gid map of a user namespace.
type idMap struct {
	everything bool
	extents    []Extent
}

// has reports whether id exists in the namespace: from_kuid and make_kuid
// (kernel/user_namespace.c).
func (m idMap) has(id uint32) bool {
	if id == NoID {
		return false
	}
	return m.everything || slices.ContainsFunc(m.extents, func(x Extent) bool {
		return id >= x.Inside && id-x.Inside < x.Count
	})
}

// hasGiven reports whether all IDs that are not NoID exist in the namespace.
func (m idMap) hasGiven(ids ...uint32) bool {
	for _, id := range ids {
		if id != NoID && !m.has(id) {
			return false
		}
	}
	return true
}

// inside returns the ID in the namespace of an ID of the parent namespace. For an unmapped
// one it returns OverflowID, or NoID if the map has OverflowID.
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
