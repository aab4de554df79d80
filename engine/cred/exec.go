package cred

import "slices"

// File has the facts about the file that exec executes in the end: for a script, the
// interpreter. Set-id bits and capabilities of a script, and of the dynamic loader, have no
// effect. The zero value is a file of root without set-id bits and capabilities.
type File struct {
	// Setuid, Setgid and GroupExec are the mode bits S_ISUID, S_ISGID and
	// S_IXGRP. S_ISGID without S_IXGRP has no effect.
	Setuid, Setgid, GroupExec bool

	// UID and GID are the owner and the group, as seen in the task's user
	// namespace. An unmapped ID is [NoID], or any other ID outside the maps. Set-id
	// bits have no effect unless both are mapped.
	UID, GID uint32

	// HasCaps reports that the file has an attribute security.capability that
	// applies in the task's user namespace, even if the attribute is empty. It
	// applies if its root user is uid 0 in the namespace or in an ancestor. That
	// user is named in an attribute of version 3; otherwise it is the root user of
	// the namespace that owns the file system.
	HasCaps bool

	// Permitted, Inheritable and Effective are the content of the attribute, called
	// fP, fI and the flag in formulas.
	Permitted, Inheritable Caps
	Effective              bool

	// NoSuid reports that the kernel ignores set-id bits and capabilities of the
	// file because of its mount. The mount has the option nosuid, or belongs to
	// another mount namespace, or its file system belongs to a user namespace that
	// is neither the task's nor an ancestor of it.
	NoSuid bool
}

// ExecResult describes what exec did to the credentials.
type ExecResult struct {
	// Secure is AT_SECURE, see getauxval(3): the dynamic loader and the C library
	// ignore some environment variables.
	Secure bool

	// FileCaps reports that the capabilities of the file had an effect. They empty
	// the ambient set.
	FileCaps bool

	// RootGained reports that a real or effective uid 0 gained B | I.
	RootGained bool

	// IDChanged reports that the IDs changed, as [Rules] define it. That empties
	// the ambient set.
	IDChanged bool

	// Withheld reports that exec was unsafe, and withheld an ID or a capability for
	// this reason.
	Withheld bool

	// Missing is the set of capabilities that the file requires and the task cannot
	// get. It is empty unless exec failed with EPERM.
	Missing Caps
}

// SetNoNewPrivs sets no_new_privs, as PR_SET_NO_NEW_PRIVS does. It requires no capability
// and always succeeds. No operation clears it.
//
// Kernel: task_set_no_new_privs (include/linux/sched.h).
func (c Cred) SetNoNewPrivs() Cred {
	c.NoNewPrivs = true
	return c
}

// Exec executes f, as execve(2) does. The package documentation describes the steps.
//
// EPERM if f has the effective flag and a permitted capability that the task cannot get.
// Errors that do not depend on credentials, such as a missing file, are outside the model.
//
// Kernel: bprm_fill_uid (fs/exec.c), cap_bprm_creds_from_file (security/commoncap.c).
func (c Cred) Exec(f File, r Rules) (Cred, ExecResult, Errno) {
	var res ExecResult
	n := c
	n.EUID, n.EGID = c.setID(f)

	var effective bool
	n.Permitted = 0
	if f.HasCaps && !f.NoSuid {
		res.FileCaps = true
		effective = f.Effective
		forced := f.Permitted.Intersect(c.All)
		n.Permitted = c.Bounding.Intersect(forced).Union(c.Inheritable.Intersect(f.Inheritable))
		if missing := forced.Minus(n.Permitted); effective && missing != 0 {
			return c, ExecResult{Missing: missing}, EPERM
		}
	}

	if c.rootGains(n.EUID, res.FileCaps) {
		res.RootGained = true
		n.Permitted = c.Bounding.Union(c.Inheritable)
		effective = effective || c.isRoot(n.EUID)
	}

	res.IDChanged = c.idChanged(n.EUID, n.EGID, r)
	if (res.IDChanged || !n.Permitted.SubsetOf(c.Permitted)) && c.unsafe() {
		gained := n
		if c.NoNewPrivs || !c.able(SETUID) {
			n.EUID, n.EGID = c.UID, c.GID
		}
		n.Permitted = n.Permitted.Intersect(c.Permitted)
		res.Withheld = n.EUID != gained.EUID || n.EGID != gained.EGID || n.Permitted != gained.Permitted
	}

	n.SUID, n.FSUID = n.EUID, n.EUID
	n.SGID, n.FSGID = n.EGID, n.EGID
	if res.FileCaps || res.IDChanged {
		n.Ambient = 0
	}
	n.Permitted = n.Permitted.Union(n.Ambient)
	n.Effective = n.Ambient
	if effective {
		n.Effective = n.Permitted
	}
	n.Securebits &^= SecKeepCaps

	res.Secure = res.IDChanged || n.EUID != c.UID || n.EGID != c.GID ||
		!c.isRoot(c.UID) && (effective || !n.Permitted.SubsetOf(n.Ambient))
	return n, res, 0
}

