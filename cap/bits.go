package cap

import (
	"sync"

	"caprun/internal/capset"
)

// A Mask is a set of capabilities as a uint64: bit n stands for Value n. Its methods
// are those of a set, such as Has, With, Union and Names.
type Mask = capset.Set

// maxBits finds the number of capabilities of the kernel: PR_CAPBSET_READ fails for
// the first value that the kernel does not have.
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

// MaxBits returns the number of capabilities of the running kernel, which are the
// values 0 to MaxBits()-1: prctl(2) PR_CAPBSET_READ. If that call fails for every
// value, MaxBits returns NamedCount.
func MaxBits() Value { return maxBits() }

// kernelMask returns the capabilities of the running kernel.
func kernelMask() Mask { return lowBits(MaxBits()) }

// lowBits returns the capabilities below n.
func lowBits(n Value) Mask { return capset.First(int(min(n, valueLimit))) }
