package cap

import (
	"errors"
	"fmt"
	"syscall"

	"caprun/internal/ids"

	"golang.org/x/sys/unix"
)

// executeKeyring replaces the session keyring of the calling thread, and verifies that
// the new one is another keyring and empty, because no later step would fail if the call
// had no effect.
//
// It is skipped for a process that cannot reach any key, because a seccomp(2) filter
// refuses every call that reaches a key, or because the kernel was built without
// keyrings.
func executeKeyring(_ *Step, fail failFunc) error {
	// Without a session keyring, this makes the user session keyring the session
	// keyring until the next call. An error here does not matter.
	old, _ := keyctl(unix.KEYCTL_GET_KEYRING_ID, sessionKeyring)
	serial, err := keyctl(unix.KEYCTL_JOIN_SESSION_KEYRING, 0)
	if err != nil {
		if GetKeyAccess() == KeysUnreachable {
			return nil
		}
		return fail("keyctl KEYCTL_JOIN_SESSION_KEYRING", err)
	}
	if serial <= 0 || serial == old {
		return fail("keyctl KEYCTL_JOIN_SESSION_KEYRING", ids.ErrNoEffect)
	}
	now, err := keyctl(unix.KEYCTL_GET_KEYRING_ID, sessionKeyring)
	if err == nil && now != serial {
		err = fmt.Errorf("the session keyring is %d, not %d", now, serial)
	}
	if err != nil {
		return fail("keyctl KEYCTL_GET_KEYRING_ID", err)
	}
	size, err := keyctl(unix.KEYCTL_READ, serial)
	if err == nil && size != 0 {
		err = errors.New("the new session keyring is not empty")
	}
	return fail("keyctl KEYCTL_READ", err)
}

const sessionKeyring = unix.KEY_SPEC_SESSION_KEYRING

// lastKeyOperation is the last operation of keyctl(2) that Linux 6.18 has:
// KEYCTL_WATCH_KEY.
const lastKeyOperation = 32

// isKeyProbe reports whether an operation of keyctl(2) has no effect, and another error
// than EPERM, with zeros as arguments.
func isKeyProbe(operation int) bool {
	switch operation {
	case unix.KEYCTL_JOIN_SESSION_KEYRING, unix.KEYCTL_SET_REQKEY_KEYRING, unix.KEYCTL_SESSION_TO_PARENT:
		return false // has an effect
	case unix.KEYCTL_INSTANTIATE, unix.KEYCTL_INSTANTIATE_IOV, unix.KEYCTL_NEGATE, unix.KEYCTL_REJECT, unix.KEYCTL_ASSUME_AUTHORITY:
		return false // for a key that is under construction; otherwise EPERM
	}
	return true
}

// GetKeyAccess returns what the calling thread can do with keys: keyctl(2), add_key(2),
// request_key(2). It has no side effects: all arguments of these calls are invalid.
func GetKeyAccess() KeyAccess {
	refused := func(err error) bool {
		return err == syscall.EPERM || err == syscall.EACCES || err == syscall.ENOSYS
	}
	_, join := keyctl(unix.KEYCTL_JOIN_SESSION_KEYRING, badPointer)
	if !refused(join) {
		return KeysReplaceable
	}
	for op := range lastKeyOperation + 1 {
		if !isKeyProbe(op) {
			continue
		}
		if _, err := keyctl(op, 0); !refused(err) {
			return KeysFixed
		}
	}
	// A filter that refuses operations one by one leaves those that it does not know.
	if _, err := keyctl(unknownKeyOperation, 0); !refused(err) {
		return KeysFixed
	}
	_, add := thisThread.call(unix.SYS_ADD_KEY, badPointer, badPointer, 0, 0, 0)
	_, request := thisThread.call(unix.SYS_REQUEST_KEY, badPointer, badPointer, 0, 0, 0)
	if !refused(add) || !refused(request) {
		return KeysFixed
	}
	return KeysUnreachable
}

// unknownKeyOperation is none of any kernel: EOPNOTSUPP.
const unknownKeyOperation = 1 << 20

// badPointer is an address that no process maps, so that calls return EFAULT.
const badPointer = 1
