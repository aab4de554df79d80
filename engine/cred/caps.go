package cred

// Caps is a set of capabilities: bit n stands for capability n, 0 to 63.
// The zero value is the empty set. Values are compared with ==.
type Caps uint64

// The capabilities that a rule of this package names, with the numbers of
// linux/capability.h. No other capability changes how credentials transform.
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

// FS holds the capabilities that follow the file system uid, see
// [Cred.Setfsuid]. The kernel calls it CAP_FS_SET.
const FS Caps = 1<<CHOWN | 1<<DAC_OVERRIDE | 1<<DAC_READ_SEARCH | 1<<FOWNER |
	1<<FSETID | 1<<LINUX_IMMUTABLE | 1<<MKNOD | 1<<MAC_OVERRIDE

// CapsOf returns the set of the given capability numbers. Numbers outside
// 0 to 63 are left out.
func CapsOf(numbers ...int) Caps {
	var s Caps
	for _, n := range numbers {
		s = s.With(n)
	}
	return s
}

// FirstCaps returns the set of the capabilities 0 to count-1: what a kernel
// with that many capabilities knows. It is empty for a count below 1 and has
// 64 members for a count above 63.
func FirstCaps(count int) Caps {
	switch {
	case count < 1:
		return 0
	case count > 63:
		return ^Caps(0)
	}
	return 1<<count - 1
}

// Has reports whether capability n is in the set. It is false for a number
// outside 0 to 63.
func (s Caps) Has(n int) bool { return s&only(n) != 0 }

// With returns the set with capability n added.
func (s Caps) With(n int) Caps { return s | only(n) }

// Without returns the set with capability n removed.
func (s Caps) Without(n int) Caps { return s &^ only(n) }

// Union returns what is in s or in t.
func (s Caps) Union(t Caps) Caps { return s | t }

// Intersect returns what is in s and in t.
func (s Caps) Intersect(t Caps) Caps { return s & t }

// Minus returns what is in s and not in t.
func (s Caps) Minus(t Caps) Caps { return s &^ t }

// SubsetOf reports whether everything in s is in t.
func (s Caps) SubsetOf(t Caps) bool { return s&^t == 0 }

// only returns the set of capability n alone, empty for a number that no set
// can hold: shifting by a negative count would panic.
func only(n int) Caps {
	if n < 0 || n > 63 {
		return 0
	}
	return 1 << n
}
