package cap

import (
	"caprun/internal/capset"
	"sync"
)

// Vector names one of the three inheritable vectors of an IAB tuple.
type Vector uint

// The vectors of an IAB tuple: inheritable, ambient and blocked.
const (
	Inh Vector = iota
	Amb
	Bound

	vectorCount
)

// String returns "I", "A" or "B". For any other Vector it returns "<Error>".
func (v Vector) String() string {
	if v < vectorCount {
		return "IAB"[v : v+1]
	}
	return "<Error>"
}

// IAB holds the three vectors that decide which capabilities a process hands
// on through exec: inheritable, ambient, and blocked. Bound is the complement
// of the kernel's bounding set: raising a capability in it blocks it, so an
// empty tuple blocks nothing. A capability in Amb is always in Inh too, as the
// kernel demands.
//
// Get one from NewIAB, IABFromText, IABGetProc, IABGetPID or Dup. The methods
// of a nil IAB, and of a zero IAB that none of them made, return ErrBadValue
// and do not panic. An IAB may be used by several goroutines; it must not be
// copied, except by Dup.
type IAB struct {
	mu       sync.RWMutex
	ready    bool
	i, a, nb Mask
}

// IABDiff tells which vectors of two IAB tuples differ: bit 1<<v for the
// Vector v. It is 0 for equal tuples.
type IABDiff uint

// Has reports whether the vector v differs.
func (d IABDiff) Has(v Vector) bool { return d&(1<<v) != 0 }

// NewIAB returns an empty tuple.
func NewIAB() *IAB { return &IAB{ready: true} }

// IABInit returns an empty tuple.
//
// Deprecated: use [NewIAB].
func IABInit() *IAB { return NewIAB() }

// IABOf returns a tuple with the vectors i, a and nb: inheritable, ambient and
// blocked. What is in a is raised in the inheritable vector too.
func IABOf(i, a, nb Mask) *IAB { return iabOf(i|a, a, nb) }

func iabOf(i, a, nb Mask) *IAB { return &IAB{ready: true, i: i, a: a, nb: nb} }

// Masks returns the three vectors of iab, inheritable, ambient and blocked, as
// they are at one moment. The error is ErrBadValue.
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

// change calls fn with iab locked for writing. The error is fn's, or
// ErrBadValue.
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

// Dup returns a copy of iab. The error is ErrBadValue.
func (iab *IAB) Dup() (*IAB, error) {
	i, a, nb, err := iab.Masks()
	if err != nil {
		return nil, err
	}
	return iabOf(i, a, nb), nil
}

// Cf compares two tuples, by all 64 bits of each vector. The result is 0 for
// equal ones. The error is ErrBadValue for either tuple.
func (iab *IAB) Cf(alt *IAB) (IABDiff, error) {
	// One after the other, never both locked: see Set.FillFlag.
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

// Fill replaces the vector vec by the flag of c. Filling Inh lowers in Amb what
// is not in c; filling Amb raises in Inh what is in c. Filling Bound blocks
// those capabilities of the running kernel that are not in c, and no others: a
// number that the kernel does not have is in no bounding set anyway.
//
// The error is ErrBadValue for a bad tuple or flag, and ErrBadSet for a bad
// vector or Set; iab is then unchanged.
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
// ErrBadValue for a val above 63.
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

// SetVector raises each val in the vector vec, or lowers it if raised is
// false. Raising in Amb raises in Inh too; lowering in Inh lowers in Amb too.
// The error is ErrBadValue, also for a val above 63; iab is then unchanged.
// A val that the running kernel does not have is kept, as in text.
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

// IABFromText reads the text of an IAB tuple: fields separated by commas,
// without white space. A field is one capability, by name or number (0 to 63),
// after any of three marks: "!" blocks it, "%" makes it inheritable, and "^"
// makes it ambient and inheritable. Without a mark it is inheritable. Fields
// add up; none takes back what another gave. An empty text is an empty tuple.
//
//	^cap_net_bind_service,!cap_sys_admin,%cap_kill
//
// The error is that of FromName, for the first field without a good name.
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

// ParseIAB is IABFromText with an error that is a *TextError.
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

// parseField reads the name or number of the field that begins at field, marks
// included, and at name without them. It returns where it ends.
func parseField(text string, field, name int) (v Value, end int, f fault) {
	end = fieldEnd(text, name)
	if name == end {
		return 0, end, missingName(text, field, end)
	}
	v, reason := parseValue(text[name:end])
	if reason != "" && hasSpace(text[name:end]) {
		reason = "white space may not stand in a tuple"
	}
	return v, end, fault{name, end, reason}
}

// The reasons of a field without a name.
const (
	nameAfter  = "a name is missing after it"
	nameBefore = "a name is missing before it"
)

// missingName points at the marks before a name that is not there, or at the
// comma beside it.
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

// String returns a text from which IABFromText makes an equal tuple: the
// capabilities in order of their numbers, each once, with "!" first where it
// is blocked. It returns "<invalid>" for a nil or zero IAB.
func (iab *IAB) String() string {
	i, a, nb, err := iab.Masks()
	if err != nil {
		return invalid
	}
	var room [textRoom]byte
	text := room[:0]
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
