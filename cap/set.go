package cap

import "sync"

// A Flag is one of the three capability sets that a Set holds.
type Flag uint

// The flags of a Set: capabilities(7). Effective is what a process may do now,
// Permitted what it may make effective, and Inheritable what it may pass on through
// exec.
const (
	Effective Flag = iota
	Permitted
	Inheritable

	flagCount
)

// String returns the letter of f in a text, "e", "p" or "i", or "<Error>" for any other
// Flag.
func (f Flag) String() string {
	if f < flagCount {
		return "epi"[f : f+1]
	}
	return "<Error>"
}

// A Set holds the effective, permitted and inheritable capabilities of a process, a
// thread or a file. Each flag has 64 bits, also those that the running kernel does not
// use. For a file, a Set also holds the namespace owner, 0 by default: see SetNSOwner.
//
// NewSet, SetOf, FromText, ParseText, ReadText, Import, GetProc, GetPID, GetFile, GetFd
// and Dup return a Set. The methods of a nil Set, and of a zero Set that none of these
// has made, return ErrBadSet. Several goroutines may use a Set. It must not be copied,
// except by Dup.
type Set struct {
	mu     sync.RWMutex
	ready  bool
	flags  [flagCount]Mask
	nsRoot int
}

// A Diff is the result of comparing two sets: bit 1<<f is set if the Flag f differs. It
// is 0 for equal sets.
type Diff uint

// Has reports whether the flag vec differs.
func (cf Diff) Has(vec Flag) bool { return cf&(1<<vec) != 0 }

// NewSet returns an empty Set.
func NewSet() *Set { return &Set{ready: true} }

// SetOf returns a Set with the effective, permitted and inheritable flags e, p and i.
func SetOf(e, p, i Mask) *Set {
	return &Set{ready: true, flags: [flagCount]Mask{Effective: e, Permitted: p, Inheritable: i}}
}

// Masks returns the effective, permitted and inheritable flags of c, all at the same
// moment. The error is ErrBadSet for a nil or zero Set.
func (c *Set) Masks() (e, p, i Mask, err error) {
	if c == nil {
		return 0, 0, 0, ErrBadSet
	}
	c.mu.RLock()
	defer c.mu.RUnlock()
	if !c.ready {
		return 0, 0, 0, ErrBadSet
	}
	return c.flags[Effective], c.flags[Permitted], c.flags[Inheritable], nil
}

// change calls fn with c locked for writing. The error is that of fn, or ErrBadSet for
// a nil or zero Set.
func (c *Set) change(fn func() error) error {
	if c == nil {
		return ErrBadSet
	}
	c.mu.Lock()
	defer c.mu.Unlock()
	if !c.ready {
		return ErrBadSet
	}
	return fn()
}

// Dup returns a copy of c, including its namespace owner. The error is ErrBadSet for a
// nil or zero Set.
func (c *Set) Dup() (*Set, error) {
	if c == nil {
		return nil, ErrBadSet
	}
	c.mu.RLock()
	defer c.mu.RUnlock()
	if !c.ready {
		return nil, ErrBadSet
	}
	return &Set{ready: true, flags: c.flags, nsRoot: c.nsRoot}, nil
}

// Clear lowers all capabilities of all flags, and sets the namespace owner to 0. The
// error is ErrBadSet for a nil or zero Set.
func (c *Set) Clear() error {
	return c.change(func() error {
		c.flags, c.nsRoot = [flagCount]Mask{}, 0
		return nil
	})
}

// ClearFlag lowers all 64 capabilities of the flag vec. The error is ErrBadSet for a
// nil or zero Set, and for a bad flag.
func (c *Set) ClearFlag(vec Flag) error {
	return c.change(func() error {
		if vec >= flagCount {
			return ErrBadSet
		}
		c.flags[vec] = 0
		return nil
	})
}

// Fill replaces the flag to by the flag from: c.Fill(Effective, Permitted) makes exactly
// the permitted capabilities effective. The error is ErrBadSet for a nil or zero Set, or
// ErrBadValue for a bad flag.
func (c *Set) Fill(to, from Flag) error {
	return c.change(func() error {
		if to >= flagCount || from >= flagCount {
			return ErrBadValue
		}
		c.flags[to] = c.flags[from]
		return nil
	})
}

