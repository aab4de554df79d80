package cap

import (
	"errors"
	"fmt"
	"syscall"

	"caprun/internal/ids"

	"golang.org/x/sys/unix"
)

// executeKeyring replaces the session keyring of the calling thread by a new
// one, and verifies that it is new and empty: no later step would notice.
//
// A process without access to any key has nothing to replace: a seccomp(2)
// filter refuses every call that reaches a key, or the kernel has no keys.
func executeKeyring(_ *Step, fail failFunc) error {
	// Where there is no session keyring, this makes the user session keyring
	// one until the next call. It may fail: what counts comes after it.
	old, _ := keyctl(unix.KEYCTL_GET_KEYRING_ID, sessionKeyring)
	serial, err := keyctl(unix.KEYCTL_JOIN_SESSION_KEYRING, 0)
	if err != nil {
		if !KeysReachable() {
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

// KeysReachable reports whether the calling thread can reach keys of the kernel:
// it is false where each call of keyrings(7) that could is refused before the
// kernel looks at the key, by a seccomp(2) filter or because the kernel has none.
// It has no side effects: the calls name no key, and point to no memory.
func KeysReachable() bool {
	refused := func(err error) bool {
		return err == syscall.EPERM || err == syscall.EACCES || err == syscall.ENOSYS
	}
	for _, op := range keyOperations {
		if _, err := keyctl(op, 0); !refused(err) {
			return true
		}
	}
	_, add := thisThread.call(unix.SYS_ADD_KEY, 0, 0, 0, 0, 0)
	_, request := thisThread.call(unix.SYS_REQUEST_KEY, 0, 0, 0, 0, 0)
	return !refused(add) || !refused(request)
}
