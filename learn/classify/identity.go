package classify

import (
	"slices"

	"caprun/learn/observe"
)

// An Identity is one to which processes of the tree changed by themselves.
type Identity struct {
	UID uint32

	// GID and Groups are known only if the flags say so.
	GID         uint32
	GIDKnown    bool
	Groups      []uint32 // sorted
	GroupsKnown bool

	// Command is the name of the first thread that changed to it, Processes the number of
	// processes that did.
	Command   string
	Processes int
}

// MaxIdentities is the largest number of identities that Identities returns.
const MaxIdentities = 8

// Identities returns the identities that processes of the tree had after their last
// change of an ID, in the order of time. It leaves out processes that did not change
// their uid, and those that changed it back to 0. The caller compares them with the
// identity with which the program started.
func Identities(r *observe.Recording) []Identity {
	if r == nil {
		return nil
	}
	type state struct {
		Identity
		changed bool
	}
	processes := map[int]*state{}
	var order []*state
	for i := range r.IDChanges {
		c := &r.IDChanges[i]
		p := processes[c.PID]
		if p == nil {
			p = &state{Identity: Identity{Command: c.Command}}
			processes[c.PID] = p
			order = append(order, p)
		}
		if c.UID >= 0 && c.UID < 1<<32 {
			p.UID, p.changed = uint32(c.UID), true
		}
		if c.GID >= 0 && c.GID < 1<<32 {
			p.GID, p.GIDKnown = uint32(c.GID), true
		}
		if c.GroupsKnown {
			p.Groups, p.GroupsKnown = sorted(c.Groups), true
		}
		if after := c.After; after != nil && c.Settled {
			p.GID, p.GIDKnown = after.GID, true
			p.Groups, p.GroupsKnown = sorted(after.Groups), true
		}
	}
	var list []Identity
	for _, p := range order {
		if !p.changed || p.UID == 0 {
			continue
		}
		at := slices.IndexFunc(list, func(other Identity) bool {
			return p.UID == other.UID && p.GID == other.GID && p.GIDKnown == other.GIDKnown &&
				p.GroupsKnown == other.GroupsKnown && slices.Equal(p.Groups, other.Groups)
		})
		switch {
		case at >= 0:
			list[at].Processes++
		case len(list) < MaxIdentities:
			p.Processes = 1
			list = append(list, p.Identity)
		}
	}
	return list
}

// OnlyIdentity returns the identity with the only uid in a list, if there is exactly one
// uid and its gid is known: the program could start as this user. If several identities
// have this uid, it returns the one that most processes had.
func OnlyIdentity(list []Identity) (Identity, bool) {
	var best Identity
	for n, id := range list {
		if n > 0 && id.UID != list[0].UID {
			return Identity{}, false
		}
		if id.GIDKnown && id.Processes > best.Processes {
			best = id
		}
	}
	return best, best.Processes > 0
}

func sorted(groups []uint32) []uint32 {
	groups = slices.Clone(groups)
	slices.Sort(groups)
	return slices.Compact(groups)
}
