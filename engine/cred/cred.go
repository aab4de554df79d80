package cred

import "slices"

// Cred is what the kernel knows about the privileges of one task (a thread):
// its struct cred, and the few facts outside of it that a rule reads.
//
// A Cred is a plain value. Every operation returns a new one and leaves its
// receiver as it was. Two values may share the arrays behind Groups and
// UserNS, so nobody writes to those; replace the slice instead.
//
// The kernel keeps three invariants, and so do the operations when the value
// they start from has them: Effective within Permitted, Ambient within
// Permitted, Ambient within Inheritable. Nothing else holds: Inheritable may
// exceed Permitted and Bounding, and Permitted may exceed Bounding.
type Cred struct {
	// User and group ids: real, effective, saved, and of file system access.
	// They are written as a process inside the task's user namespace sees
	// them; an id that the namespace does not map is [OverflowID], or [NoID]
	// where the namespace maps OverflowID too.
	UID, EUID, SUID, FSUID uint32
	GID, EGID, SGID, FSGID uint32

	// Groups are the supplementary groups in ascending order. The kernel
	// keeps duplicates.
	Groups []uint32

	// The capability sets, in formulas I, P, E, B and A.
	Inheritable, Permitted, Effective, Bounding, Ambient Caps

	Securebits Securebits

	// NoNewPrivs is a flag of the task, not of its struct cred.
	NoNewPrivs bool

	// All is the set of capabilities that the running kernel knows, the
	// numbers 0 to cap_last_cap. No operation changes it.
	All Caps

	// UserNS has the facts about the user namespace. The zero value is the
	// initial one.
	UserNS UserNS

	// Chrooted says that the root directory differs from the root of the
	// mount namespace.
	Chrooted bool

	// SharedFS says that a task of another process shares root, working
	// directory and umask with this one (CLONE_FS). Exec is then unsafe.
	SharedFS bool

	// Traced says that a tracer is attached whose credentials, as they were
	// when it attached, lack CAP_SYS_PTRACE over the task's user namespace.
	// Exec is then unsafe.
	Traced bool

	// TracerUID is the effective uid that this tracer had when it attached, if
	// its user namespace is the task's. Otherwise, or if it is unknown, it is
	// [NoID]. The kernel gives every capability over a user namespace to the
	// user who created it: see [Cred.NewUserNamespace]. It means nothing, and
	// is 0, unless Traced.
	TracerUID uint32
}

// Root returns the credentials of a shell of uid 0 right after login on a
// kernel with 41 capabilities (5.9 and later): all ids 0, no supplementary
// groups, everything permitted, effective and in the bounding set, nothing
// inheritable or ambient, no securebits, the initial user namespace.
func Root() Cred {
	all := FirstCaps(41)
	return Cred{Permitted: all, Effective: all, Bounding: all, All: all}
}

// Equal reports whether c and d agree in every dimension.
func (c Cred) Equal(d Cred) bool {
	equal := true
	c.compare(&d, func(_ string, same bool) { equal = equal && same })
	return equal
}

// Diff returns the names of the fields in which c and d differ, in the order
// in which [Cred] declares them, nil when there are none. Groups are equal
// when the slices have the same elements in the same order; nil and empty
// slices are the same.
func (c Cred) Diff(d Cred) []string {
	var fields []string
	c.compare(&d, func(field string, same bool) {
		if !same {
			fields = append(fields, field)
		}
	})
	return fields
}

// compare calls check with each field, and whether c and d agree in it.
func (c *Cred) compare(d *Cred, check func(field string, same bool)) {
	check("UID", c.UID == d.UID)
	check("EUID", c.EUID == d.EUID)
	check("SUID", c.SUID == d.SUID)
	check("FSUID", c.FSUID == d.FSUID)
	check("GID", c.GID == d.GID)
	check("EGID", c.EGID == d.EGID)
	check("SGID", c.SGID == d.SGID)
	check("FSGID", c.FSGID == d.FSGID)
	check("Groups", slices.Equal(c.Groups, d.Groups))
	check("Inheritable", c.Inheritable == d.Inheritable)
	check("Permitted", c.Permitted == d.Permitted)
	check("Effective", c.Effective == d.Effective)
	check("Bounding", c.Bounding == d.Bounding)
	check("Ambient", c.Ambient == d.Ambient)
	check("Securebits", c.Securebits == d.Securebits)
	check("NoNewPrivs", c.NoNewPrivs == d.NoNewPrivs)
	check("All", c.All == d.All)
	check("UserNS", c.UserNS.equal(d.UserNS))
	check("Chrooted", c.Chrooted == d.Chrooted)
	check("SharedFS", c.SharedFS == d.SharedFS)
	check("Traced", c.Traced == d.Traced)
	check("TracerUID", c.TracerUID == d.TracerUID)
}

// able reports whether the task may use capability n in its own user
// namespace. The kernel asks cap_capable (commoncap.c), which looks at the
// effective set and nothing else.
func (c Cred) able(n int) bool { return c.Effective.Has(n) }
