package cap

import (
	"sync"

	"caprun/internal/capset"
)

// A Mask is a set of capabilities: bit n is Value n. It has methods of a set, such
// as Has, With, Union and Names, and converts from and to a uint64.
type Mask = capset.Set

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
func kernelMask() Mask { return lowBits(MaxBits()) }

// lowBits has a bit for each Value below n.
func lowBits(n Value) Mask { return capset.First(int(min(n, valueLimit))) }
