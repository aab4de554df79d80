package machine

// DeathSignal is a parent-death signal: prctl(2) PR_SET_PDEATHSIG. The kernel
// clears it when ids change, so a launch sets it as its last step.
type DeathSignal struct {
	Signal int // 1 to 64; 0 for none

	// Parent is the pid of the parent that must still be there; 0 for one
	// outside of the pid namespace, whose end cannot be noticed.
	Parent int

	// Inherited tells that the signal is one that the caller wants, as opposed to
	// that of a supervisor. Where the exec clears it, the plan does not set it.
	Inherited bool
}
