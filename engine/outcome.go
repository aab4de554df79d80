package engine

import (
	"fmt"
	"maps"
	"slices"

	"caprun/engine/cred"
	"caprun/policy"
)

// outcome is what a plan leads to, apart from its vectors and securebits, in a
// form that can be compared.
type outcome struct {
	identity    identityOutcome
	chroot      string // empty for the caller's
	environ     environOutcome
	limits      map[string]policy.Rlimit
	descriptors []string
}

func outcomeOf(p *Plan) outcome {
	o := outcome{
		identity: identityOf(p.After, p.Identity),
		chroot:   p.Profile.Chroot,
		environ:  environOf(p),
		limits:   map[string]policy.Rlimit{},
	}
	for _, r := range p.Profile.Rlimits {
		o.limits[r.Name] = r
	}
	fds := slices.Clone(p.Profile.KeepFDs)
	slices.Sort(fds)
	for _, fd := range slices.Compact(fds) {
		o.descriptors = append(o.descriptors, fmt.Sprint(fd))
	}
	return o
}

// identityOutcome has the ids in words: those of an entry that was not looked
// up have no number.
type identityOutcome struct {
	uids, gids [4]string // real, effective, saved, file system
	groups     []string
}

func identityOf(c cred.Cred, id Identity) identityOutcome {
	uid := func(n uint32) string {
		if n == unresolvedID {
			return "of user " + id.User
		}
		return fmt.Sprint(n)
	}
	known := !id.Declared || id.Resolved
	gid := func(n uint32) string {
		if n == unresolvedID || !known && n == 0 {
			return "of user " + id.User
		}
		return fmt.Sprint(n)
	}
	o := identityOutcome{
		uids: [4]string{uid(c.UID), uid(c.EUID), uid(c.SUID), uid(c.FSUID)},
		gids: [4]string{gid(c.GID), gid(c.EGID), gid(c.SGID), gid(c.FSGID)},
	}
	for _, g := range slices.Compact(slices.Clone(c.Groups)) {
		o.groups = append(o.groups, gid(g))
	}
	return o
}

func compareIdentity(a, b identityOutcome) []Dimension {
	uid := Dimension{Name: "uid", A: idsText(a.uids), B: idsText(b.uids), Order: orderIDs(a.uids, b.uids)}
	gid := Dimension{Name: "gid", A: idsText(a.gids), B: idsText(b.gids), Order: orderIDs(a.gids, b.gids)}
	groups := compareSets("groups", a.groups, b.groups)
	if rootA, rootB := slices.Contains(a.uids[:], "0"), slices.Contains(b.uids[:], "0"); rootA != rootB {
		// Whoever may be uid 0 can join every group by editing a file.
		order := ordered(rootB, rootA)
		uid.Order, gid.Order, groups.Order = order, order, order
		groups.Gained, groups.Lost = nil, nil
	}
	return []Dimension{uid, gid, groups}
}

// orderIDs compares the four ids of a user or group. A task can switch between
// those that it has, so more of them allow more.
func orderIDs(a, b [4]string) Order {
	if a == b {
		return Same
	}
	o := ordered(without(a[:], b[:]) == nil, without(b[:], a[:]) == nil)
	if o == Same {
		return Incomparable
	}
	return o
}

// idsText prints the four ids: once when they are the same.
func idsText(ids [4]string) string {
	if ids[0] == ids[1] && ids[1] == ids[2] && ids[2] == ids[3] {
		return ids[0]
	}
	return fmt.Sprintf("%s,%s,%s,%s", ids[0], ids[1], ids[2], ids[3])
}

// environOutcome says what of the caller's environment reaches the target, and
// what is set. HOME, USER and LOGNAME count where the profile names them;
// otherwise they follow the identity, and say no more than the ids.
type environOutcome struct {
	all      bool
	names    []string // that pass; of all, that do not
	noLoader bool     // the variables of the dynamic loader do not pass
	set      map[string]string
}

func environOf(p *Plan) environOutcome {
	spec := p.Profile.Env
	if spec == nil {
		spec = &policy.Env{KeepAll: true}
	}
	replaced := func(name string) bool {
		_, set := spec.Set[name]
		return set || slices.Contains(spec.Unset, name)
	}
	o := environOutcome{all: spec.KeepAll, noLoader: p.RemovesLoaderVariables(), set: spec.Set}
	if !o.all {
		for _, name := range spec.Keep {
			if !replaced(name) && !(o.noLoader && IsLoaderVariable(name)) {
				o.names = append(o.names, name)
			}
		}
		slices.Sort(o.names)
		o.names = slices.Compact(o.names)
		return o
	}
	o.names = append(slices.Sorted(maps.Keys(spec.Set)), spec.Unset...)
	slices.Sort(o.names)
	o.names = slices.Compact(o.names)
	return o
}

func (e environOutcome) passes(name string) bool {
	if !e.all {
		return slices.Contains(e.names, name)
	}
	return !slices.Contains(e.names, name) && !(e.noLoader && IsLoaderVariable(name))
}

// within reports whether everything that passes e passes f.
func (e environOutcome) within(f environOutcome) bool {
	switch {
	case !e.all:
		return !slices.ContainsFunc(e.names, func(name string) bool { return !f.passes(name) })
	case !f.all, f.noLoader && !e.noLoader:
		return false
	}
	return !slices.ContainsFunc(f.names, e.passes)
}

func (e environOutcome) text() string {
	text := joinOr(e.names, "nothing")
	if e.all {
		text = "everything"
		if len(e.names) > 0 {
			text += " but " + joinOr(e.names, "")
		}
	}
	if e.noLoader && e.all {
		text += ", without the loader's variables"
	}
	for _, name := range slices.Sorted(maps.Keys(e.set)) {
		text += fmt.Sprintf(", %s=%q", name, e.set[name])
	}
	return text
}

func compareEnviron(a, b environOutcome) Dimension {
	d := Dimension{Name: "env", A: a.text(), B: b.text(), Order: Incomparable}
	if maps.Equal(a.set, b.set) {
		d.Order = ordered(a.within(b), b.within(a))
	}
	return d
}

// compareLimits compares resource by resource. A limit that the profile does
// not set is the caller's, which is not known here.
func compareLimits(a, b map[string]policy.Rlimit) Dimension {
	d := Dimension{Name: "rlimits", A: limitsText(a), B: limitsText(b)}
	names := slices.Concat(slices.Collect(maps.Keys(a)), slices.Collect(maps.Keys(b)))
	for _, name := range names {
		x, inA := a[name]
		y, inB := b[name]
		d.Order = d.Order.And(ordered(limitWithin(x, inA, y, inB), limitWithin(y, inB, x, inA)))
	}
	return d
}

func limitWithin(a policy.Rlimit, inA bool, b policy.Rlimit, inB bool) bool {
	switch {
	case inA && inB:
		return a.Soft <= b.Soft && a.Hard <= b.Hard
	case inA:
		return a.Soft == 0 && a.Hard == 0
	case inB:
		return b.Soft == policy.Unlimited && b.Hard == policy.Unlimited
	}
	return true
}

func limitsText(limits map[string]policy.Rlimit) string {
	var parts []string
	for _, name := range slices.Sorted(maps.Keys(limits)) {
		l := limits[name]
		text := name + " " + LimitText(l.Soft)
		if l.Soft != l.Hard {
			text += ":" + LimitText(l.Hard)
		}
		parts = append(parts, text)
	}
	return joinOr(parts, "the caller's")
}
