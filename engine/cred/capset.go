package cred

// Capset replaces the effective, permitted and inheritable sets, as capset(2) does for the
// calling thread. It ignores capabilities that the kernel does not have. The bounding set
// is unchanged; the ambient set loses what is no longer both permitted and inheritable.
//
// EPERM, in this order: without SETPCAP, i has a capability that is neither inheritable nor
// permitted now; i has a capability that is neither inheritable now nor in the bounding
// set; p exceeds the permitted set; e exceeds p.
//
// Kernel: sys_capset (kernel/capability.c), cap_capset (security/commoncap.c).
func (c Cred) Capset(e, p, i Caps) (Cred, Errno) {
	e, p, i = e.Intersect(c.All), p.Intersect(c.All), i.Intersect(c.All)
	if !c.able(SETPCAP) && !i.SubsetOf(c.Inheritable.Union(c.Permitted)) {
		return c, EPERM
	}
	if !i.SubsetOf(c.Inheritable.Union(c.Bounding)) {
		return c, EPERM
	}
	if !p.SubsetOf(c.Permitted) {
		return c, EPERM
	}
	if !e.SubsetOf(p) {
		return c, EPERM
	}
	c.Effective, c.Permitted, c.Inheritable = e, p, i
	c.Ambient = c.Ambient.Intersect(p).Intersect(i)
	return c, 0
}

// DropBounding removes capability n from the bounding set only, as PR_CAPBSET_DROP does.
// It succeeds if n is not in the set.
//
// EPERM without SETPCAP; then EINVAL for a capability that the kernel does not have.
//
// Kernel: cap_prctl_drop (security/commoncap.c).
func (c Cred) DropBounding(n int) (Cred, Errno) {
	if !c.able(SETPCAP) {
		return c, EPERM
	}
	if !c.All.Has(n) {
		return c, EINVAL
	}
	c.Bounding = c.Bounding.Without(n)
	return c, 0
}

// RaiseAmbient adds capability n to the ambient set, as PR_CAP_AMBIENT_RAISE does. It
// requires no capability, and does not depend on the effective and the bounding set.
//
// EINVAL for a capability that the kernel does not have; EPERM unless n is both permitted
// and inheritable, and under [SecNoCapAmbientRaise].
//
// Kernel: cap_task_prctl (security/commoncap.c).
func (c Cred) RaiseAmbient(n int) (Cred, Errno) {
	if !c.All.Has(n) {
		return c, EINVAL
	}
	if !c.Permitted.Has(n) || !c.Inheritable.Has(n) || c.Securebits.Has(SecNoCapAmbientRaise) {
		return c, EPERM
	}
	c.Ambient = c.Ambient.With(n)
	return c, 0
}

// LowerAmbient removes capability n from the ambient set, as PR_CAP_AMBIENT_LOWER does. It
// requires no capability.
//
// EINVAL for a capability that the kernel does not have.
//
// Kernel: cap_task_prctl (security/commoncap.c).
func (c Cred) LowerAmbient(n int) (Cred, Errno) {
	if !c.All.Has(n) {
		return c, EINVAL
	}
	c.Ambient = c.Ambient.Without(n)
	return c, 0
}

// ClearAmbient empties the ambient set, as PR_CAP_AMBIENT_CLEAR_ALL does. It always
// succeeds.
//
// Kernel: cap_task_prctl (security/commoncap.c).
func (c Cred) ClearAmbient() Cred {
	c.Ambient = 0
	return c
}
