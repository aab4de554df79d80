// Package capset has the type of a capability set, and the names of
// capabilities. It is what packages cap and cred have in common.
package capset

import (
	"iter"
	"math/bits"
	"strings"
)

// A Set is a set of capabilities: bit n stands for capability n, 0 to 63.
// The zero value is the empty set. Values are compared with ==.
type Set uint64

// Of returns the set of the given capability numbers. Numbers outside 0 to 63
// are left out.
func Of(numbers ...int) Set {
	var s Set
	for _, n := range numbers {
		s = s.With(n)
	}
	return s
}

// First returns the set of the capabilities 0 to count-1: what a kernel with
// that many capabilities has. It is empty for a count below 1 and has 64
// members for a count above 63.
func First(count int) Set {
	if count < 1 {
		return 0
	}
	return 1<<count - 1
}

// Has reports whether capability n is in the set. It is false for a number
// outside 0 to 63.
func (s Set) Has(n int) bool { return s&only(n) != 0 }

// With returns the set with capability n added.
func (s Set) With(n int) Set { return s | only(n) }

// Without returns the set with capability n removed.
func (s Set) Without(n int) Set { return s &^ only(n) }

// Union returns what is in s or in t.
func (s Set) Union(t Set) Set { return s | t }

// Intersect returns what is in s and in t.
func (s Set) Intersect(t Set) Set { return s & t }

// Minus returns what is in s and not in t.
func (s Set) Minus(t Set) Set { return s &^ t }

// SubsetOf reports whether everything in s is in t.
func (s Set) SubsetOf(t Set) bool { return s&^t == 0 }

// Len returns the number of capabilities in the set.
func (s Set) Len() int { return bits.OnesCount64(uint64(s)) }

// Lowest returns the lowest capability of the set, 64 if it is empty.
func (s Set) Lowest() int { return bits.TrailingZeros64(uint64(s)) }

// All yields the capabilities of the set, the lowest first.
func (s Set) All() iter.Seq[int] {
	return func(yield func(int) bool) {
		for ; s != 0; s &= s - 1 {
			if !yield(s.Lowest()) {
				return
			}
		}
	}
}

// Names returns the name of each capability of the set, in the order of their
// numbers. It is not nil.
func (s Set) Names() []string {
	names := make([]string, 0, s.Len())
	for n := range s.All() {
		names = append(names, Name(n))
	}
	return names
}

// Join returns the Names, joined with commas.
func (s Set) Join() string { return strings.Join(s.Names(), ",") }

// String returns the names of the set, joined with commas: "none" for none,
// "all" for the named ones together, "all but" where that is shorter.
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

// only returns the set of capability n alone, empty for a number that no set
// can hold: shifting by a negative count would panic.
func only(n int) Set {
	if n < 0 || n > 63 {
		return 0
	}
	return 1 << n
}
