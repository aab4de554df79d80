package cap

import (
	"bufio"
	"fmt"
	"io"
	"os"
	"strconv"
	"strings"
	"sync"
	"sync/atomic"
)

// maxBits finds the number of capabilities of the kernel: PR_CAPBSET_READ
// fails for the first value that it does not have.
var maxBits = sync.OnceValue(func() Value {
	low, high := Value(0), Value(64)
	for low < high {
		mid := (low + high) / 2
		if _, err := boundingHas(mid); err == nil {
			low = mid + 1
		} else {
			high = mid
		}
	}
	if low == 0 {
		return NamedCount
	}
	return low
})

// MaxBits returns the number of capabilities of the running kernel, the
// values 0 to MaxBits()-1: prctl(2) PR_CAPBSET_READ. It is NamedCount where
// that cannot be asked.
func MaxBits() Value { return maxBits() }

// kernelMask has a bit for each capability of the running kernel.
func kernelMask() uint64 { return lowBits(MaxBits()) }

func lowBits(n Value) uint64 { return 1<<n - 1 }

// GetProc returns the capability set of the process: capget(2). It panics
// when the kernel has no capabilities.
func GetProc() *Set {
	c, err := GetPID(0)
	if err != nil {
		panic(err)
	}
	return c
}

// GetPID returns the capability set of another process, or for pid 0 of the
// caller: capget(2). The error is a syscall.Errno: ESRCH, EINVAL.
func GetPID(pid int) (*Set, error) {
	e, p, i, err := capget(pid)
	if err != nil {
		return nil, err
	}
	return setOf(e, p, i), nil
}

// SetProc makes c the capability set of every thread of the process:
// capset(2). The error is EPERM for a set that the kernel does not allow.
func (c *Set) SetProc() error {
	e, p, i, err := c.vectors()
	if err != nil {
		return err
	}
	return change(func(s scope) error { return s.capset(e, p, i) })
}

// GetBound reports whether val is in the bounding set. The error is EINVAL
// for a value that the kernel does not have.
func GetBound(val Value) (bool, error) { return boundingHas(val) }

// DropBound removes values from the bounding set of every thread, in order,
// and stops at the first error: EPERM without an effective CAP_SETPCAP, EINVAL
// for a value that the kernel does not have. Nothing raises them again.
func DropBound(val ...Value) error {
	return change(func(s scope) error {
		for _, v := range val {
			if err := s.boundingDrop(v); err != nil {
				return err
			}
		}
		return nil
	})
}

// GetAmbient reports whether val is in the ambient set. The error is EINVAL
// for a value that the kernel does not have.
func GetAmbient(val Value) (bool, error) { return ambientHas(val) }

// SetAmbient raises or lowers values in the ambient set of every thread, in
// order, and stops at the first error. Raising needs each value in the
// permitted and the inheritable set, and fails with EPERM under
// SecbitNoCapAmbientRaise.
func SetAmbient(enable bool, val ...Value) error {
	return change(func(s scope) error {
		for _, v := range val {
			act := s.ambientLower
			if enable {
				act = s.ambientRaise
			}
			if err := act(v); err != nil {
				return err
			}
		}
		return nil
	})
}

// ResetAmbient empties the ambient set of every thread. It makes no change,
// and needs no support by the kernel, when the set is already empty.
func ResetAmbient() error { return change(resetAmbient) }

func resetAmbient(s scope) error {
	a, err := readAmbient()
	if err != nil || a == 0 {
		return err
	}
	return s.ambientClear()
}

// readAmbient returns the ambient set of the calling thread; none on a kernel
// that does not know it.
func readAmbient() (uint64, error) {
	if _, err := ambientHas(0); err != nil {
		return 0, nil
	}
	return readVector(ambientHas)
}

// readBounding returns the bounding set of the calling thread.
func readBounding() (uint64, error) { return readVector(boundingHas) }

func readVector(has func(Value) (bool, error)) (uint64, error) {
	var mask uint64
	for v := range MaxBits() {
		on, err := has(v)
		if err != nil {
			return 0, err
		}
		if on {
			mask |= 1 << v
		}
	}
	return mask, nil
}

