package cred

import "strconv"

// Securebits are flags that disable single rules for capabilities, see capabilities(7).
// Each bit has a lock, the next higher bit. If the lock is set, neither the bit nor the lock
// can change. A lock without its bit keeps the rule enabled.
type Securebits uint32

// The securebits of linux/securebits.h. Bits 8 to 11 exist since Linux 6.14;
// they are advice to interpreters and change no rule in the kernel.
const (
	// SecNoRoot disables the capabilities that uid 0 gains at exec.
	SecNoRoot Securebits = 1 << iota
	SecNoRootLocked
	// SecNoSetuidFixup keeps the capability sets unchanged when uids change.
	SecNoSetuidFixup
	SecNoSetuidFixupLocked
	// SecKeepCaps keeps the permitted set when the last uid 0 changes. Exec clears
	// the bit, also if it is locked.
	SecKeepCaps
	SecKeepCapsLocked
	// SecNoCapAmbientRaise denies raising ambient capabilities.
	SecNoCapAmbientRaise
	SecNoCapAmbientRaiseLocked
	// SecExecRestrictFile asks interpreters to check files before executing them.
	SecExecRestrictFile
	SecExecRestrictFileLocked
	// SecExecDenyInteractive asks interpreters to refuse interactive commands.
	SecExecDenyInteractive
	SecExecDenyInteractiveLocked
)

const (
	// SecAllBits are all bits other than locks: SECURE_ALL_BITS.
	SecAllBits = SecNoRoot | SecNoSetuidFixup | SecKeepCaps | SecNoCapAmbientRaise |
		SecExecRestrictFile | SecExecDenyInteractive

	// SecAllLocks are all locks: SECURE_ALL_LOCKS.
	SecAllLocks = SecAllBits << 1

	// SecAllUnprivileged are the bits and locks of Linux 6.14 that a task
	// without SETPCAP may change: SECURE_ALL_UNPRIVILEGED.
	SecAllUnprivileged = SecExecRestrictFile | SecExecRestrictFileLocked |
		SecExecDenyInteractive | SecExecDenyInteractiveLocked
)

var securebitNames = [...]string{
	"noroot", "noroot_locked",
	"no_setuid_fixup", "no_setuid_fixup_locked",
	"keep_caps", "keep_caps_locked",
	"no_cap_ambient_raise", "no_cap_ambient_raise_locked",
	"exec_restrict_file", "exec_restrict_file_locked",
	"exec_deny_interactive", "exec_deny_interactive_locked",
}

// Has reports whether all bits of v are set.
func (s Securebits) Has(v Securebits) bool { return s&v == v }

// Names returns the names of the set bits in ascending order, as setpriv(1) prints them. A
// bit without a name is "bit12", for example.
func (s Securebits) Names() []string {
	var names []string
	for n := range 32 {
		switch {
		case s>>n&1 == 0:
		case n < len(securebitNames):
			names = append(names, securebitNames[n])
		default:
			names = append(names, "bit"+strconv.Itoa(n))
		}
	}
	return names
}

// SetSecurebits replaces the securebits by v, as PR_SET_SECUREBITS does.
//
// EPERM if a bit with a set lock would change, if a lock would be cleared, if v has a bit
// that the kernel does not have, and without SETPCAP. Since Linux 6.14 a task without
// SETPCAP may change bits of [SecAllUnprivileged], if it changes at least one of them and no
// other bit.
//
// Kernel: cap_task_prctl (security/commoncap.c).
func (c Cred) SetSecurebits(v Securebits, r Rules) (Cred, Errno) {
	known, unprivileged := SecAllBits|SecAllLocks, SecAllUnprivileged
	if !r.ExecSecurebits {
		known, unprivileged = known&^SecAllUnprivileged, 0
	}
	locks := c.Securebits & SecAllLocks
	changed := c.Securebits ^ v
	switch {
	case changed&(locks>>1) != 0:
		return c, EPERM
	case locks&^v != 0:
		return c, EPERM
	case v&^known != 0:
		return c, EPERM
	case !c.able(SETPCAP) && (changed == 0 || changed&^unprivileged != 0):
		return c, EPERM
	}
	c.Securebits = v
	return c, 0
}

// SetKeepCaps sets or clears [SecKeepCaps], as PR_SET_KEEPCAPS does. It requires no
// capability.
//
// EPERM under [SecKeepCapsLocked], even if the bit would not change.
//
// Kernel: cap_task_prctl (security/commoncap.c).
func (c Cred) SetKeepCaps(on bool) (Cred, Errno) {
	if c.Securebits.Has(SecKeepCapsLocked) {
		return c, EPERM
	}
	c.Securebits &^= SecKeepCaps
	if on {
		c.Securebits |= SecKeepCaps
	}
	return c, 0
}
