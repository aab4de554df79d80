package engine

import "caprun/engine/cred"

// Order says how much one launch allows next to another, in one respect or in
// all of them.
type Order int

const (
	Same Order = iota
	Less
	More

	// Incomparable is what both allow something that the other does not, or
	// what has no order at all.
	Incomparable
)

var orderNames = [...]string{"same", "less", "more", "not comparable"}

// String returns the order in words.
func (o Order) String() string { return orderNames[o] }

// And returns the order in two respects together: the less of one and the more
// of another cannot be compared.
func (o Order) And(other Order) Order {
	switch {
	case o == Same || o == other:
		return other
	case other == Same:
		return o
	}
	return Incomparable
}

// ordered returns the order of b next to a, from whether a is within b and b
// within a.
func ordered(aInB, bInA bool) Order {
	switch {
	case aInB && bInA:
		return Same
	case bInA:
		return Less
	case aInB:
		return More
	}
	return Incomparable
}

func orderCaps(a, b cred.Caps) Order { return ordered(a.SubsetOf(b), b.SubsetOf(a)) }
