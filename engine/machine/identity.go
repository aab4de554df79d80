package machine

import (
	"fmt"
	"slices"

	"caprun/engine/cred"
	"caprun/policy"
)

// Identity is the user and the groups that a target runs as.
type Identity struct {
	// Declared reports that the profile declares the identity. Otherwise the
	// target inherits that of the caller.
	Declared bool

	// User is the value of the profile's key user, a name or a number; empty if
	// the profile does not have the key.
	User string

	// Resolved is false if the entry of User was not looked up. The IDs that come
	// from the entry are then placeholders: see UnknownUID and UnknownGID.
	Resolved bool

	UID, GID uint32
	Groups   []uint32 // sorted, with GID

	// Entry is the user database entry of User; nil if there is none, or if it was
	// not looked up.
	Entry *User

	unknownUIDs, unknownGIDs placeholders
}

// TargetIdentity returns the identity of a target of profile p, launched by a process
// with the credentials caller. entry is the entry of the profile's user; nil if it was
// not looked up.
func TargetIdentity(p *policy.Profile, caller cred.Cred, entry *User) Identity {
	id := Identity{Resolved: true, UID: caller.UID, GID: caller.GID, Groups: caller.Groups}
	switch {
	case p.UID != nil:
		id.Declared, id.UID = true, *p.UID
		if p.GID != nil {
			id.GID = *p.GID
		}
		id.Groups = nil
	case p.User != "" && entry != nil:
		id.Declared, id.User, id.Entry = true, p.User, entry
		id.UID, id.GID, id.Groups = entry.UID, entry.GID, entry.Groups
		if p.GID != nil {
			id.GID = *p.GID
		}
	case p.User != "":
		id.setUnknown(p, caller)
	default:
		return id
	}
	if p.Groups != nil {
		id.Groups = p.Groups
	}
	id.Groups = withPrimary(id.GID, id.Groups)
	return id
}

// setUnknown sets the identity of a profile with a user that was not looked up, except for
// the groups that the profile declares.
func (id *Identity) setUnknown(p *policy.Profile, caller cred.Cred) {
	id.Declared, id.User, id.Resolved = true, p.User, false
	id.unknownUIDs.taken = []uint32{caller.UID, caller.EUID, caller.SUID, caller.FSUID}
	id.unknownGIDs.taken = slices.Concat([]uint32{caller.GID, caller.EGID, caller.SGID, caller.FSGID}, caller.Groups, p.Groups)
	number, err := ParseID(p.User)
	switch {
	case p.User == "root":
		id.UID = 0
	case err == nil:
		id.UID = number
	default:
		id.UID = id.unknownUIDs.add(Unknown{User: p.User})
	}
	switch {
	case p.GID != nil:
		id.GID = *p.GID
		id.unknownGIDs.taken = append(id.unknownGIDs.taken, id.GID)
	case p.User == "root":
		id.unknownGIDs.set(0, Unknown{User: p.User})
		id.GID = 0
	default:
		id.GID = id.unknownGIDs.add(Unknown{User: p.User})
	}
	if p.Groups == nil {
		id.Groups = []uint32{id.unknownGIDs.add(Unknown{User: p.User, Supplementary: true})}
	}
}

// withPrimary returns groups and gid, sorted and without duplicates. A process whose
// supplementary groups lack its gid could evade permissions that deny this group.
func withPrimary(gid uint32, groups []uint32) []uint32 {
	all := append([]uint32{gid}, groups...)
	slices.Sort(all)
	return slices.Compact(all)
}

// UnknownUID returns whose uid n stands for. If n is a known uid, ok is false.
func (id Identity) UnknownUID(n uint32) (of Unknown, ok bool) { return id.unknownUIDs.find(n) }

// UnknownGID returns what n stands for as a gid or in Groups. If n is a known gid, ok is
// false.
func (id Identity) UnknownGID(n uint32) (of Unknown, ok bool) { return id.unknownGIDs.find(n) }

// ChangesUID reports whether the uid of the target differs from the real, effective or
// saved uid of caller.
func (id Identity) ChangesUID(caller cred.Cred) bool {
	return id.Declared && (caller.UID != id.UID || caller.EUID != id.UID || caller.SUID != id.UID)
}

// Name returns the target's user for a message: "user www" or "uid 33".
func (id Identity) Name() string {
	if id.User != "" {
		return "user " + id.User
	}
	return fmt.Sprintf("uid %d", id.UID)
}
