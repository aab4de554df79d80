package cap

import (
	"sync"
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
