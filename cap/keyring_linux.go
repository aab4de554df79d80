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
// forbids every call that reaches a key, or because the kernel has no keys.
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

// keyOperations are the operations of keyctl(2) that take the serial number of a
// key and give access to it, change it, or link it.
var keyOperations = [...]int{
	unix.KEYCTL_GET_KEYRING_ID, unix.KEYCTL_UPDATE, unix.KEYCTL_REVOKE, unix.KEYCTL_CHOWN, unix.KEYCTL_SETPERM,
	unix.KEYCTL_DESCRIBE, unix.KEYCTL_CLEAR, unix.KEYCTL_LINK, unix.KEYCTL_UNLINK, unix.KEYCTL_SEARCH,
	unix.KEYCTL_READ, unix.KEYCTL_SET_TIMEOUT, unix.KEYCTL_INVALIDATE,
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
	for _, op := range keyOperations {
		if _, err := keyctl(op, 0); !refused(err) {
			return KeysFixed
		}
	}
	_, add := thisThread.call(unix.SYS_ADD_KEY, badPointer, badPointer, 0, 0, 0)
	_, request := thisThread.call(unix.SYS_REQUEST_KEY, badPointer, badPointer, 0, 0, 0)
	if !refused(add) || !refused(request) {
		return KeysFixed
	}
	return KeysUnreachable
}

// badPointer is an address that no process maps, so that calls return EFAULT.
const badPointer = 1
