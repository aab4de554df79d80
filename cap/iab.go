package cap

import (
	"sync"

	"caprun/internal/capset"
)

// A Vector is one of the three vectors of an IAB tuple.
type Vector uint

// The vectors of an IAB tuple: inheritable, ambient and blocked capabilities.
const (
	Inh Vector = iota
	Amb
	Bound

	vectorCount
)

// String returns "I", "A" or "B", or "<Error>" for any other Vector.
func (v Vector) String() string {
	if v < vectorCount {
		return "IAB"[v : v+1]
	}
	return "<Error>"
}

// An IAB is a tuple of the three vectors that determine which capabilities a process
// passes on through exec: inheritable, ambient and blocked. The vector Bound is the
// complement of the kernel's bounding set: a capability that is raised in it is
// blocked, so an empty tuple blocks nothing. A capability in Amb is always in Inh,
// too, because the kernel requires that.
//
// NewIAB, IABOf, IABFromText, ParseIAB, ReadIAB, IABGetProc, IABGetPID and Dup
// return an IAB. The methods of a nil IAB, and of a zero IAB that none of these has
// made, return ErrBadValue. Several goroutines may use an IAB. It must not be copied,
// except by Dup.
type IAB struct {
	mu       sync.RWMutex
	ready    bool
	i, a, nb Mask
}

// An IABDiff is the result of comparing two IAB tuples: bit 1<<v is set if the
// Vector v differs. It is 0 for equal tuples.
type IABDiff uint

// Has reports whether the vector v differs.
func (d IABDiff) Has(v Vector) bool { return d&(1<<v) != 0 }

// NewIAB returns an empty tuple.
func NewIAB() *IAB { return &IAB{ready: true} }

// IABInit returns an empty tuple.
//
// Deprecated: use [NewIAB].
func IABInit() *IAB { return NewIAB() }

// IABOf returns a tuple with the inheritable, ambient and blocked vectors i, a and
// nb. It raises the capabilities of a in the inheritable vector, too.
func IABOf(i, a, nb Mask) *IAB { return iabOf(i|a, a, nb) }

func iabOf(i, a, nb Mask) *IAB { return &IAB{ready: true, i: i, a: a, nb: nb} }

// Masks returns the inheritable, ambient and blocked vectors of iab, all at the same
// moment. The error is ErrBadValue for a nil or zero IAB.
func (iab *IAB) Masks() (i, a, nb Mask, err error) {
	if iab == nil {
		return 0, 0, 0, ErrBadValue
	}
	iab.mu.RLock()
	defer iab.mu.RUnlock()
	if !iab.ready {
		return 0, 0, 0, ErrBadValue
	}
	return iab.i, iab.a, iab.nb, nil
}

// change calls fn with iab locked for writing. The error is that of fn, or
// ErrBadValue for a nil or zero IAB.
func (iab *IAB) change(fn func() error) error {
	if iab == nil {
		return ErrBadValue
	}
	iab.mu.Lock()
	defer iab.mu.Unlock()
	if !iab.ready {
		return ErrBadValue
	}
	return fn()
}

// Dup returns a copy of iab. The error is ErrBadValue for a nil or zero IAB.
func (iab *IAB) Dup() (*IAB, error) {
	i, a, nb, err := iab.Masks()
	if err != nil {
		return nil, err
	}
	return iabOf(i, a, nb), nil
}

// Cf compares all 64 bits of each vector of two tuples. The result is 0 for equal
// tuples. The error is ErrBadValue if either is a nil or zero IAB.
func (iab *IAB) Cf(alt *IAB) (IABDiff, error) {
	// Never lock both tuples: see Set.FillFlag.
	i, a, nb, err := iab.Masks()
	if err != nil {
		return 0, err
	}
	altI, altA, altNB, err := alt.Masks()
	if err != nil {
		return 0, err
	}
	var cf IABDiff
	if i != altI {
		cf |= 1 << Inh
	}
	if a != altA {
		cf |= 1 << Amb
	}
	if nb != altNB {
		cf |= 1 << Bound
	}
	return cf, nil
}

// Fill replaces the vector vec by the flag of c. If vec is Inh, capabilities that are
// not in the flag are lowered in Amb, too. If vec is Amb, those in the flag are raised
// in Inh, too. If vec is Bound, Fill blocks the capabilities of the running kernel
// that are not in the flag; other numbers are in no bounding set.
//
// The error is ErrBadValue for a nil or zero IAB or a bad flag, and ErrBadSet for a
// nil or zero Set or a bad vector. Then iab is unchanged.
func (iab *IAB) Fill(vec Vector, c *Set, flag Flag) error {
	from, err := c.flag(flag)
	return iab.change(func() error {
		if vec >= vectorCount {
			return ErrBadSet
		}
		if err != nil {
			return err
		}
		switch vec {
		case Inh:
			iab.i = from
			iab.a &= from
		case Amb:
			iab.a = from
			iab.i |= from
		case Bound:
			iab.nb = kernelMask() &^ from
		}
		return nil
	})
}

