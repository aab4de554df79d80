// Package sigmask blocks and unblocks signals for one thread.
package sigmask

import "golang.org/x/sys/unix"

// Block adds signals to the mask of the calling thread, and returns the previous mask:
// pthread_sigmask(3). The caller must have locked its goroutine to the thread,
// runtime.LockOSThread.
func Block(signals ...unix.Signal) (before unix.Sigset_t, err error) {
	var set unix.Sigset_t
	for _, sig := range signals {
		add(&set, sig)
	}
	err = unix.PthreadSigmask(unix.SIG_BLOCK, &set, &before)
	return before, err
}

// Unblock removes signals from the mask of the calling thread.
func Unblock(signals ...unix.Signal) error {
	var set unix.Sigset_t
	for _, sig := range signals {
		add(&set, sig)
	}
	return unix.PthreadSigmask(unix.SIG_UNBLOCK, &set, nil)
}

// Restore sets the mask of the calling thread to a mask that Block returned.
func Restore(mask unix.Sigset_t) error {
	return unix.PthreadSigmask(unix.SIG_SETMASK, &mask, nil)
}

// add adds a signal to a set: sigaddset(3).
func add(set *unix.Sigset_t, sig unix.Signal) {
	const bits = 8 * int(unix.SizeofPtr)
	n := int(sig) - 1
	set.Val[n/bits] |= 1 << (n % bits)
}