// GetSecbits returns the securebits of the calling thread: prctl(2)
// PR_GET_SECUREBITS.
func GetSecbits() Secbits {
	bits, err := getSecurebits()
	if err != nil {
		return 0
	}
	return bits
}

// Set makes s the securebits of every thread. It raises CAP_SETPCAP for the
// purpose and empties the effective set afterwards, also when it fails. The
// error is EPERM for a locked or unknown bit, or without a permitted
// CAP_SETPCAP.
func (s Secbits) Set() error {
	return change(func(sc scope) error {
		return withEffective(sc, SETPCAP, func() error { return sc.setSecurebits(s) })
	})
}

// withEffective raises val around fn, and leaves the effective set empty.
func withEffective(s scope, val Value, fn func() error) (err error) {
	e, p, i, err := capget(0)
	if err != nil {
		return err
	}
	defer func() {
		// fn may have changed the permitted and inheritable sets.
		_, p, i, readErr := capget(0)
		if readErr == nil {
			readErr = s.capset(0, p, i)
		}
		if err == nil {
			err = readErr
		}
	}()
	if err := s.capset(e|1<<val, p, i); err != nil {
		return err
	}
	return fn()
}

// SetUID makes uid the real, effective, saved and file system uid of every
// thread, and keeps the permitted set. It raises CAP_SETUID for the purpose
// and empties the effective set afterwards, also when it fails. Leaving uid 0
// empties the ambient set: capabilities(7).
func SetUID(uid int) error {
	id, err := kernelID(uid)
	if err != nil {
		return err
	}
	return change(func(s scope) error {
		return withEffective(s, SETUID, func() error {
			if err := s.setKeepCaps(true); err != nil {
				return fmt.Errorf("keep capabilities: %w", err)
			}
			err := s.setuids(id)
			if offErr := s.setKeepCaps(false); err == nil {
				err = offErr
			}
			return err
		})
	})
}

// SetGroups makes gid the real, effective, saved and file system gid of every
// thread, and suppl its supplementary groups. It raises CAP_SETGID for the
// purpose and empties the effective set afterwards, also when it fails. When
// the supplementary groups cannot be set, the gid is already changed.
func SetGroups(gid int, suppl ...int) error {
	id, err := kernelID(gid)
	if err != nil {
		return err
	}
	groups := make([]uint32, len(suppl))
	for i, g := range suppl {
		if groups[i], err = kernelID(g); err != nil {
			return err
		}
	}
	return change(func(s scope) error {
		return withEffective(s, SETGID, func() error {
			if err := s.setgids(id); err != nil {
				return err
			}
			return s.setgroups(groups)
		})
	})
}

// IABGetProc returns the inheritable, ambient and bounding vectors of the
// calling thread.
func IABGetProc() *IAB {
	_, _, i, err := capget(0)
	if err != nil {
		panic(err)
	}
	a, err := readAmbient()
	if err != nil {
		panic(err)
	}
	b, err := readBounding()
	if err != nil {
		panic(err)
	}
	return iabOf(i, a, kernelMask()&^b)
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
	i, a, nb, err := iab.vectors()
	if err != nil {
		return err
	}
	if (i|a)&^kernelMask() != 0 {
		return ErrBadValue
	}
	return change(func(s scope) error { return s.applyIAB(i, a, nb) })
}

func (s scope) applyIAB(i, a, nb uint64) (err error) {
	e, p, oldI, err := capget(0)
	if err != nil {
		return err
	}
	bound, err := readBounding()
	if err != nil {
		return err
	}
	drop := nb & bound
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
		if a&(1<<v) != 0 {
			if err := s.ambientRaise(v); err != nil {
				return err
			}
		}
		if drop&(1<<v) != 0 {
			if err := s.boundingDrop(v); err != nil {
				return err
			}
		}
	}
	return nil
}

// pure1E is the securebits of every mode but HYBRID; before the ambient set
// existed, without its bits.
const (
	pure1E = SecbitNoRoot | SecbitNoRootLocked | SecbitNoSetUIDFixup | SecbitNoSetUIDFixupLocked |
		SecbitKeepCapsLocked | SecbitNoCapAmbientRaise | SecbitNoCapAmbientRaiseLocked
	pure1EOld = pure1E &^ (SecbitNoCapAmbientRaise | SecbitNoCapAmbientRaiseLocked)
)

