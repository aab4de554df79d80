package engine

import (
	"fmt"
	"strconv"
	"strings"

	"caprun/cap"
	"caprun/engine/cred"
)

// Kernel is a version of Linux, 5.8 or later, that a plan can be made for.
type Kernel struct{ Major, Minor int }

// OldestKernel returns the oldest version that a plan can be made for.
func OldestKernel() Kernel { return Kernel{5, 8} }

// ComparedKernels returns the versions that the model was compared with, the oldest first:
// docs/kernels.md.
func ComparedKernels() []Kernel { return []Kernel{{6, 1}, {6, 12}, LatestKernel()} }

// LatestKernel returns the newest version that the model was compared with. Newer
// versions get its rules.
func LatestKernel() Kernel { return Kernel{6, 18} }

// ParseKernel parses MAJOR.MINOR or MAJOR.MINOR.PATCH, decimal numbers below 1000. It
// returns an error for other text and for a version below 5.8.
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
		return Kernel{}, fmt.Errorf("invalid kernel version %q: want MAJOR.MINOR, such as 6.12", clip(text))
	}
	k := Kernel{n[0], n[1]}
	if oldest := OldestKernel(); !k.since(oldest.Major, oldest.Minor) {
		return Kernel{}, fmt.Errorf("unsupported kernel version %q: want %v or later", clip(text), oldest)
	}
	return k, nil
}

// String returns the version as MAJOR.MINOR.
func (k Kernel) String() string { return fmt.Sprintf("%d.%d", k.Major, k.Minor) }

// Rules returns the rules by which the version changes credentials.
func (k Kernel) Rules() cred.Rules { return cred.Linux(k.Major, k.Minor) }

// NewerThanLatest reports whether k is newer than [LatestKernel].
func (k Kernel) NewerThanLatest() bool {
	latest := LatestKernel()
	return k != latest && k.since(latest.Major, latest.Minor)
}

// newCaps are the newest capabilities, each with the first version that has it:
// linux/capability.h.
var newCaps = [...]struct {
	value cap.Value
	since Kernel
}{
	{cap.AUDIT_READ, Kernel{3, 16}},
	{cap.PERFMON, Kernel{5, 8}},
	{cap.BPF, Kernel{5, 8}},
	{cap.CHECKPOINT_RESTORE, Kernel{5, 9}},
}

// execSecurebitsSince is the first version with the securebits 8 to 11.
var execSecurebitsSince = Kernel{6, 14}

// Caps returns the capabilities that the version has.
func (k Kernel) Caps() cred.Caps {
	caps := cred.FirstCaps(cap.NamedCount)
	for _, c := range newCaps {
		if !k.since(c.since.Major, c.since.Minor) {
			caps = caps.Without(int(c.value))
		}
	}
	return caps
}

// capsSince names the versions that have all of the capabilities, in the form
// " (Linux 5.9 and later have it)". It is empty if one of them is not in newCaps.
func capsSince(caps cred.Caps) string {
	var first Kernel
	for v := range caps.All() {
		known := false
		for _, c := range newCaps {
			if int(c.value) == v {
				known = true
				if c.since.since(first.Major, first.Minor) {
					first = c.since
				}
			}
		}
		if !known {
			return ""
		}
	}
	return " (" + first.andLater(caps.Len()) + ")"
}

// andLater returns the text that k and later versions have one or several things.
func (k Kernel) andLater(things int) string {
	if things == 1 {
		return fmt.Sprintf("Linux %v and later have it", k)
	}
	return fmt.Sprintf("Linux %v and later have them", k)
}

// Securebits returns the securebits and locks that the version has.
func (k Kernel) Securebits() cred.Securebits {
	all := cred.SecAllBits | cred.SecAllLocks
	if !k.Rules().ExecSecurebits {
		return all &^ cred.SecAllUnprivileged
	}
	return all
}

// Restrict returns c without the capabilities and securebits that k does not have.
func (k Kernel) Restrict(c cred.Cred) cred.Cred {
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
