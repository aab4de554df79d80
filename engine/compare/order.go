package compare

import "caprun/engine/cred"

// Order is how much a new value grants compared with an old one.
type Order int

const (
	Same Order = iota
	Less
	More

	// Incomparable reports that each value grants something that the other does
	// not, or that the values have no order.
	Incomparable
)

var orderNames = [...]string{"same", "less", "more", "not comparable"}

// String returns "same", "less", "more" or "not comparable".
func (o Order) String() string { return orderNames[o] }

// Widens reports whether the new value grants, or may grant, something that the old one
// does not.
func (o Order) Widens() bool { return o == More || o == Incomparable }

// and returns the order in two dimensions together: less in one and more in the other is
// not comparable.
func (o Order) and(other Order) Order {
	switch {
	case o == Same || o == other:
		return other
	case other == Same:
		return o
	}
	return Incomparable
}

// within returns the order if oldInNew reports whether the new value grants everything
// that the old one grants, and newInOld the reverse.
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
