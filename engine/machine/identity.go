package machine

import (
	"fmt"
	"slices"
	"strconv"

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
	// from the entry are then placeholders, see IsPlaceholder.
	Resolved bool

	UID, GID uint32
	Groups   []uint32 // sorted, with GID

	// Entry is the user database entry of User; nil if there is none, or if it was
	// not looked up.
	Entry *User
}

// unresolvedID is the placeholder for an unknown ID. It is not 0, and no user has it.
const unresolvedID = cred.NoID - 1

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
	case p.User != "":
		id.Declared, id.User, id.Entry = true, p.User, entry
		id.UID, id.GID, id.Groups = unresolvedID, unresolvedID, nil
		switch {
		case entry != nil:
			id.UID, id.GID, id.Groups = entry.UID, entry.GID, entry.Groups
		case p.User == "root":
			id.UID, id.GID, id.Resolved = 0, 0, false
		default:
			id.Resolved = false
			if n, err := strconv.ParseUint(p.User, 10, 32); err == nil {
				id.UID = uint32(n)
			}
		}
		if p.GID != nil {
			id.GID = *p.GID
		}
	default:
		return id
	}
	if p.Groups != nil {
		id.Groups = p.Groups
	}
	id.Groups = withPrimary(id.GID, id.Groups)
	return id
}

// withPrimary returns groups and gid, sorted and without duplicates. A process whose
// supplementary groups lack its gid could evade permissions that deny this group.
func withPrimary(gid uint32, groups []uint32) []uint32 {
	all := append([]uint32{gid}, groups...)
	slices.Sort(all)
	return slices.Compact(all)
}

// IsPlaceholder reports whether n stands for an unknown ID, of an entry that was not
// looked up.
func (id Identity) IsPlaceholder(n uint32) bool { return n == unresolvedID }

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
