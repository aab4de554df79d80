package conformance

import (
	"bytes"
	"fmt"
	"math/rand/v2"
	"testing"

	"caprun/cap"

	upstream "kernel.org/pub/linux/libs/security/libcap/cap"
)

// TestExport writes random sets with both packages in every length, and reads what
// each wrote. MinExtFlagSize is global, so no other test runs at the same time.
func TestExport(t *testing.T) {
	defer func(ours, theirs uint) { cap.MinExtFlagSize, upstream.MinExtFlagSize = ours, theirs }(cap.MinExtFlagSize, upstream.MinExtFlagSize)
	if cap.MinExtFlagSize != upstream.MinExtFlagSize {
		t.Errorf("the least length is %d, and theirs %d", cap.MinExtFlagSize, upstream.MinExtFlagSize)
	}
	for _, size := range []uint{0, 1, 2, 3, 4, 5, 6, 7, 8, 9, 10, 100, 254, 255, 256, 1000} {
		cap.MinExtFlagSize, upstream.MinExtFlagSize = size, size
		accepted := 0
		seed := number(t, seedVariable, 1)
		r := rand.New(rand.NewPCG(seed, uint64(size)))
		for range 2000 {
			// Sets that require each number of groups.
			keep := uint64(1)<<r.IntN(65) - 1
			d := portable(randomBits(r)&keep, randomBits(r)&keep, randomBits(r)&keep)
			o, err := cap.Import(d)
			if err != nil {
				t.Fatal(err)
			}
			u, err := upstream.Import(d)
			if err != nil {
				t.Fatal(err)
			}
			ours, oErr := o.Export()
			theirs, uErr := u.Export()
			if !bytes.Equal(ours, theirs) || errorKind(oErr) != errorKind(uErr) {
				t.Fatalf("size %d, %x: ours %x, %v, theirs %x, %v", size, d, ours, oErr, theirs, uErr)
			}
			if oErr != nil {
				continue
			}
			// Each reads what the other wrote.
			if err := compareImport(theirs); err != nil {
				t.Fatalf("size %d: %v", size, err)
			}
			back, err := cap.Import(theirs)
			if err != nil {
				continue
			}
			if cf, err := back.Cf(o); cf != 0 || err != nil {
				t.Fatalf("size %d, %x: read back as %q, %v", size, d, back, err)
			}
			accepted++
		}
		if (accepted > 0) != (size <= 8) {
			t.Errorf("size %d: %d sets can be read back", size, accepted)
		}
	}
}

// compareImport reads bytes with both packages.
func compareImport(d []byte) error {
	o, oErr := cap.Import(d)
	u, uErr := upstream.Import(d)
	if errorKind(oErr) != errorKind(uErr) {
		return fmt.Errorf("%x: ours says %v, theirs %v", d, oErr, uErr)
	}
	if oErr == nil && o.String() != u.String() {
		return fmt.Errorf("%x: ours is %q, theirs %q", d, o, u)
	}
	return nil
}

// TestImport reads bytes that are truncated, extended, or changed.
func TestImport(t *testing.T) {
	sharded(t, 200_000, func(r *rand.Rand) error {
		d := portable(randomBits(r), randomBits(r), randomBits(r))
		d[4] = byte(r.IntN(11))
		if r.IntN(10) == 0 {
			d[4] = byte(r.Uint32())
		}
		d = d[:min(len(d), 5+3*int(d[4]))]
		switch r.IntN(4) {
		case 0:
			d = d[:r.IntN(len(d)+1)]
		case 1:
			for range r.IntN(800) {
				d = append(d, byte(r.Uint32()))
			}
		}
		return compareImport([]byte(mutate(r, string(d), "\x00\x01\xff\x80\x02\x51\x90\xc2")))
	})
	for n := range 6 {
		if err := compareImport(portable(0, 0, 0)[:n]); err != nil {
			t.Error(err)
		}
	}
	if err := compareImport(nil); err != nil {
		t.Error(err)
	}
}
