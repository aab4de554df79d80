package machine

// DeathSignal is a parent-death signal, see prctl(2), PR_SET_PDEATHSIG. The kernel
// clears it when the IDs of the process change.
type DeathSignal struct {
	Signal int // 1 to 64; 0 for none

	// Parent is the process ID of the parent, which must still run when the signal
	// is set. It is 0 for a parent outside the pid namespace: its end cannot be
	// noticed.
	Parent int
}
