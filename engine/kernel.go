package engine

import (
	"errors"
	"fmt"
	"strconv"
	"strings"

	"caprun/cap"
	"caprun/engine/cred"
)

// Kernel is a release of Linux that a plan can be made for: 5.8 or later,
// which is what the model describes.
type Kernel struct{ Major, Minor int }

// LatestKernel returns the newest release that the model was compared with.
// Later ones get its rules.
func LatestKernel() Kernel { return Kernel{6, 18} }

// ParseKernel reads MAJOR.MINOR or MAJOR.MINOR.PATCH, decimal numbers below
// 1000. The error says what to write instead.
func ParseKernel(text string) (Kernel, error) {
	parts := strings.Split(text, ".")
	var n [3]int
	ok := len(parts) == 2 || len(parts) == 3
	for k := 0; ok && k < len(parts); k++ {
		var err error
		n[k], err = strconv.Atoi(parts[k])
		ok = err == nil && n[k] >= 0 && n[k] < 1000 && strconv.Itoa(n[k]) == parts[k]
	}
	if !ok {
		return Kernel{}, errors.New("unknown kernel version; write it as 6.12 or 6.12.3")
	}
	k := Kernel{n[0], n[1]}
	if !k.since(5, 8) {
		return Kernel{}, fmt.Errorf("the model begins with Linux 5.8, and %v came before; write 5.8 or later", k)
	}
	return k, nil
}

// String returns the version as ParseKernel reads it.
func (k Kernel) String() string { return fmt.Sprintf("%d.%d", k.Major, k.Minor) }

// Rules returns the rules of the release.
func (k Kernel) Rules() cred.Rules { return cred.Linux(k.Major, k.Minor) }

// Newer reports whether the release came after the newest that the model was
// compared with.
func (k Kernel) Newer() bool {
	latest := LatestKernel()
	return k != latest && k.since(latest.Major, latest.Minor)
}

// Caps returns the capabilities that the release has: 5.9 brought
// cap_checkpoint_restore.
func (k Kernel) Caps() cred.Caps {
	if !k.since(5, 9) {
		return cred.FirstCaps(int(cap.CHECKPOINT_RESTORE))
	}
	return cred.FirstCaps(namedBits)
}

// Securebits returns the securebits and locks that the release has.
func (k Kernel) Securebits() cred.Securebits {
	all := cred.SecAllBits | cred.SecAllLocks
	if !k.Rules().ExecSecurebits {
		return all &^ cred.SecAllUnprivileged
	}
	return all
}

// Limit returns a state as it would be on this kernel: without the
// capabilities and securebits that it does not have.
func (k Kernel) Limit(c cred.Cred) cred.Cred {
	has := k.Caps()
	for _, set := range []*cred.Caps{&c.All, &c.Effective, &c.Permitted, &c.Inheritable, &c.Bounding, &c.Ambient} {
		*set = set.Intersect(has)
	}
	c.Securebits &= k.Securebits()
	return c
}

func (k Kernel) since(major, minor int) bool {
	return k.Major > major || k.Major == major && k.Minor >= minor
}
