package cred

import "caprun/internal/capset"

// Caps is a set of capabilities: bit n stands for capability n, 0 to 63. The zero value is
// the empty set. Values can be compared with ==. Its methods are Has, With, Without, Union,
// Intersect, Minus, SubsetOf, Len, Lowest, All, Names, Join and String.
type Caps = capset.Set

// The capabilities that the rules of this package name, with their numbers in
// linux/capability.h.
const (
	CHOWN           = 0
	DAC_OVERRIDE    = 1
	DAC_READ_SEARCH = 2
	FOWNER          = 3
	FSETID          = 4
	SETGID          = 6
	SETUID          = 7
	SETPCAP         = 8
	LINUX_IMMUTABLE = 9
	SYS_CHROOT      = 18
	MKNOD           = 27
	MAC_OVERRIDE    = 32
)

// FS is the set of the capabilities that the effective set loses and gains with the file
// system uid, see [Cred.Setfsuid]: CAP_FS_SET (include/linux/capability.h).
const FS Caps = 1<<CHOWN | 1<<DAC_OVERRIDE | 1<<DAC_READ_SEARCH | 1<<FOWNER |
	1<<FSETID | 1<<LINUX_IMMUTABLE | 1<<MKNOD | 1<<MAC_OVERRIDE

// CapsOf returns the set of the capabilities with these numbers. It ignores numbers
// outside 0 to 63.
func CapsOf(numbers ...int) Caps { return capset.Of(numbers...) }

// FirstCaps returns the set of the capabilities 0 to count-1, which a kernel with count
// capabilities has. It is empty for a count below 1 and has 64 elements for a count above
// 63.
func FirstCaps(count int) Caps { return capset.First(count) }
