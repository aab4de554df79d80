// Package capset has the type of a capability set, and the names of capabilities, which
// packages cap and cred share.
package capset

import (
	"iter"
	"math/bits"
	"strings"
)

// A Set is a set of capabilities: bit n stands for capability n, 0 to 63. The zero value
// is the empty set. Sets can be compared with ==.
type Set uint64

// Of returns the set of the given capability numbers. It ignores numbers outside 0 to 63.
func Of(numbers ...int) Set {
	var s Set
	for _, n := range numbers {
		s = s.With(n)
	}
	return s
}

// First returns the set of the capabilities 0 to count-1, which are those of a kernel
// with this number of capabilities. It is empty for a count below 1, and has 64
// capabilities for a count above 63.
func First(count int) Set {
	if count < 1 {
		return 0
	}
	return 1<<count - 1
}

// Has reports whether capability n is in the set. It returns false for a number outside
// 0 to 63.
func (s Set) Has(n int) bool { return s&only(n) != 0 }

// With returns the set with capability n added. It ignores a number outside 0 to 63.
func (s Set) With(n int) Set { return s | only(n) }

// Without returns the set with capability n removed.
func (s Set) Without(n int) Set { return s &^ only(n) }

// Union returns the capabilities that are in s or in t.
func (s Set) Union(t Set) Set { return s | t }

// Intersect returns the capabilities that are in both s and t.
func (s Set) Intersect(t Set) Set { return s & t }

// Minus returns the capabilities that are in s and not in t.
func (s Set) Minus(t Set) Set { return s &^ t }

// SubsetOf reports whether every capability of s is in t.
func (s Set) SubsetOf(t Set) bool { return s&^t == 0 }

// Len returns the number of capabilities in the set.
func (s Set) Len() int { return bits.OnesCount64(uint64(s)) }

// Lowest returns the lowest capability of the set, or 64 if the set is empty.
func (s Set) Lowest() int { return bits.TrailingZeros64(uint64(s)) }

// All returns an iterator over the capabilities of the set, from the lowest to the
// highest.
func (s Set) All() iter.Seq[int] {
	return func(yield func(int) bool) {
		for ; s != 0; s &= s - 1 {
			if !yield(s.Lowest()) {
				return
			}
		}
	}
}

// Names returns the names of the capabilities of the set, in the order of their numbers.
// The result is not nil.
func (s Set) Names() []string {
	names := make([]string, 0, s.Len())
	for n := range s.All() {
		names = append(names, Name(n))
	}
	return names
}

// Join returns the names of the capabilities of the set, separated by commas.
func (s Set) Join() string { return strings.Join(s.Names(), ",") }

// String returns "none" for the empty set, "all" for the set of all named capabilities,
// and otherwise the names, separated by commas. If most named capabilities are in the
// set, these are "all but" and the others.
func (s Set) String() string {
	switch missing := Named.Minus(s); {
	case s == 0:
		return "none"
	case s == Named:
		return "all"
	case s.SubsetOf(Named) && missing.Len() < NamedCount/2:
		return "all but " + missing.Join()
	}
	return s.Join()
}

// only returns the set with only capability n. It is empty for a number outside 0 to 63;
// a shift by a negative count would panic.
func only(n int) Set {
	if n < 0 || n > 63 {
		return 0
	}
	return 1 << n
}
