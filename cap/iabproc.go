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

// IABGetProc returns the inheritable, ambient and bounding vectors of the
// calling thread. It panics when the kernel has no capabilities. What the
// kernel refuses to tell, as under a seccomp(2) filter, counts as not ambient
// and not blocked: GetAmbient and GetBound return the error.
func IABGetProc() *IAB {
	_, p, i, err := capget(0)
	if err != nil {
		panic(err)
	}
	var a, nb Mask
	for v := range MaxBits() {
		// An ambient capability is both permitted and inheritable, so few need
		// to be asked for: capabilities(7).
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

// SetProc makes the tuple the vectors of every thread: the inheritable and
// ambient sets exactly, and the blocked values out of the bounding set, where
// they never return. It raises CAP_SETPCAP if it needs it, and restores the
// effective set afterwards, also when it fails. It is not atomic: an error of
// a later part leaves the earlier ones done.
//
// The error is ErrBadValue, before any change, for a capability to grant that
// the kernel does not have.
func (iab *IAB) SetProc() error {
	i, a, nb, err := iab.Masks()
	if err != nil {
		return err
	}
	return change(func(s scope) error { return s.applyIAB(i, a, nb) })
}

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

// stillBounding returns those of mask that have to leave the bounding set. One
// that the kernel refuses to tell about is dropped too: it may be there.
func stillBounding(mask Mask) Mask {
	var there Mask
	for n := range (mask & kernelMask()).All() {
		if on, err := boundingHas(Value(n)); err != nil || on {
			there = there.With(n)
		}
	}
	return there
}

// procRoot is where IABGetPID finds the proc file system; nil is "/proc".
var procRoot atomic.Pointer[string]

// ProcRoot makes path the place where IABGetPID finds the proc file system,
// and returns the former one. The empty string only reads.
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

// maxStatus bounds what is read of a status file, which has about 1.5 KiB and
// a list of groups of at most 65536 numbers.
const maxStatus = 1 << 20

// IABGetPID returns the vectors of another process, from its status file:
// proc_pid_status(5). The error is an fs.PathError, or ErrBadValue for a file
// that lacks a vector in its first 1 MiB.
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
