package cred

import "strconv"

// Securebits switch single rules of capability transformation off. Each bit
// has a lock, the next higher bit: once a lock is set, neither it nor its bit
// can ever change. A lock may be set while its bit is clear, which keeps the
// bit clear permanently.
type Securebits uint32

// The securebits of linux/securebits.h. Bits 8 to 11 exist since Linux 6.14;
// they are advice to interpreters and change no rule in the kernel.
const (
	// SecNoRoot takes from uid 0 what it would gain by exec.
	SecNoRoot Securebits = 1 << iota
	SecNoRootLocked
	// SecNoSetuidFixup keeps the sets as they are when ids change.
	SecNoSetuidFixup
	SecNoSetuidFixupLocked
	// SecKeepCaps keeps the permitted set when all ids leave 0. Exec clears
	// the bit, even a locked one.
	SecKeepCaps
	SecKeepCapsLocked
	// SecNoCapAmbientRaise forbids raising the ambient set.
	SecNoCapAmbientRaise
	SecNoCapAmbientRaiseLocked
	// SecExecRestrictFile asks interpreters to check files before they run
	// them.
	SecExecRestrictFile
	SecExecRestrictFileLocked
	// SecExecDenyInteractive asks interpreters to refuse other commands.
	SecExecDenyInteractive
	SecExecDenyInteractiveLocked
)

const (
	// SecAllBits are the bits that are not locks: SECURE_ALL_BITS.
	SecAllBits = SecNoRoot | SecNoSetuidFixup | SecKeepCaps | SecNoCapAmbientRaise |
		SecExecRestrictFile | SecExecDenyInteractive

	// SecAllLocks are the locks: SECURE_ALL_LOCKS.
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

// Names returns the names of the set bits from the lowest to the highest, as
// setpriv(1) writes them; a bit without a name becomes "bit12" and the like.
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
// Every refusal is EPERM: a bit whose lock is set would change; a lock would
// be cleared; v has a bit that the kernel does not know; SETPCAP is missing.
// Since Linux 6.14 a task without SETPCAP may change bits of
// [SecAllUnprivileged], if it changes no other and at least one: writing the
// present value is refused.
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

// SetKeepCaps sets or clears [SecKeepCaps], as PR_SET_KEEPCAPS does. It needs no
// privilege.
//
// EPERM under [SecKeepCapsLocked], even when the bit would stay as it is.
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
