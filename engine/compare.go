package engine

import (
	"fmt"
	"slices"
	"strings"

	"caprun/engine/cred"
)

// Comparison says, respect by respect, how much one launch allows next to
// another.
type Comparison struct {
	// Dimensions are all respects, always the same ones in the same order.
	Dimensions []Dimension
}

// Dimension is one respect in which launches are compared.
type Dimension struct {
	// Name is the key of the profile that the respect is named after, or the
	// name of a vector; "regainable" is what the target and the programs that
	// it runs can come to, and "start" the state in which the steps begin.
	Name string

	// Order is that of the second launch next to the first.
	Order Order

	// A and B are the values of the first and of the second in words.
	A, B string

	// Gained is what only the second has, Lost what only the first has; nil
	// where a value is no set.
	Gained, Lost []string

	gainedCaps, lostCaps cred.Caps // the same, of a vector
}

// Compare says what b allows next to a, both compiled from the same start: a
// preorder in every dimension, and so in all of them together. From different
// starts nothing can be compared, and the dimension "start" says so.
//
// What is compared is what the target can do with its first instruction and
// later: ids, vectors, securebits, no_new_privs, root directory, and what it
// inherits: environment, descriptors, limits. The program, its working
// directory and its umask are no privilege.
//
//   - Vectors, groups, descriptors and the names of variables are ordered by
//     inclusion.
//   - A launch that may be uid 0 allows more than one that may not, in groups
//     too: uid 0 owns the files that say who everyone is. Any two other users
//     cannot be compared. An entry of the user database that was not
//     looked up equals itself alone.
//   - A securebit that takes something away is less with its lock than without,
//     and less without its lock than not at all. no_setuid_fixup gives and
//     takes: with and without cannot be compared where a capability could still
//     meet a change of user between 0 and others.
//   - Any root directory is less than the caller's; two different ones cannot
//     be compared.
//   - A limit is less when both of its values are at most the other's. The
//     caller's own is not known: only 0 is less, only unlimited is more.
//   - Variables that are set to different values cannot be compared.
func Compare(a, b *Plan) Comparison {
	x, y := outcomeOf(a), outcomeOf(b)
	start := Dimension{Name: "start", A: "the same", B: "the same"}
	if !a.From.Equal(b.From) {
		start.Order, start.B = Incomparable, "another"
	}
	list := []Dimension{start}
	list = append(list, compareIdentity(x.identity, y.identity)...)
	list = append(list, compareVectors(a.After, b.After)...)
	list = append(list, compareCaps("regainable", regainable(a.After), regainable(b.After)), compareSecurebits(a.After, b.After),
		compareNoNewPrivs(a.After.NoNewPrivs, b.After.NoNewPrivs),
		compareRoot(x.chroot, y.chroot),
		compareEnviron(x.environ, y.environ),
		compareLimits(x.limits, y.limits),
		compareSets("keep_fds", x.descriptors, y.descriptors))
	return Comparison{list}
}

// Order returns the order in all dimensions together.
func (c Comparison) Order() Order {
	o := Same
	for _, d := range c.Dimensions {
		o = o.And(d.Order)
	}
	return o
}

// Different returns the dimensions with different values.
func (c Comparison) Different() []Dimension {
	return slices.DeleteFunc(slices.Clone(c.Dimensions), func(d Dimension) bool { return d.Order == Same || d.A == d.B })
}

// GainedCaps returns what only the second launch has in a vector, or can
// regain. It is empty in other respects.
func (d Dimension) GainedCaps() cred.Caps { return d.gainedCaps }

// Text says what is different: "gains cap_net_raw; loses cap_kill" for sets,
// and "33 becomes 34" otherwise.
func (d Dimension) Text() string {
	part := func(verb string, list []string, caps cred.Caps) string {
		switch {
		case caps != 0:
			return verb + CapNames(caps)
		case len(list) > 0:
			return verb + strings.Join(list, ",")
		}
		return ""
	}
	gained, lost := part("gains ", d.Gained, d.gainedCaps), part("loses ", d.Lost, d.lostCaps)
	switch {
	case gained == "" && lost == "":
		return d.A + " becomes " + d.B
	case gained == "" || lost == "":
		return gained + lost
	}
	return gained + "; " + lost
}

// compareCreds compares two states with known ids, but for securebits.
func compareCreds(a, b cred.Cred) []Dimension {
	list := compareIdentity(identityOf(a, Identity{}), identityOf(b, Identity{}))
	list = append(list, compareVectors(a, b)...)
	return append(list, compareNoNewPrivs(a.NoNewPrivs, b.NoNewPrivs))
}

