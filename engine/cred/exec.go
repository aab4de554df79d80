package cred

import "slices"

// File has the facts about the file that is finally executed: for a script,
// the interpreter that the kernel ends up with. Set-id bits and capabilities
// of the script itself never count, and neither do those of the dynamic
// loader. The zero value is an ordinary file of root, which transforms nothing
// by itself.
type File struct {
	// Setuid, Setgid and GroupExec are the mode bits S_ISUID, S_ISGID and
	// S_IXGRP. S_ISGID without S_IXGRP has no effect.
	Setuid, Setgid, GroupExec bool

	// UID and GID are the owner as seen inside the task's user namespace.
	// [NoID] says that the namespace does not map it, as does any id outside
	// its maps. Set-id bits count only if both are mapped.
	UID, GID uint32

	// HasCaps says that the file has a security.capability attribute which
	// the namespace owns. An attribute of version 1 or 2 belongs to the root
	// user of the namespace that owns the file system, one of version 3 to the
	// uid that it names. The attribute is owned if that user is uid 0 in the
	// task's user namespace or in one of its ancestors. An attribute that is
	// not owned counts as none; an empty one that is owned does count.
	HasCaps bool

	// Permitted, Inheritable and Effective are its contents: fP, fI and the
	// flag.
	Permitted, Inheritable Caps
	Effective              bool

	// NoSuid says that the mount is not capable of set-id: it is mounted
	// nosuid, or belongs to another mount namespace, or its file system to a
	// user namespace that the task is not inside of. Set-id bits and
	// capabilities are then ignored without a word.
	NoSuid bool
}

// ExecResult says what exec did on the way to the new credentials.
type ExecResult struct {
	// Secure is AT_SECURE: the loader and libc distrust the environment.
	Secure bool

	// FileCaps says that the capabilities of the file counted. They always
	// empty the ambient set.
	FileCaps bool

	// RootGained says that a real or effective uid 0 was given B | I.
	RootGained bool

	// IDChanged says that the ids changed in the sense of the rules (see
	// [Rules]). That empties the ambient set.
	IDChanged bool

	// Withheld says that exec was unsafe and that something was therefore
	// kept back, an id or a capability.
	Withheld bool

	// Missing is set when exec fails with EPERM: what the file needs and the
	// task cannot have.
	Missing Caps
}

// SetNoNewPrivs sets no_new_privs, as PR_SET_NO_NEW_PRIVS does. It needs no
// privilege, always succeeds and cannot be undone.
//
// Kernel: task_set_no_new_privs (include/linux/sched.h).
func (c Cred) SetNoNewPrivs() Cred {
	c.NoNewPrivs = true
	return c
}

// Exec executes f, as execve(2) does. The package documentation goes through
// the steps.
//
// EPERM if the file has the effective flag and a permitted capability that the
// task cannot have; it is the one error that credentials cause. Whether the
// file can be found and opened is outside this model.
//
// Kernel: bprm_fill_uid (fs/exec.c), cap_bprm_creds_from_file
// (security/commoncap.c).
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

// setID returns the effective ids that the set-id bits of f give.
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
// id, and for capabilities that it then withholds.
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

// rootGains reports whether exec with the new effective uid gives B | I for
// being root. A file that makes another user root, and has capabilities of its
// own, is left to those.
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

// idChanged reports whether exec with these new effective ids counts as a
// change of ids.
//
// Kernel: cap_bprm_creds_from_file (security/commoncap.c).
func (c Cred) idChanged(euid, egid uint32, r Rules) bool {
	if !r.EffectiveIDChange {
		return euid != c.UID || egid != c.GID
	}
	return euid != c.EUID || egid != c.FSGID && !slices.Contains(c.Groups, egid)
}

// unsafe reports whether a process with less privilege might control what the task
// does after exec.
//
// Kernel: check_unsafe_exec (fs/exec.c), ptracer_capable (kernel/ptrace.c).
func (c Cred) unsafe() bool { return c.NoNewPrivs || c.SharedFS || c.Traced }
