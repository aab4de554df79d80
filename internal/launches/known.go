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
	locks := cred.SecKeepCapsLocked | cred.SecNoSetuidFixupLocked
	switch {
	case from.Securebits.Has(locks) && q.newUser(from):
		return MissedLocks
	case q.Caps == nil:
		return ""
	case !q.Identity && from.UID != from.EUID:
		return MissedIDs
	case setuid && !file.HasCaps:
		return MissedSetuid
	case root && !bits.Has(cred.SecNoRoot) && q.noNewPrivs(from) && !q.Caps.I.SubsetOf(q.Caps.P):
		return MissedInherit
	}
	return ""
}

// The reasons of [Case.Known].
const (
	MissedIDs     = "real and effective uid differ, and one is 0"
	MissedSetuid  = "the target is set-user-id"
	MissedInherit = "uid 0 under no_new_privs inherits more than it is permitted"
	MissedLocks   = "the uid changes under locks of keep_caps and no_setuid_fixup, and no capability is needed afterwards"
)