// FillFlag replaces the flag to of c by the flag from of ref. The error is ErrBadSet if
// either is a nil or zero Set, or ErrBadValue for a bad flag.
func (c *Set) FillFlag(to Flag, ref *Set, from Flag) error {
	// Never lock both sets: two goroutines that fill two sets from each other
	// would deadlock.
	bits, err := ref.flag(from)
	if err == ErrBadSet {
		return err
	}
	return c.change(func() error {
		if err != nil || to >= flagCount {
			return ErrBadValue
		}
		c.flags[to] = bits
		return nil
	})
}

// flag returns the flag vec of c. The error is ErrBadSet for a nil or zero Set, or
// ErrBadValue for a bad flag.
func (c *Set) flag(vec Flag) (Mask, error) {
	e, p, i, err := c.Masks()
	if err != nil {
		return 0, err
	}
	if vec >= flagCount {
		return 0, ErrBadValue
	}
	return [flagCount]Mask{Effective: e, Permitted: p, Inheritable: i}[vec], nil
}

// GetFlag reports whether val is raised in the flag vec. The error is ErrBadSet for a
// nil or zero Set, or ErrBadValue for a bad flag or a val above 63.
func (c *Set) GetFlag(vec Flag, val Value) (bool, error) {
	bits, err := c.flag(vec)
	if err != nil {
		return false, err
	}
	if val >= valueLimit {
		return false, ErrBadValue
	}
	return bits.Has(int(val)), nil
}

// SetFlag raises each val in the flag vec, or lowers it if enable is false. It changes
// only c and needs no privilege. The error is ErrBadSet for a nil or zero Set, or
// ErrBadValue for a bad flag or a val above 63. Then c is unchanged.
func (c *Set) SetFlag(vec Flag, enable bool, val ...Value) error {
	return c.change(func() error {
		if vec >= flagCount {
			return ErrBadValue
		}
		bits, ok := bitsOf(val)
		if !ok {
			return ErrBadValue
		}
		if enable {
			c.flags[vec] |= bits
		} else {
			c.flags[vec] &^= bits
		}
		return nil
	})
}

// bitsOf returns the set of the values. ok is false if one is above 63.
func bitsOf(vals []Value) (bits Mask, ok bool) {
	for _, v := range vals {
		if v >= valueLimit {
			return 0, false
		}
		bits |= 1 << v
	}
	return bits, true
}

// Cf compares the flags of two sets, and ignores their namespace owners. The result is
// 0 for equal sets. The error is ErrBadSet if either is a nil or zero Set.
func (c *Set) Cf(d *Set) (Diff, error) {
	// Never lock both sets: see FillFlag.
	ce, cp, ci, err := c.Masks()
	if err != nil {
		return 0, err
	}
	de, dp, di, err := d.Masks()
	if err != nil {
		return 0, err
	}
	var cf Diff
	if ce != de {
		cf |= 1 << Effective
	}
	if cp != dp {
		cf |= 1 << Permitted
	}
	if ci != di {
		cf |= 1 << Inheritable
	}
	return cf, nil
}

// Compare is like Cf, but its result is a uint.
//
// Deprecated: use [Set.Cf].
func (c *Set) Compare(d *Set) (uint, error) {
	cf, err := c.Cf(d)
	return uint(cf), err
}

// Differs reports whether the flag vec differs according to cf, a result of Compare.
//
// Deprecated: use [Diff.Has].
func Differs(cf uint, vec Flag) bool { return Diff(cf).Has(vec) }

// GetNSOwner returns the namespace owner of c: see SetNSOwner. The error is ErrBadSet
// for a nil Set.
func (c *Set) GetNSOwner() (int, error) {
	if c == nil {
		return 0, ErrBadSet
	}
	c.mu.RLock()
	defer c.mu.RUnlock()
	return c.nsRoot, nil
}

// SetNSOwner sets the namespace owner of c, which is used only when c is written to a
// file. The capabilities of the file are then valid in the user namespace whose root
// has this user ID, and in its descendants. 0 is the root of the initial user
// namespace. SetNSOwner does nothing if c is nil.
func (c *Set) SetNSOwner(uid int) {
	if c == nil {
		return
	}
	c.mu.Lock()
	defer c.mu.Unlock()
	c.nsRoot = uid
}
