package machine

import (
	"fmt"
	"slices"
	"strconv"

	"caprun/engine/cred"
	"caprun/policy"
)

// Identity is who the target runs as.
type Identity struct {
	// Declared tells that the profile names it; otherwise it is the caller's.
	Declared bool

	// User is the user of the profile: a name or a number; empty without.
	User string

	// Resolved is false for a user whose entry has not been looked up. The
	// ids are placeholders then: they stand for ids other than 0.
	Resolved bool

	UID, GID uint32
	Groups   []uint32 // sorted, the primary gid included

	// Entry is the entry of the user database; nil without.
	Entry *User
}

// unresolvedID stands for the id of an entry that has not been looked up: it
// is no id that a user has, and not 0.
const unresolvedID = cred.NoID - 1

// TargetIdentity finds the identity that p declares, with entry for its user.
func TargetIdentity(p *policy.Profile, from cred.Cred, entry *User) Identity {
	id := Identity{Resolved: true, UID: from.UID, GID: from.GID, Groups: from.Groups}
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

// withPrimary returns groups sorted, each once, with gid among them: a process
// whose primary group is missing there passes negative group permissions by.
func withPrimary(gid uint32, groups []uint32) []uint32 {
	all := append([]uint32{gid}, groups...)
	slices.Sort(all)
	return slices.Compact(all)
}

// IsPlaceholder reports whether a number stands for an id of an entry that was not
// looked up.
func (id Identity) IsPlaceholder(n uint32) bool { return n == unresolvedID }

// ChangesUID reports whether the target has another uid than from.
func (id Identity) ChangesUID(from cred.Cred) bool {
	return id.Declared && (from.UID != id.UID || from.EUID != id.UID || from.SUID != id.UID)
}

// Name returns what messages call the target's user: "user www" or "uid 33".
func (id Identity) Name() string {
	if id.User != "" {
		return "user " + id.User
	}
	return fmt.Sprintf("uid %d", id.UID)
}
