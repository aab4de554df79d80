package cap

import (
	"errors"
	"syscall"
)

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
	possible, err := possibleAmbient()
	if err != nil {
		return 0, err
	}
	return readVector(possible, ambientHas)
}

// possibleAmbient returns the capabilities that the ambient set may have: those that
// are permitted and inheritable, capabilities(7); none on a kernel without that set.
func possibleAmbient() (uint64, error) {
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
func readBounding() (uint64, error) {
	// MaxBits was found by errors. One that meant something else would hide
	// capabilities that are in the set.
	if n := MaxBits(); n < valueLimit {
		if _, err := boundingHas(n); !errors.Is(err, syscall.EINVAL) {
			return 0, errCount
		}
	}
	return readVector(kernelMask(), boundingHas)
}

var errCount = errors.New("how many capabilities the kernel has cannot be told")

// readVector asks for the capabilities of mask that the kernel has.
func readVector(mask uint64, has func(Value) (bool, error)) (uint64, error) {
	var vector uint64
	for v := range MaxBits() {
		if mask&(1<<v) == 0 {
			continue
		}
		on, err := has(v)
		if err != nil {
			return 0, err
		}
		if on {
			vector |= 1 << v
		}
	}
	return vector, nil
}
