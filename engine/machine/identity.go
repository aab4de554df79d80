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

	// Resolved is false if the entry of User, or of a group that the profile names,
	// was not looked up. The IDs that come from it are then placeholders: see
	// UnknownUID and UnknownGID.
	Resolved bool

	UID, GID uint32
	Groups   []uint32 // sorted, with GID

	// Entry is the user database entry of User; nil if there is none, or if it was
	// not looked up.
	Entry *User

	unknownUIDs, unknownGIDs placeholders
}

// TargetIdentity returns the identity of a target of profile p, launched by a process
// with the credentials caller. accounts are those that p names; nil if they were not looked
// up.
func TargetIdentity(p *policy.Profile, caller cred.Cred, accounts *Accounts) Identity {
	if p.UID == nil && p.User == "" {
		return Identity{Resolved: true, UID: caller.UID, GID: caller.GID, Groups: caller.Groups}
	}
	if accounts == nil {
		accounts = &Accounts{}
	}
	id := Identity{Declared: true, Resolved: true}
	id.reserve(p, caller)
	if p.UID != nil {
		id.UID, id.GID = *p.UID, caller.GID
	} else {
		id.setUser(p, accounts.User)
	}
	if p.GID != nil {
		id.GID = id.group(*p.GID, accounts)
	}
	if p.Groups != nil {
		id.Groups = make([]uint32, len(p.Groups))
		for n, g := range p.Groups {
			id.Groups[n] = id.group(g, accounts)
		}
	}
	id.Groups = withPrimary(id.GID, id.Groups)
	return id
}

// reserve keeps 0 and the IDs of the caller and of the profile from being placeholders.
func (id *Identity) reserve(p *policy.Profile, caller cred.Cred) {
	id.unknownUIDs.taken = []uint32{0, caller.UID, caller.EUID, caller.SUID, caller.FSUID}
	id.unknownGIDs.taken = append([]uint32{0, caller.GID, caller.EGID, caller.SGID, caller.FSGID}, caller.Groups...)
	for _, g := range groupsOf(p) {
		id.unknownGIDs.taken = append(id.unknownGIDs.taken, g.ID)
	}
	if ns := caller.UserNS; ns.Nested {
		// The kernel shows OverflowID for an ID that is not mapped.
		id.unknownUIDs.taken, id.unknownGIDs.taken = append(id.unknownUIDs.taken, cred.OverflowID), append(id.unknownGIDs.taken, cred.OverflowID)
		id.unknownUIDs.mapped, id.unknownGIDs.mapped = ns.UIDs, ns.GIDs
	}
}

// setUser sets the identity to that of the profile's user. entry is nil if it was not
// looked up.
func (id *Identity) setUser(p *policy.Profile, entry *User) {
	id.User, id.Entry = p.User, entry
	if entry != nil {
		id.UID, id.GID, id.Groups = entry.UID, entry.GID, entry.Groups
		return
	}
	id.Resolved = false
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

// group returns the gid of a group: for a name that was not looked up, a placeholder.
func (id *Identity) group(g policy.Group, accounts *Accounts) uint32 {
	if g.Name == "" {
		return g.ID
	}
	gid, ok := accounts.Groups[g.Name]
	if !ok {
		id.Resolved = false
		return id.unknownGIDs.add(Unknown{Group: g.Name})
	}
	return gid
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
