package cap

// KeyAccess is what a thread can do with the keys of the kernel: keyrings(7).
type KeyAccess int

const (
	// KeysReplaceable is the ordinary case: the thread can replace its session
	// keyring.
	KeysReplaceable KeyAccess = iota

	// KeysFixed means that a seccomp(2) filter refuses to replace the session
	// keyring, and not every call that reaches a key.
	KeysFixed

	// KeysUnreachable means that every call that reaches a key is refused: by a
	// filter, or because the kernel has no keys.
	KeysUnreachable
)
