package cred

import "slices"

// Cred is the privileges of one task (a thread): the fields of the kernel's struct cred,
// and a few facts outside of it that the rules depend on.
//
// A Cred is a value: every operation returns a new one and does not change its receiver.
// Two values may share the arrays behind Groups and UserNS, so do not write to these;
// replace the slice.
//
// The kernel keeps three invariants: Effective is within Permitted, Ambient is within
// Permitted, and Ambient is within Inheritable. If a value has them, so have the results of
// all operations. Inheritable may exceed Permitted and Bounding, and Permitted may exceed
// Bounding.
type Cred struct {
	// The real, effective, saved and file system IDs, as seen in the task's user
	// namespace. An ID that the namespace does not map is [OverflowID], or [NoID]
	// if the namespace maps OverflowID.
	UID, EUID, SUID, FSUID uint32
	GID, EGID, SGID, FSGID uint32

	// Groups are the supplementary groups in ascending order. As in the kernel,
	// they may have duplicates.
	Groups []uint32

	// The capability sets, called I, P, E, B and A in formulas.
	Inheritable, Permitted, Effective, Bounding, Ambient Caps

	Securebits Securebits

	// NoNewPrivs is no_new_privs, see prctl(2), PR_SET_NO_NEW_PRIVS.
	NoNewPrivs bool

	// All is the set of capabilities that the kernel has, 0 to cap_last_cap. No
	// operation changes it.
	All Caps

	// UserNS is the task's user namespace. The zero value is the initial one.
	UserNS UserNS

	// Chrooted reports that the root directory is not the root of the mount
	// namespace.
	Chrooted bool

	// SharedFS reports that a task of another process shares the root directory,
	// working directory and umask of this task (CLONE_FS). Exec is then unsafe.
	SharedFS bool

	// Traced reports that a tracer is attached that did not have CAP_SYS_PTRACE over
	// the task's user namespace when it attached. Exec is then unsafe.
	Traced bool

	// TracerUID is the effective uid of this tracer when it attached, if it is in
	// the task's user namespace; otherwise, or if that is unknown, it is [NoID]. It
	// matters because the creator of a user namespace has every capability over it,
	// see [Cred.NewUserNamespace]. If Traced is not set, TracerUID is 0.
	TracerUID uint32
}

// Root returns the credentials of a root login shell on a kernel with 41 capabilities (Linux
// 5.9 and later): all IDs 0, no supplementary groups, every capability permitted, effective and
// in the bounding set, none inheritable or ambient, no securebits, the initial user
// namespace.
func Root() Cred {
	all := FirstCaps(41)
	return Cred{Permitted: all, Effective: all, Bounding: all, All: all}
}

// Equal reports whether all fields of c and d are equal, see [Cred.Diff].
func (c Cred) Equal(d Cred) bool {
	equal := true
	c.compare(&d, func(_ string, same bool) { equal = equal && same })
	return equal
}

// Diff returns the names of the fields in which c and d differ, in the order of their
// declaration; nil if there are none. A nil and an empty slice are equal.
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

// able reports whether the task may use capability n in its own user namespace, which
// depends on the effective set only.
//
// Kernel: cap_capable (security/commoncap.c).
func (c Cred) able(n int) bool { return c.Effective.Has(n) }