func compareVectors(a, b cred.Cred) []Dimension {
	return []Dimension{
		compareCaps("effective", a.Effective, b.Effective),
		compareCaps("permitted", a.Permitted, b.Permitted),
		compareCaps("inheritable", a.Inheritable, b.Inheritable),
		compareCaps("ambient", a.Ambient, b.Ambient),
		compareCaps("bounding", a.Bounding, b.Bounding),
	}
}

func compareCaps(name string, a, b cred.Caps) Dimension {
	gained, lost := b.Minus(a), a.Minus(b)
	return Dimension{
		Name: name, Order: orderCaps(a, b), A: CapNames(a), B: CapNames(b),
		Gained: namesOf(gained), Lost: namesOf(lost), gainedCaps: gained, lostCaps: lost,
	}
}

// regainable returns every capability that a task, and the programs that it
// executes, can come to hold by whatever means in its user namespace. Set-id
// programs and file capabilities give what the bounding and inheritable sets
// allow, and inheritable can only grow within the bounding set; under
// no_new_privs nothing ever exceeds the permitted set.
func regainable(c cred.Cred) cred.Caps {
	if c.NoNewPrivs {
		return c.Permitted
	}
	return c.Permitted.Union(c.Bounding).Union(c.Inheritable)
}

// compareSecurebits compares each bit with its lock: a bit that takes
// something away allows less, and less still when nothing can clear it.
func compareSecurebits(a, b cred.Cred) Dimension {
	x, y := a.Securebits, b.Securebits
	d := Dimension{Name: "secbits", A: SecbitsText(x), B: SecbitsText(y), Gained: (y &^ x).Names(), Lost: (x &^ y).Names()}
	for bit := cred.Securebits(1); cred.SecAllBits&^(bit-1) != 0; bit <<= 2 {
		switch fixedA, fixedB := userFixed(a), userFixed(b); {
		case bit == cred.SecNoSetuidFixup && fixedA != fixedB:
			d.Order = d.Order.And(ordered(fixedA, fixedB))
		case bit == cred.SecNoSetuidFixup && !fixedA, bit == cred.SecKeepCaps:
			d.Order = d.Order.And(orderEitherBit(x, y, bit))
		default:
			d.Order = d.Order.And(orderLessBit(x, y, bit))
		}
	}
	if known := cred.SecAllBits | cred.SecAllLocks; d.Order == Same && x&^known != y&^known {
		d.Order = Incomparable
	}
	return d
}

// userFixed reports whether no change of user between 0 and others can happen
// any more, or none that touches a capability: what no_setuid_fixup is about.
func userFixed(c cred.Cred) bool {
	gain := regainable(c)
	root := c.UID == 0
	same := (c.EUID == 0) == root && (c.SUID == 0) == root && (c.FSUID == 0) == root
	return gain == 0 || c.NoNewPrivs && !gain.Has(cred.SETUID) && same
}

// orderLessBit compares a securebit that takes something away, and its lock,
// the next bit. The lock without the bit leaves nothing to take away for good,
// which is neither less nor more than any other state.
func orderLessBit(a, b, bit cred.Securebits) Order {
	if level := bit | bit<<1; a&level == b&level {
		return Same
	} else if lock := bit << 1; a&level == lock || b&level == lock {
		return Incomparable
	}
	return ordered(a&(bit<<1) != 0 || b&bit == 0, b&(bit<<1) != 0 || a&bit == 0)
}

// orderEitherBit compares a securebit of which nobody can say whether it gives
// or takes: only its lock has an order.
func orderEitherBit(a, b, bit cred.Securebits) Order {
	if a&bit != b&bit {
		return Incomparable
	}
	lock := bit << 1
	return ordered(a&lock != 0 || b&lock == 0, b&lock != 0 || a&lock == 0)
}

func compareNoNewPrivs(a, b bool) Dimension {
	return Dimension{Name: "no_new_privs", Order: ordered(a || !b, b || !a), A: fmt.Sprint(a), B: fmt.Sprint(b)}
}

func compareRoot(a, b string) Dimension {
	text := func(dir string) string {
		if dir == "" {
			return "the caller's"
		}
		return dir
	}
	return Dimension{Name: "chroot", Order: ordered(a == b || b == "", a == b || a == ""), A: text(a), B: text(b)}
}

// compareSets compares lists in which order and repetition say nothing.
func compareSets(name string, a, b []string) Dimension {
	gained, lost := without(b, a), without(a, b)
	return Dimension{
		Name: name, Order: ordered(lost == nil, gained == nil), A: joinOr(a, "none"), B: joinOr(b, "none"),
		Gained: gained, Lost: lost,
	}
}

// without returns the elements of list that are not in other.
func without(list, other []string) []string {
	var rest []string
	for _, s := range list {
		if !slices.Contains(other, s) {
			rest = append(rest, s)
		}
	}
	return rest
}

func namesOf(caps cred.Caps) []string {
	var names []string
	for _, v := range values(caps) {
		names = append(names, v.String())
	}
	return names
}
