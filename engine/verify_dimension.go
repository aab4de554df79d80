package engine

import (
	"fmt"
	"slices"

	"caprun/engine/cred"
)

// Dimension is one respect in which two launches, or a launch and a process,
// are compared.
type Dimension struct {
	Name  string
	Order Order // of B next to A
	A, B  string

	// Gained is what B has and A has not, Lost what A has and B has not,
	// where that can be listed.
	Gained, Lost []string
}

// compareCreds compares ids, groups, the five vectors and no_new_privs.
func compareCreds(a, b cred.Cred) []Dimension {
	uidsA, uidsB := []uint32{a.UID, a.EUID, a.SUID, a.FSUID}, []uint32{b.UID, b.EUID, b.SUID, b.FSUID}
	gidsA, gidsB := []uint32{a.GID, a.EGID, a.SGID, a.FSGID}, []uint32{b.GID, b.EGID, b.SGID, b.FSGID}
	rootA, rootB := slices.Contains(uidsA, 0), slices.Contains(uidsB, 0)
	// Who can be uid 0 owns the files that decide who everyone is.
	mighty := func(o Order) Order {
		switch {
		case o == Same || rootA == rootB:
			return o
		case rootA:
			return Less
		}
		return More
	}
	list := []Dimension{
		idDimension("uid", uidsA, uidsB),
		idDimension("gid", gidsA, gidsB),
		groupsDimension(a.Groups, b.Groups),
	}
	for n := range list {
		list[n].Order = mighty(list[n].Order)
	}
	list = append(list,
		capsDimension("effective", a.Effective, b.Effective),
		capsDimension("permitted", a.Permitted, b.Permitted),
		capsDimension("inheritable", a.Inheritable, b.Inheritable),
		capsDimension("ambient", a.Ambient, b.Ambient),
		capsDimension("bounding", a.Bounding, b.Bounding))
	return append(list, Dimension{
		Name: "no_new_privs", A: fmt.Sprint(a.NoNewPrivs), B: fmt.Sprint(b.NoNewPrivs),
		Order: ordered(a.NoNewPrivs || !b.NoNewPrivs, b.NoNewPrivs || !a.NoNewPrivs),
	})
}

func idDimension(name string, a, b []uint32) Dimension {
	d := setDimension(name, a, b)
	d.A, d.B = idsText(a), idsText(b)
	if d.Order == Same && !slices.Equal(a, b) {
		d.Order = Incomparable
	}
	return d
}

func groupsDimension(a, b []uint32) Dimension {
	d := setDimension("groups", a, b)
	d.A, d.B = FieldText(cred.Cred{Groups: a}, "Groups"), FieldText(cred.Cred{Groups: b}, "Groups")
	return d
}

func setDimension(name string, a, b []uint32) Dimension {
	d := Dimension{Name: name, Gained: without(b, a), Lost: without(a, b)}
	d.Order = ordered(d.Lost == nil, d.Gained == nil)
	return d
}

// without returns what is in list and not in other, sorted, each once.
func without(list, other []uint32) []string {
	var rest []string
	for _, id := range slices.Compact(slices.Sorted(slices.Values(list))) {
		if !slices.Contains(other, id) {
			rest = append(rest, fmt.Sprint(id))
		}
	}
	return rest
}

func capsDimension(name string, a, b cred.Caps) Dimension {
	names := func(caps cred.Caps) []string {
		var list []string
		for _, v := range values(caps) {
			list = append(list, v.String())
		}
		return list
	}
	return Dimension{Name: name, Order: orderCaps(a, b), A: CapNames(a), B: CapNames(b), Gained: names(b.Minus(a)), Lost: names(a.Minus(b))}
}

// idsText is the real, effective, saved and file system id: one when they are
// the same.
func idsText(ids []uint32) string {
	if len(slices.Compact(slices.Clone(ids))) == 1 {
		return fmt.Sprint(ids[0])
	}
	return joinNumbers(ids)
}
