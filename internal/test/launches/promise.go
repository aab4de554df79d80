package launches

import (
	"fmt"
	"slices"

	"caprun/engine/cred"
	"caprun/engine/machine"
)

// Promise is what a profile declares about credentials, with its user resolved.
type Promise struct {
	Identity bool // UID, GID and Groups are declared
	UID, GID uint32
	Groups   []uint32 // sorted, with the primary one

	Entry *machine.User // of the profile's user, if it names one

	*Profile
}

// Promise reads the profile.
func (p *Profile) Promise(users []machine.User) Promise {
	q := Promise{Profile: p}
	switch {
	case p.User != "":
		n := slices.IndexFunc(users, func(u machine.User) bool { return u.Name == p.User })
		q.Entry = &users[n]
		q.UID, q.GID, q.Groups = users[n].UID, users[n].GID, users[n].Groups
	case p.UID != nil:
		q.UID = *p.UID
	default:
		return q
	}
	q.Identity = true
	if p.GID != nil {
		q.GID = *p.GID
	}
	if p.Groups != nil {
		q.Groups = p.Groups
	}
	q.Groups = append([]uint32{q.GID}, q.Groups...)
	slices.Sort(q.Groups)
	q.Groups = slices.Compact(q.Groups)
	return q
}

// bits returns the securebits just before exec.
func (q Promise) bits(from cred.Cred) cred.Securebits {
	switch {
	case q.Secbits != nil:
		return *q.Secbits
	case q.Mode == "HYBRID":
		return 0
	case q.Mode != "":
		return 0xef
	}
	return from.Securebits
}

func (q Promise) noNewPrivs(from cred.Cred) bool {
	return from.NoNewPrivs || q.NNP || q.Mode == "NOPRIV"
}

// newUser reports whether the launch changes a uid of the caller.
func (q Promise) newUser(from cred.Cred) bool {
	return q.Identity && (from.UID != q.UID || from.EUID != q.UID || from.SUID != q.UID)
}

// mayKeepNoGroups reports whether a caller without supplementary groups, who may not
// set any, can keep none where the profile declares only the gid.
func (q Promise) mayKeepNoGroups(from cred.Cred) bool {
	from.Effective = from.Permitted
	_, errno := from.Setgroups(q.Groups)
	return errno == cred.EPERM && len(from.Groups) == 0 && slices.Equal(q.Groups, []uint32{q.GID})
}

// rootTakes reports whether uid 0 gains a capability at exec that the profile does
// not remove: a profile without caps does not lower the permitted set.
func (q Promise) rootTakes(value int, from, after cred.Cred) bool {
	return q.Caps == nil && q.Mode != "NOPRIV" && (after.UID == 0 || after.EUID == 0) && !q.bits(from).Has(cred.SecNoRoot) &&
		from.Permitted.Intersect(after.Bounding.Union(after.Inheritable)).Has(value)
}

// Broken returns the differences between the profile and a target that starts in the
// state after, of a caller in the state from.
func (q Promise) Broken(from, after cred.Cred) []string {
	var faults []string
	same := func(what string, holds bool) {
		if !holds {
			faults = append(faults, what)
		}
	}
	caps := func(what string, got, want cred.Caps) {
		same(fmt.Sprintf("%s: %s, not %s", what, got.String(), want.String()), got == want)
	}
	if q.Identity {
		same("uids", after.UID == q.UID && after.EUID == q.UID && after.SUID == q.UID && after.FSUID == q.UID)
		same("gids", after.GID == q.GID && after.EGID == q.GID && after.SGID == q.GID && after.FSGID == q.GID)
		same("groups", slices.Equal(after.Groups, q.Groups) || q.mayKeepNoGroups(from) && len(after.Groups) == 0 &&
			after.NoNewPrivs && !after.Permitted.Union(after.Inheritable).Has(cred.SETGID) && !q.rootTakes(cred.SETGID, from, after))
	} else {
		same("real ids of the caller", after.UID == from.UID && after.GID == from.GID)
		same("groups of the caller", slices.Equal(after.Groups, from.Groups))
	}
	bounding := from.Bounding
	inheritable, ambient := from.Inheritable, from.Ambient
	if q.newUser(from) {
		inheritable, ambient = 0, 0
	}
	switch {
	case q.IAB != nil:
		bounding, inheritable, ambient = bounding.Minus(q.IAB.Blocked), q.IAB.I, q.IAB.A
	case q.Caps != nil:
		bounding = bounding.Intersect(q.Caps.P.Union(q.Caps.I)).Intersect(after.Bounding)
	}
	switch q.Mode {
	case "NOPRIV":
		bounding, inheritable, ambient = 0, 0, 0
		caps("permitted in this mode", after.Permitted, 0)
	case "PURE1E_INIT":
		inheritable, ambient = 0, 0
	case "PURE1E":
		ambient = 0
	}
	caps("bounding", after.Bounding, bounding)
	if q.Caps != nil {
		caps("effective", after.Effective, q.Caps.E)
		caps("permitted", after.Permitted, q.Caps.P)
		caps("inheritable", after.Inheritable, q.Caps.I)
	}
	if q.Caps == nil || q.IAB != nil {
		caps("inheritable", after.Inheritable, inheritable)
	}
	switch {
	case q.Caps == nil && q.IAB != nil:
		caps("ambient", after.Ambient, ambient)
	case q.IAB != nil:
		// The file may empty it, if caps declares the result.
		same("ambient", after.Ambient == ambient || after.Ambient == 0)
	case q.Caps == nil:
		same("ambient", after.Ambient.SubsetOf(ambient))
	}
	same("securebits", after.Securebits == q.bits(from)&^cred.SecKeepCaps)
	same("no_new_privs", after.NoNewPrivs == q.noNewPrivs(from))
	return faults
}
