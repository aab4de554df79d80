package search

import (
	"testing"

	"caprun/engine/cred"
)

// FuzzMinimize checks the result for a truth table over six capabilities: bit n of works
// is the outcome for the set whose bits are n, and bit n of denied those that it shows.
func FuzzMinimize(f *testing.F) {
	f.Add(uint64(1)<<63, uint64(63), uint64(0), true)
	f.Add(^uint64(0), uint64(0), uint64(0), false)
	f.Add(uint64(0x8000_0000_1000_0000), uint64(3), uint64(4), true)
	f.Fuzz(func(t *testing.T, works, strong, weak uint64, traced bool) {
		w := &workload{
			traced: traced,
			works:  func(set cred.Caps) bool { return works>>(uint64(set)&63)&1 == 1 },
			denied: func(set cred.Caps) cred.Caps { return cred.Caps(works>>(uint64(set)%8)) & 63 &^ set },
		}
		g := Guess{Strong: cred.Caps(strong) & 63, Weak: cred.Caps(weak) & 63, All: 63}
		r, err := Minimize(t.Context(), w.run, g)
		if err != nil {
			t.Fatal(err)
		}
		checkResult(t, w, g, r)
	})
}