// secbits returns the securebits of m, or an error that wraps ErrBadMode.
func (m Mode) secbits() (Secbits, error) {
	switch m {
	case ModeHybrid:
		return 0, nil
	case ModePure1EInit, ModePure1E, ModeNoPriv:
		return pure1E, nil
	}
	return 0, fmt.Errorf("%w: %v cannot be set", ErrBadMode, m)
}

// GetMode returns the mode that the state of the calling thread amounts to.
// It is a guess: PURE1E with an empty inheritable set reads as PURE1E_INIT,
// and no_new_privs is not looked at.
func GetMode() Mode {
	bits := GetSecbits()
	if bits == 0 {
		return ModeHybrid
	}
	if bits&pure1EOld != pure1EOld {
		return ModeUncertain
	}
	if _, err := ambientHas(0); err == nil {
		if a, err := readAmbient(); err != nil || a != 0 || bits != pure1E {
			return ModeUncertain
		}
	}
	e, p, i, err := capget(0)
	if err != nil {
		return ModeUncertain
	}
	if i != 0 {
		return ModePure1E
	}
	if b, err := readBounding(); err != nil || b != 0 || p != 0 || e != 0 {
		return ModePure1EInit
	}
	return ModeNoPriv
}

// Set puts every thread of the process in mode m. It raises CAP_SETPCAP for
// the purpose and empties the effective set afterwards, also when it fails.
// Modes other than HYBRID lock themselves: there is no way back.
func (m Mode) Set() error {
	bits, modeErr := m.secbits()
	return change(func(s scope) error {
		return withEffective(s, SETPCAP, func() error {
			if modeErr != nil {
				return modeErr
			}
			return s.applyMode(m, bits)
		})
	})
}

func (s scope) applyMode(m Mode, bits Secbits) error {
	if m == ModeHybrid {
		return s.setSecurebits(bits)
	}
	if _, err := ambientHas(0); err != nil {
		bits = pure1EOld
	} else if err := resetAmbient(s); err != nil {
		return err
	}
	if err := s.setSecurebits(bits); err != nil {
		return err
	}
	if m == ModePure1E {
		return nil
	}
	e, p, _, err := capget(0)
	if err != nil {
		return err
	}
	if m == ModePure1EInit {
		return s.capset(e, p, 0)
	}
	for v := range MaxBits() {
		if err := s.boundingDrop(v); err != nil {
			return err
		}
	}
	if err := s.capset(0, 0, 0); err != nil {
		return err
	}
	return s.setNoNewPrivs()
}

// Prctl performs a prctl(2) on the calling thread, with at most five
// arguments after the option. The error is a syscall.Errno.
func Prctl(prVal uintptr, args ...uintptr) (int, error) {
	return prctlArgs(thisThread, prVal, args)
}

// Prctlw is Prctl on every thread of the process.
func Prctlw(prVal uintptr, args ...uintptr) (r int, err error) {
	err = change(func(s scope) error {
		r, err = prctlArgs(s, prVal, args)
		return err
	})
	return r, err
}

func prctlArgs(s scope, option uintptr, args []uintptr) (int, error) {
	if len(args) > 5 {
		return -1, fmt.Errorf("prctl takes at most 5 arguments, not %d", len(args))
	}
	var a [5]uintptr
	copy(a[:], args)
	return s.prctl6(option, a)
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
// that lacks a vector.
func IABGetPID(pid int) (*IAB, error) {
	f, err := os.Open(ProcRoot("") + "/" + strconv.Itoa(pid) + "/status")
	if err != nil {
		return nil, err
	}
	defer f.Close()
	var vec [3]uint64
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
			vec[n], seen[n] = mask&kernelMask(), true
		}
	}
	if err := lines.Err(); err != nil {
		return nil, err
	}
	if seen != [3]bool{true, true, true} {
		return nil, ErrBadValue
	}
	return iabOf(vec[0], vec[1], kernelMask()&^vec[2]), nil
}
