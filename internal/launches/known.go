package launches

import "caprun/engine/cred"

// Known names the reason for which the compiler refuses a case that could be
// fulfilled; empty for one that is not known. TestMissed has an example of
// each reason, and fails when the compiler has learnt it: then the reason goes.
func (c Case) Known(m *Machine, from cred.Cred) string {
	q := c.Profile.Promise(m.Users)
	file := c.Target.Facts(from.UserNS, c.Caller.Has("nosuid"))
	bits := q.bits(from)
	root := from.UID == 0 || from.EUID == 0
	if q.Identity {
		root = q.UID == 0
	}
	setuid := file.Setuid && !file.NoSuid && !q.noNewPrivs(from)
	var inherited cred.Caps
	if q.Caps != nil {
		inherited = q.Caps.I
	}
	if q.IAB != nil {
		inherited = inherited.Union(q.IAB.I)
	}
	var raised cred.Caps
	if q.Caps != nil {
		raised = q.Caps.P
	}
	if q.IAB != nil {
		raised = raised.Union(q.IAB.A)
	}
	switch {
	case raised != 0 && from.Securebits&(cred.SecNoCapAmbientRaise|cred.SecNoCapAmbientRaiseLocked) == cred.SecNoCapAmbientRaise:
		return MissedAmbient
	case from.Securebits.Has(cred.SecKeepCapsLocked) && q.newUser(from):
		return MissedLocks
	case q.newUser(from) && from.EUID == 0 && !inherited.SubsetOf(from.Inheritable.Union(from.Permitted)):
		return MissedRaise
	case q.Caps == nil:
		return ""
	case !q.Identity && from.UID != from.EUID:
		return MissedIDs
	case setuid && !file.HasCaps:
		return MissedSetuid
	case file.HasCaps && !file.NoSuid && !q.Caps.I.SubsetOf(q.Caps.P):
		return MissedBounding
	case root && !bits.Has(cred.SecNoRoot) && q.noNewPrivs(from) && !q.Caps.I.SubsetOf(q.Caps.P):
		return MissedInherit
	}
	return ""
}

// The reasons of [Case.Known].
const (
	MissedIDs      = "real and effective uid differ, and one is 0"
	MissedSetuid   = "the target is set-user-id"
	MissedInherit  = "uid 0 under no_new_privs inherits more than it is permitted"
	MissedBounding = "file capabilities give what the target is only to inherit, if it stays in the bounding set"
	MissedAmbient  = "no_cap_ambient_raise is set, and not locked"
	MissedLocks    = "the uid changes while keep_caps is locked"
	MissedRaise    = "the uid changes and the target inherits what the caller is not permitted"
)