// setID returns the effective IDs after exec of f.
//
// Kernel: bprm_fill_uid (fs/exec.c).
func (c Cred) setID(f File) (euid, egid uint32) {
	euid, egid = c.EUID, c.EGID
	if !c.honoursSetID(f) {
		return euid, egid
	}
	if f.Setuid {
		euid = f.UID
	}
	if f.Setgid && f.GroupExec {
		egid = f.GID
	}
	return euid, egid
}

// honoursSetID reports whether the set-id bits of f have an effect.
func (c Cred) honoursSetID(f File) bool {
	return !f.NoSuid && !c.NoNewPrivs && c.UserNS.uids().has(f.UID) && c.UserNS.gids().has(f.GID)
}

// ClearsPersonality reports whether exec of f clears the flags of personality(2) that
// are unsafe for set-user-ID programs. It does so also for set-id bits that change no
// ID, and for capabilities that it then withholds.
//
// Kernel: PER_CLEAR_ON_SETID in bprm_fill_uid (fs/exec.c) and
// cap_bprm_creds_from_file (security/commoncap.c).
func (c Cred) ClearsPersonality(f File, r Rules) bool {
	if c.honoursSetID(f) && (f.Setuid || f.Setgid && f.GroupExec) {
		return true
	}
	f.Setuid, f.Setgid = false, false
	c.NoNewPrivs, c.SharedFS, c.Traced = false, false, false
	n, _, _ := c.Exec(f, r)
	return !n.Permitted.SubsetOf(c.Permitted)
}

// rootGains reports whether exec grants B | I because the real or the new effective uid is
// 0. A file with capabilities that is also set-user-ID root does not, unless the real uid
// is 0.
//
// Kernel: handle_privileged_root (security/commoncap.c).
func (c Cred) rootGains(euid uint32, fileCaps bool) bool {
	if c.Securebits.Has(SecNoRoot) {
		return false
	}
	if fileCaps && c.isRoot(euid) && !c.isRoot(c.UID) {
		return false
	}
	return c.isRoot(euid) || c.isRoot(c.UID)
}

// idChanged reports whether exec with these new effective IDs counts as a change of IDs.
//
// Kernel: cap_bprm_creds_from_file (security/commoncap.c).
func (c Cred) idChanged(euid, egid uint32, r Rules) bool {
	if !r.EffectiveIDChange {
		return euid != c.UID || egid != c.GID
	}
	return euid != c.EUID || egid != c.FSGID && !slices.Contains(c.Groups, egid)
}

// unsafe reports whether a less privileged process might control the task after exec.
//
// Kernel: check_unsafe_exec (fs/exec.c), ptracer_capable (kernel/ptrace.c).
func (c Cred) unsafe() bool { return c.NoNewPrivs || c.SharedFS || c.Traced }
