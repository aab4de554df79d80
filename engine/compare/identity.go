package compare

import (
	"cmp"
	"fmt"
	"slices"

	"caprun/engine/cred"
	"caprun/engine/machine"
)

// ID is a user or group ID: a number, or one that is unknown.
type ID struct {
	Number  uint32
	Unknown machine.Unknown // what the ID stands for if it is unknown; Number is then 0
}

func (id ID) String() string {
	if id.isUnknown() {
		return id.Unknown.String()
	}
	return fmt.Sprint(id.Number)
}

func (id ID) isUnknown() bool { return id.Unknown != machine.Unknown{} }

// isRoot reports whether the ID is 0. An unknown ID of another user than root counts as
// not 0.
func (id ID) isRoot() bool { return id == ID{} }

// IDs are the real, effective, saved and file system ID of a user or a group.
type IDs [4]ID

// String returns the IDs, separated by commas; only one if all are the same.
func (ids IDs) String() string {
	if ids[0] == ids[1] && ids[1] == ids[2] && ids[2] == ids[3] {
		return ids[0].String()
	}
	return fmt.Sprintf("%v,%v,%v,%v", ids[0], ids[1], ids[2], ids[3])
}
func (ids IDs) equal(v Value) bool { return v == Value(ids) }

// MayBeRoot reports whether one of the IDs is 0.
func (ids IDs) MayBeRoot() bool { return slices.ContainsFunc(ids[:], ID.isRoot) }

// GroupList is a list of supplementary groups, sorted and without duplicates.
type GroupList []ID

func (g GroupList) String() string     { return joinOr(g.elements(), "none") }
func (g GroupList) equal(v Value) bool { o, ok := v.(GroupList); return ok && slices.Equal(g, o) }
func (g GroupList) elements() (list []string) {
	for _, id := range g {
		text := id.String()
		if id.Unknown.User != "" && !id.Unknown.Supplementary {
			text = "gid " + text
		}
		list = append(list, text)
	}
	return list
}

// identity is the user and the groups of a target.
type identity struct {
	uids, gids IDs
	groups     GroupList
}

func identityOf(c cred.Cred, id machine.Identity) identity {
	user := func(n uint32) ID {
		if of, unknown := id.UnknownUID(n); unknown {
			return ID{Unknown: of}
		}
		return ID{Number: n}
	}
	group := func(n uint32) ID {
		if of, unknown := id.UnknownGID(n); unknown {
			return ID{Unknown: of}
		}
		return ID{Number: n}
	}
	o := identity{
		uids: IDs{user(c.UID), user(c.EUID), user(c.SUID), user(c.FSUID)},
		gids: IDs{group(c.GID), group(c.EGID), group(c.SGID), group(c.FSGID)},
	}
	for _, g := range slices.Compact(slices.Clone(c.Groups)) {
		o.groups = append(o.groups, group(g))
	}
	slices.SortStableFunc(o.groups, func(a, b ID) int {
		// The placeholders of unknown IDs have no order.
		return cmp.Or(cmp.Compare(a.Number, b.Number), cmp.Compare(a.String(), b.String()))
	})
	return o
}

func compareIdentity(old, new identity) []Difference {
	uid := Difference{UID, orderIDs(old.uids, new.uids), old.uids, new.uids}
	gid := Difference{GID, orderIDs(old.gids, new.gids), old.gids, new.gids}
	groups := Difference{Groups, within(minus(old.groups, new.groups) == nil, minus(new.groups, old.groups) == nil), old.groups, new.groups}
	if rootBefore, rootAfter := old.uids.MayBeRoot(), new.uids.MayBeRoot(); rootBefore != rootAfter {
		// uid 0 can join every group by editing a file, so the lists do not show
		// what is gained.
		order := within(rootAfter, rootBefore)
		uid.Order, gid.Order, groups.Order = order, order, order
		groups.Old, groups.New = Text(old.groups.String()), Text(new.groups.String())
	}
	return []Difference{uid, gid, groups}
}

// orderIDs compares four IDs. A task can switch between the IDs that it has, so more
// distinct IDs grant more.
func orderIDs(old, new IDs) Order {
	if old == new {
		return Same
	}
	o := within(minus(old[:], new[:]) == nil, minus(new[:], old[:]) == nil)
	if o == Same {
		return Incomparable
	}
	return o
}
