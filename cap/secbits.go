package cap

import (
	"fmt"
	"math/bits"
	"strconv"
)

// Secbits are the securebits of a thread, which say what the kernel does for
// user ID 0, numbered as in linux/securebits.h. Each has a lock beside it: the
// bit cannot change any more, and neither can the lock.
type Secbits uint

// The securebits. See capabilities(7), and for the last two pairs the kernel's
// document on the executability check.
const (
	// SecbitNoRoot denies user ID 0 the capabilities that exec would give it.
	SecbitNoRoot Secbits = 1 << iota
	SecbitNoRootLocked
	// SecbitNoSetUIDFixup keeps the sets as they are when user IDs change
	// from or to 0.
	SecbitNoSetUIDFixup
	SecbitNoSetUIDFixupLocked
	// SecbitKeepCaps keeps the permitted set when all user IDs leave 0. Exec
	// clears it.
	SecbitKeepCaps
	SecbitKeepCapsLocked
	// SecbitNoCapAmbientRaise forbids raising ambient capabilities.
	SecbitNoCapAmbientRaise
	SecbitNoCapAmbientRaiseLocked
	// SecbitExecRestrictFile asks interpreters to run only files that the
	// kernel would execute. Linux 6.14 and later.
	SecbitExecRestrictFile
	SecbitExecRestrictFileLocked
	// SecbitExecDenyInteractive asks interpreters to run no code that is not
	// in a file. Linux 6.14 and later.
	SecbitExecDenyInteractive
	SecbitExecDenyInteractiveLocked
)

// secbitNames has the names that setpriv(1) uses, by bit number.
var secbitNames = [...]string{
	"noroot", "noroot_locked",
	"no_setuid_fixup", "no_setuid_fixup_locked",
	"keep_caps", "keep_caps_locked",
	"no_cap_ambient_raise", "no_cap_ambient_raise_locked",
	"exec_restrict_file", "exec_restrict_file_locked",
	"exec_deny_interactive", "exec_deny_interactive_locked",
}

// Names returns the names of the bits that are set, lowest first, as
// setpriv(1) has them: "noroot", "noroot_locked" and so on. A bit without a
// name is called "bit12", by its number.
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

// SecbitsFromName returns the bit that is called name. The error wraps
// ErrBadValue, also for the "bit12" that Names may return: what a bit without
// a name does is not known.
func SecbitsFromName(name string) (Secbits, error) {
	for n, have := range secbitNames {
		if have == name {
			return 1 << n, nil
		}
	}
	return 0, fmt.Errorf("%w: no securebit is called %q", ErrBadValue, name)
}
