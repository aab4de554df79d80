package cap

import (
	"bufio"
	"errors"
	"io"
	"os"
	"strconv"
	"strings"
	"sync/atomic"
)

// IABGetProc returns the IAB tuple of the calling thread: capget(2), prctl(2). It
// panics if capget fails, as on a kernel without capabilities. If prctl fails for a
// capability, as under a seccomp(2) filter, that counts as not ambient and not
// blocked; GetAmbient and GetBound return the error.
func IABGetProc() *IAB {
	_, p, i, err := capget(0)
	if err != nil {
		panic(err)
	}
	var a, nb Mask
	for v := range MaxBits() {
		// Only a permitted and inheritable capability can be ambient:
		// capabilities(7).
		if (p & i).Has(int(v)) {
			if on, err := ambientHas(v); err == nil && on {
				a |= 1 << v
			}
		}
		if on, err := boundingHas(v); err == nil && !on {
			nb |= 1 << v
		}
	}
	return iabOf(i, a, nb)
}

// SetProc applies iab to every thread: it sets the inheritable and ambient sets, and
// permanently removes the blocked capabilities from the bounding set: capset(2),
// prctl(2) PR_CAP_AMBIENT and PR_CAPBSET_DROP. It raises CAP_SETPCAP if it needs that,
// and restores the effective set, even when it fails. It is not atomic: after an error
// some of the changes may have been made.
//
// The error is ErrBadValue, before any change, for a nil or zero IAB or a raised
// capability that the kernel does not have; or a syscall.Errno.
func (iab *IAB) SetProc() error {
	i, a, nb, err := iab.Masks()
	if err != nil {
		return err
	}
	return change(func(s scope) error { return s.applyIAB(i, a, nb) })
}

// applyIAB does the work of SetProc.
func (s scope) applyIAB(i, a, nb Mask) (err error) {
	if (i|a)&^kernelMask() != 0 {
		return ErrBadValue
	}
	e, p, oldI, err := capget(0)
	if err != nil {
		return err
	}
	drop := nb & kernelMask()
	if p&(1<<SETPCAP) == 0 {
		// Only what is in the bounding set must be dropped, which then fails.
		drop = stillBounding(nb)
	}
	raised := e
	if drop != 0 || i&^(oldI|p) != 0 {
		raised |= 1 << SETPCAP
	}
	if err := s.capset(raised, p, i); err != nil {
		return err
	}
	defer func() {
		if restoreErr := s.capset(e, p, i); err == nil {
			err = restoreErr
		}
	}()
	if err := resetAmbient(s); err != nil {
		return err
	}
	for v := range MaxBits() {
		if a.Has(int(v)) {
			if err := s.ambientRaise(v); err != nil {
				return err
			}
		}
		if drop.Has(int(v)) {
			if err := s.boundingDrop(v); err != nil {
				return err
			}
		}
	}
	return nil
}

// stillBounding returns the capabilities of mask that are in the bounding set, and
// those for which that cannot be read.
func stillBounding(mask Mask) Mask {
	var found Mask
	for n := range (mask & kernelMask()).All() {
		if on, err := boundingHas(Value(n)); err != nil || on {
			found = found.With(n)
		}
	}
	return found
}

// procRoot is the directory that ProcRoot sets; nil means "/proc".
var procRoot atomic.Pointer[string]

// ProcRoot sets the directory where IABGetPID finds the proc file system to path, and
// returns the former one. An empty path changes nothing. The default is "/proc".
func ProcRoot(path string) string {
	old := "/proc"
	if p := procRoot.Load(); p != nil {
		old = *p
	}
	if path != "" {
		procRoot.Store(&path)
	}
	return old
}

// maxStatus bounds the size of a status file, which has about 1.5 KiB and up to
// 65536 groups.
const maxStatus = 1 << 20

// IABGetPID returns the IAB tuple of another process, from its status file:
// proc_pid_status(5). The error is a *fs.PathError, or ErrBadValue if the first MiB of
// the file lacks a vector.
func IABGetPID(pid int) (*IAB, error) {
	f, err := os.Open(ProcRoot("") + "/" + strconv.Itoa(pid) + "/status")
	if err != nil {
		return nil, err
	}
	defer f.Close()
	var vec [3]Mask
	var seen [3]bool
	keys := [3]string{"CapInh:\t", "CapAmb:\t", "CapBnd:\t"}
	lines := bufio.NewScanner(io.LimitReader(f, maxStatus))
	lines.Buffer(nil, maxStatus)
	for lines.Scan() {
		for n, key := range keys {
			hex, ok := strings.CutPrefix(lines.Text(), key)
			if !ok {
				continue
			}
			mask, err := strconv.ParseUint(hex, 16, 64)
			if err != nil || len(hex) != 16 {
				return nil, ErrBadValue
			}
			vec[n], seen[n] = Mask(mask)&kernelMask(), true
		}
	}
	if err := lines.Err(); err != nil && !errors.Is(err, bufio.ErrTooLong) {
		return nil, err
	}
	if seen != [3]bool{true, true, true} {
		return nil, ErrBadValue
	}
	return iabOf(vec[0], vec[1], kernelMask()&^vec[2]), nil
}
