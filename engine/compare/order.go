package compare

import "caprun/engine/cred"

// Order says how much the new value of a dimension allows next to the old one.
type Order int

const (
	Same Order = iota
	Less
	More

	// Incomparable is what each allows and the other does not, or what has no
	// order at all.
	Incomparable
)

var orderNames = [...]string{"same", "less", "more", "not comparable"}

// String returns the order in words.
func (o Order) String() string { return orderNames[o] }

// Widens reports whether the new value allows something that the old one does not,
// or may do so.
func (o Order) Widens() bool { return o == More || o == Incomparable }

// and returns the order in two dimensions together: less of one and more of
// another is not comparable.
func (o Order) and(other Order) Order {
	switch {
	case o == Same || o == other:
		return other
	case other == Same:
		return o
	}
	return Incomparable
}

// within returns the order, from whether all that the old value allows is allowed
// by the new one, and the reverse.
func within(oldInNew, newInOld bool) Order {
	switch {
	case oldInNew && newInOld:
		return Same
	case newInOld:
		return Less
	case oldInNew:
		return More
	}
	return Incomparable
}

func orderCaps(old, new cred.Caps) Order { return within(old.SubsetOf(new), new.SubsetOf(old)) }
