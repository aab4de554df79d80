package cap

// A KeyAccess is what a thread can do with the keys of the kernel: keyrings(7).
type KeyAccess int

// The values of GetKeyAccess.
const (
	// KeysReplaceable is the normal case: the thread can replace its session
	// keyring.
	KeysReplaceable KeyAccess = iota

	// KeysFixed means that a seccomp(2) filter forbids replacing the session
	// keyring, but not every call that reaches a key.
	KeysFixed

	// KeysUnreachable means that no call can reach a key: a seccomp(2) filter
	// refuses each of them, or the kernel was built without keyrings.
	KeysUnreachable
)
