package observe

import "slices"

// idCalls are the system calls that an IDChange is about, with the position of the
// argument that is the new effective ID, and whether that is a user ID.
var idCalls = map[string]struct {
	argument int
	user     bool
}{
	"setuid": {0, true}, "setreuid": {1, true}, "setresuid": {1, true},
	"setgid": {0, false}, "setregid": {1, false}, "setresgid": {1, false},
	"setgroups": {-1, false},
}

// idCallNames are the names of idCalls.
var idCallNames = []string{"setuid", "setreuid", "setresuid", "setgid", "setregid", "setresgid", "setgroups"}

func (c *collector) addIDChange(e event, t *thread, call Call) {
	sets, found := idCalls[call.Name]
	if !found {
		return
	}
	if len(c.recording.IDChanges) >= c.limit {
		c.recording.Lost++
		return
	}
	change := IDChange{
		PID: int(e.pid), TID: int(e.tid), Time: e.time, Command: t.name, Call: call,
		UID: -1, GID: -1, Groups: e.groups, GroupsKnown: e.known, After: e.ids,
	}
	if sets.argument >= 0 {
		id := int64(uint32(e.regs.args[sets.argument]))
		if id == 1<<32-1 {
			id = -1 // unchanged
		}
		if sets.user {
			change.UID = id
		} else {
			change.GID = id
		}
	}
	if after := e.ids; after != nil {
		change.Settled = (change.UID < 0 || change.UID == int64(after.UID)) && (change.GID < 0 || change.GID == int64(after.GID)) &&
			(sets.argument >= 0 || e.known && sameGroups(e.groups, after.Groups))
	}
	c.recording.IDChanges = append(c.recording.IDChanges, change)
}

// sameGroups compares lists of groups. The kernel sorts them.
func sameGroups(a, b []uint32) bool {
	return slices.Equal(slices.Sorted(slices.Values(a)), slices.Sorted(slices.Values(b)))
}

// An Identity is what a thread changed its user ID to, with its groups.
type Identity struct {
	PID, TID int
	Time     uint64 // nanoseconds of CLOCK_MONOTONIC
	Command  string
	UID      uint32 // effective

	// GID is the effective group ID, or -1 if it is unknown. Groups are the supplementary
	// groups, if GroupsKnown.
	GID         int64
	Groups      []uint32
	GroupsKnown bool

	// Guessed reports that GID and Groups were not read from the thread, but are those
	// that its last successful calls set. What it had not set is unknown.
	Guessed bool
}

// Identities returns the user IDs that threads of the tree changed to, in the order of time.
func (r *Recording) Identities() []Identity {
	type groupIDs struct {
		gid    int64
		groups []uint32
		known  bool
	}
	set := map[int]groupIDs{} // by TID
	var all []Identity
	for _, c := range r.IDChanges {
		last, found := set[c.TID]
		if !found {
			last.gid = -1
		}
		switch {
		case c.UID >= 0 && c.After != nil && c.Settled:
			all = append(all, Identity{
				PID: c.PID, TID: c.TID, Time: c.Time, Command: c.Command, UID: uint32(c.UID),
				GID: int64(c.After.GID), Groups: c.After.Groups, GroupsKnown: true,
			})
		case c.UID >= 0:
			all = append(all, Identity{
				PID: c.PID, TID: c.TID, Time: c.Time, Command: c.Command, UID: uint32(c.UID),
				GID: last.gid, Groups: last.groups, GroupsKnown: last.known, Guessed: true,
			})
		case c.GID >= 0:
			last.gid = c.GID
		case c.Call.Name == "setgroups":
			last.groups, last.known = c.Groups, c.GroupsKnown
		}
		set[c.TID] = last
	}
	return all
}
