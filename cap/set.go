package cap

import "sync"

// Flag names one of the three sets of capabilities that a Set holds.
type Flag uint

// The flags of a Set. They have the meaning of capabilities(7): what a process
// may do now, what it may raise, and what it may pass on through exec.
const (
	Effective Flag = iota
	Permitted
	Inheritable

	flagCount
)

// String returns the letter of f in a text: "e", "p" or "i". For any other
// Flag it returns "<Error>".
func (f Flag) String() string {
	if f < flagCount {
		return "epi"[f : f+1]
	}
	return "<Error>"
}

// Set holds the effective, permitted and inheritable capabilities of a
// process, a thread or a file: 64 bits for each flag, whatever the running
// kernel has names for. For files it also holds the user ID that owns the user
// namespace the capabilities are good for, 0 by default.
//
// Get one from NewSet, FromText, Import, GetProc, GetPID, GetFile or Dup. The
// methods of a nil Set, and of a zero Set that none of them made, return
// ErrBadSet and do not panic. A Set may be used by several goroutines; it must
// not be copied, except by Dup.
type Set struct {
	mu     sync.RWMutex
	ready  bool
	flags  [flagCount]Mask
	nsRoot int
}

// Diff tells which flags of two sets differ: bit 1<<f for the Flag f. It is 0
// for equal sets.
type Diff uint

// Has reports whether the flag vec differs.
func (cf Diff) Has(vec Flag) bool { return cf&(1<<vec) != 0 }

// NewSet returns a Set without any capability.
func NewSet() *Set { return &Set{ready: true} }

// SetOf returns a Set with the flags e, p and i: effective, permitted and
// inheritable.
func SetOf(e, p, i Mask) *Set {
	return &Set{ready: true, flags: [flagCount]Mask{Effective: e, Permitted: p, Inheritable: i}}
}

// Masks returns the three flags of c, effective, permitted and inheritable, as
// they are at one moment. The error is ErrBadSet.
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

// change calls fn with c locked for writing. The error is fn's, or ErrBadSet.
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

// Dup returns a copy of c, namespace owner included. The error is ErrBadSet.
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

// Clear lowers all capabilities of all flags and forgets the namespace owner.
// The error is ErrBadSet.
func (c *Set) Clear() error {
	return c.change(func() error {
		c.flags, c.nsRoot = [flagCount]Mask{}, 0
		return nil
	})
}

// ClearFlag lowers all 64 capabilities of the flag vec. The error is
// ErrBadSet, for a bad vec too.
func (c *Set) ClearFlag(vec Flag) error {
	return c.change(func() error {
		if vec >= flagCount {
			return ErrBadSet
		}
		c.flags[vec] = 0
		return nil
	})
}

// Fill copies the flag from into the flag to: c.Fill(Effective, Permitted)
// raises all that may be raised, and lowers the rest. The error is ErrBadSet,
// or ErrBadValue for a bad flag.
func (c *Set) Fill(to, from Flag) error {
	return c.change(func() error {
		if to >= flagCount || from >= flagCount {
			return ErrBadValue
		}
		c.flags[to] = c.flags[from]
		return nil
	})
}

// FillFlag copies the flag from of ref into the flag to of c. The error is
// ErrBadSet for either set, or ErrBadValue for a bad flag.
func (c *Set) FillFlag(to Flag, ref *Set, from Flag) error {
	// ref is read first, and its lock released: two goroutines that fill two
	// sets from each other must not wait for each other.
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

// flag returns one flag of c. The error is ErrBadSet, or ErrBadValue for a bad
// vec.
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

// GetFlag reports whether val is raised in the flag vec. The error is
// ErrBadSet, or ErrBadValue for a bad vec or a val above 63.
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

// SetFlag raises each val in the flag vec, or lowers it if enable is false. No
// permission is needed for that: the kernel checks what is applied to a
// process or a file. The error is ErrBadSet, or ErrBadValue for a bad vec or a
// val above 63; c is then unchanged.
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

// bitsOf returns a mask of the values. It is not ok if one is above 63.
func bitsOf(vals []Value) (bits Mask, ok bool) {
	for _, v := range vals {
		if v >= valueLimit {
			return 0, false
		}
		bits |= 1 << v
	}
	return bits, true
}

// Cf compares two sets by their flags; the namespace owner does not count. The
// result is 0 for equal sets. The error is ErrBadSet for either set.
func (c *Set) Cf(d *Set) (Diff, error) {
	// One after the other, never both locked: see FillFlag.
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

// Compare is Cf with a plain integer for a result.
//
// Deprecated: use [Set.Cf].
func (c *Set) Compare(d *Set) (uint, error) {
	cf, err := c.Cf(d)
	return uint(cf), err
}

// Differs reports whether the flag vec differs, in a result of Compare.
//
// Deprecated: use [Diff.Has].
func Differs(cf uint, vec Flag) bool { return Diff(cf).Has(vec) }

// GetNSOwner returns the user ID that owns the user namespace which the file
// capabilities are good for; 0 is the initial one. The error is ErrBadSet for
// a nil Set.
func (c *Set) GetNSOwner() (int, error) {
	if c == nil {
		return 0, ErrBadSet
	}
	c.mu.RLock()
	defer c.mu.RUnlock()
	return c.nsRoot, nil
}

// SetNSOwner sets what GetNSOwner returns. It counts only when c is written to
// a file, which then has capabilities in the user namespace whose root is uid,
// and in those below it. The kernel checks uid. Nothing happens to a nil Set.
func (c *Set) SetNSOwner(uid int) {
	if c == nil {
		return
	}
	c.mu.Lock()
	defer c.mu.Unlock()
	c.nsRoot = uid
}