// GetVector reports whether val is raised in the vector vec. The error is
// ErrBadValue for a nil or zero IAB, a bad vector, or a val above 63.
func (iab *IAB) GetVector(vec Vector, val Value) (bool, error) {
	i, a, nb, err := iab.Masks()
	if err != nil {
		return false, err
	}
	if vec >= vectorCount || val >= valueLimit {
		return false, ErrBadValue
	}
	return [vectorCount]Mask{Inh: i, Amb: a, Bound: nb}[vec].Has(int(val)), nil
}

// SetVector raises each of vals in the vector vec, or lowers it if raised is false.
// Raising it in Amb raises it in Inh, too; lowering it in Inh lowers it in Amb, too.
// It may be a capability that the running kernel does not have.
//
// The error is ErrBadValue for a nil or zero IAB, a bad vector, or a value above 63.
// Then iab is unchanged.
func (iab *IAB) SetVector(vec Vector, raised bool, vals ...Value) error {
	return iab.change(func() error {
		mask, ok := bitsOf(vals)
		if vec >= vectorCount || !ok {
			return ErrBadValue
		}
		switch {
		case vec == Inh && raised:
			iab.i |= mask
		case vec == Inh:
			iab.i &^= mask
			iab.a &^= mask
		case vec == Amb && raised:
			iab.a |= mask
			iab.i |= mask
		case vec == Amb:
			iab.a &^= mask
		case raised:
			iab.nb |= mask
		default:
			iab.nb &^= mask
		}
		return nil
	})
}

// IABFromText returns the IAB tuple that a text describes: fields separated by
// commas, without white space. A field is any number of marks, followed by the name or
// number (0 to 63) of a capability. The mark "!" blocks the capability, "%" makes it
// inheritable, and "^" makes it ambient and inheritable. Without a mark it is
// inheritable. The result combines all fields. An empty text is an empty tuple.
//
//	^cap_net_bind_service,!cap_sys_admin,%cap_kill
//
// The error is that of FromName for the first field with an invalid name.
func IABFromText(text string) (*IAB, error) {
	i, a, nb, f := parseIAB(text)
	if f.reason != "" {
		name := text[f.from:f.to]
		if f.reason == nameBefore || f.reason == nameAfter {
			name = ""
		}
		_, err := FromName(name)
		return nil, err
	}
	return iabOf(i, a, nb), nil
}

// ParseIAB is like IABFromText, but its error is a *TextError.
func ParseIAB(text string) (*IAB, error) {
	i, a, nb, f := parseIAB(text)
	if f.reason != "" {
		return nil, f.in(text)
	}
	return iabOf(i, a, nb), nil
}

func parseIAB(text string) (i, a, nb Mask, f fault) {
	if text == "" {
		return
	}
	for at := 0; ; at++ {
		field := at
		marks, n := parseMarks(text[at:])
		at += n
		v, end, f := parseField(text, field, at)
		if f.reason != "" {
			return 0, 0, 0, f
		}
		at = end
		if marks == 0 {
			marks = 1 << Inh
		}
		i |= Mask(marks>>Inh&1) << v
		a |= Mask(marks>>Amb&1) << v
		nb |= Mask(marks>>Bound&1) << v
		if at == len(text) {
			return i, a, nb, fault{}
		}
	}
}

// parseField reads the name or number of a field. The field begins at field, and the
// name after its marks at name. end is the end of the field.
func parseField(text string, field, name int) (v Value, end int, f fault) {
	end = fieldEnd(text, name)
	if name == end {
		return 0, end, missingName(text, field, end)
	}
	v, reason := parseValue(text[name:end])
	if reason != "" && hasSpace(text[name:end]) {
		reason = "white space is not allowed"
	}
	return v, end, fault{name, end, reason}
}

// The reasons for a field without a name.
const (
	nameAfter  = "missing name after it"
	nameBefore = "missing name before it"
)

// missingName returns the fault of a field without a name: at its marks, or at a comma
// beside it.
func missingName(text string, field, at int) fault {
	switch {
	case field < at:
		return fault{field, at, nameAfter}
	case at < len(text):
		return fault{at, at + 1, nameBefore}
	default:
		return fault{at - 1, at, nameAfter}
	}
}

// String returns a text that IABFromText reads as an equal tuple: each capability
// once, in order of their numbers, with the mark "!" first. It returns "<invalid>" for
// a nil or zero IAB.
func (iab *IAB) String() string {
	i, a, nb, err := iab.Masks()
	if err != nil {
		return invalid
	}
	var buffer [maxText]byte
	text := buffer[:0]
	for v := range (i | a | nb).All() {
		if len(text) > 0 {
			text = append(text, ',')
		}
		if nb.Has(v) {
			text = append(text, '!')
		}
		switch {
		case a.Has(v):
			text = append(text, '^')
		case (i & nb).Has(v):
			text = append(text, '%')
		}
		text = append(text, capset.Name(v)...)
	}
	return string(text)
}
