package cap

import (
	"fmt"
	"math/bits"
	"strconv"
)

// Secbits are the securebits of a thread, which control how the kernel treats user
// ID 0: capabilities(7). The bits are those of linux/securebits.h. Each has a lock: if
// that is set, neither the bit nor the lock can change.
type Secbits uint

// The securebits: capabilities(7). The last two pairs are described in
// Documentation/userspace-api/check_exec.rst of the kernel.
const (
	// SecbitNoRoot makes exec grant no capabilities because of user ID 0.
	SecbitNoRoot Secbits = 1 << iota
	SecbitNoRootLocked
	// SecbitNoSetUIDFixup keeps the capability sets unchanged when user IDs
	// change from or to 0.
	SecbitNoSetUIDFixup
	SecbitNoSetUIDFixupLocked
	// SecbitKeepCaps keeps the permitted set when the last user ID that is 0
	// changes. Exec clears this bit.
	SecbitKeepCaps
	SecbitKeepCapsLocked
	// SecbitNoCapAmbientRaise forbids raising ambient capabilities.
	SecbitNoCapAmbientRaise
	SecbitNoCapAmbientRaiseLocked
	// SecbitExecRestrictFile asks interpreters to run only files that the
	// kernel would execute. It requires Linux 6.14.
	SecbitExecRestrictFile
	SecbitExecRestrictFileLocked
	// SecbitExecDenyInteractive asks interpreters to run only code from files.
	// It requires Linux 6.14.
	SecbitExecDenyInteractive
	SecbitExecDenyInteractiveLocked
)

// secbitNames are the names that setpriv(1) uses, by bit number.
var secbitNames = [...]string{
	"noroot", "noroot_locked",
	"no_setuid_fixup", "no_setuid_fixup_locked",
	"keep_caps", "keep_caps_locked",
	"no_cap_ambient_raise", "no_cap_ambient_raise_locked",
	"exec_restrict_file", "exec_restrict_file_locked",
	"exec_deny_interactive", "exec_deny_interactive_locked",
}

// Names returns the names of the bits that are set, in the order of their numbers. They
// are those of setpriv(1): "noroot", "noroot_locked" and so on. A bit without a name,
// such as 12, is "bit12".
func (s Secbits) Names() []string {
	names := make([]string, 0, bits.OnesCount(uint(s)))
	for left := uint(s); left != 0; left &= left - 1 {
		n := bits.TrailingZeros(left)
		if n < len(secbitNames) {
			names = append(names, secbitNames[n])
		} else {
			names = append(names, "bit"+strconv.Itoa(n))
		}
	}
	return names
}

// SecbitsFromName returns the bit with this name. The error wraps ErrBadValue. It is
// also returned for names such as "bit12", because the meaning of that bit is unknown.
func SecbitsFromName(name string) (Secbits, error) {
	for n, have := range secbitNames {
		if have == name {
			return 1 << n, nil
		}
	}
	return 0, fmt.Errorf("%w: unknown securebit %q", ErrBadValue, name)
}
