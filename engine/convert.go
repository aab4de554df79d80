package engine

import (
	"errors"
	"math/bits"
	"strings"

	"caprun/cap"
	"caprun/engine/cred"
)

// namedBits is the number of capabilities that "all" stands for in a profile,
// on every system.
const namedBits = cap.NamedCount

// flagCaps returns one flag of a set.
func flagCaps(s *cap.Set, flag cap.Flag) cred.Caps {
	mask, _ := s.Mask(flag)
	return cred.Caps(mask)
}

// vectorCaps returns one vector of a tuple.
func vectorCaps(iab *cap.IAB, vec cap.Vector) cred.Caps {
	var caps cred.Caps
	for v := range cap.Value(64) {
		if on, err := iab.GetVector(vec, v); err == nil && on {
			caps = caps.With(int(v))
		}
	}
	return caps
}

// tuple returns the IAB tuple of three vectors. blocked is what leaves the
// bounding set.
func tuple(i, a, blocked cred.Caps) (*cap.IAB, error) {
	iab := cap.NewIAB()
	return iab, errors.Join(
		iab.SetVector(cap.Inh, true, values(i)...),
		iab.SetVector(cap.Amb, true, values(a)...),
		iab.SetVector(cap.Bound, true, values(blocked)...))
}

func values(caps cred.Caps) []cap.Value {
	list := make([]cap.Value, 0, bits.OnesCount64(uint64(caps)))
	for n := range 64 {
		if caps.Has(n) {
			list = append(list, cap.Value(n))
		}
	}
	return list
}

// CapNames returns the names of caps, joined with commas: "none" for none,
// "all" for the named ones together, "all but" where that is shorter.
func CapNames(caps cred.Caps) string {
	all := cred.FirstCaps(namedBits)
	switch missing := all.Minus(caps); {
	case caps == 0:
		return "none"
	case caps == all:
		return "all"
	case caps.SubsetOf(all) && len(values(missing)) < namedBits/2:
		return "all but " + joinNames(missing)
	}
	return joinNames(caps)
}

// CapList returns the name of each capability of a set.
func CapList(caps cred.Caps) []string {
	var names []string
	for _, v := range values(caps) {
		names = append(names, v.String())
	}
	return names
}

func joinNames(caps cred.Caps) string { return strings.Join(CapList(caps), ",") }

// setOf returns the set of three flags.
func setOf(e, p, i cred.Caps) (*cap.Set, error) {
	s := cap.NewSet()
	return s, errors.Join(
		s.SetFlag(cap.Effective, true, values(e)...),
		s.SetFlag(cap.Permitted, true, values(p)...),
		s.SetFlag(cap.Inheritable, true, values(i)...))
}

// setText returns the text of a set as a profile has it.
func setText(e, p, i cred.Caps) string {
	s, err := setOf(e, p, i)
	if err != nil {
		return err.Error()
	}
	return s.Text(namedBits)
}
