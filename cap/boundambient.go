package cap

import (
	"errors"
	"syscall"
)

// GetBound reports whether val is in the bounding set of the calling thread: prctl(2)
// PR_CAPBSET_READ. The error is EINVAL for a value that the kernel does not have.
func GetBound(val Value) (bool, error) { return boundingHas(val) }

// DropBound permanently removes values from the bounding set of every thread, in order:
// prctl(2) PR_CAPBSET_DROP. It stops at the first error: EPERM without an effective
// CAP_SETPCAP, or EINVAL for a value that the kernel does not have.
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

// GetAmbient reports whether val is in the ambient set of the calling thread: prctl(2)
// PR_CAP_AMBIENT. The error is EINVAL for a value that the kernel does not have.
func GetAmbient(val Value) (bool, error) { return ambientHas(val) }

// SetAmbient raises values in the ambient set of every thread, or lowers them if enable
// is false, in order: prctl(2) PR_CAP_AMBIENT. It stops at the first error: EINVAL for a
// value that the kernel does not have, or EPERM. A value can be raised only if it is in
// the permitted and inheritable sets, and SecbitNoCapAmbientRaise is not set.
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

// ResetAmbient empties the ambient set of every thread: prctl(2)
// PR_CAP_AMBIENT_CLEAR_ALL. If the set of the calling thread is already empty, or the
// kernel has no ambient set, it does nothing.
func ResetAmbient() error { return change(resetAmbient) }

func resetAmbient(s scope) error {
	a, err := readAmbient()
	if err != nil || a == 0 {
		return err
	}
	return s.ambientClear()
}

// readAmbient returns the ambient set of the calling thread, which is empty on a kernel
// without that set.
func readAmbient() (Mask, error) {
	possible, err := possibleAmbient()
	if err != nil {
		return 0, err
	}
	return readSet(possible, ambientHas)
}

// possibleAmbient returns the capabilities that can be ambient: those that are permitted
// and inheritable, capabilities(7), or none on a kernel without the ambient set.
func possibleAmbient() (Mask, error) {
	_, p, i, err := capget(0)
	if err != nil || p&i&kernelMask() == 0 {
		return 0, err
	}
	if _, err := ambientHas(0); err != nil {
		return 0, nil
	}
	return p & i & kernelMask(), nil
}

// readBounding returns the bounding set of the calling thread.
func readBounding() (Mask, error) {
	// MaxBits ends at the first error. If that error has another cause, the set
	// may have capabilities above MaxBits.
	if n := MaxBits(); n < valueLimit {
		if _, err := boundingHas(n); !errors.Is(err, syscall.EINVAL) {
			return 0, errLastCapability
		}
	}
	return readSet(kernelMask(), boundingHas)
}

var errLastCapability = errors.New("cannot determine the kernel's last capability")

// readSet returns the capabilities of mask for which has returns true. It leaves out
// those that the kernel does not have.
func readSet(mask Mask, has func(Value) (bool, error)) (Mask, error) {
	var set Mask
	for n := range (mask & kernelMask()).All() {
		on, err := has(Value(n))
		if err != nil {
			return 0, err
		}
		if on {
			set = set.With(n)
		}
	}
	return set, nil
}
