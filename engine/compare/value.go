package compare

import (
	"fmt"
	"slices"
	"strconv"
	"strings"

	"caprun/engine"
	"caprun/engine/cred"
	"caprun/policy"
)

// Value is a value of a dimension: [Caps], [Flag], [IDs], [GroupList], [Bits],
// [RootDirectory], [OwnSession], [OwnKeyring], [Environ], [LimitMap], [FDs] or [Text].
type Value interface {
	// String returns the value as text for a report.
	String() string

	equal(Value) bool
}

// lister is a value with elements that can be gained or lost.
type lister interface{ elements() []string }

// Caps is a capability set.
type Caps cred.Caps

func (c Caps) String() string      { return cred.Caps(c).String() }
func (c Caps) equal(v Value) bool  { return v == Value(c) }
func (c Caps) elements() []string  { return cred.Caps(c).Names() }
func capsOf(v Value) (c cred.Caps) { s, _ := v.(Caps); return cred.Caps(s) }

// Flag is a value of no_new_privs.
type Flag bool

func (f Flag) String() string     { return strconv.FormatBool(bool(f)) }
func (f Flag) equal(v Value) bool { return v == Value(f) }

// Text is a value without an order.
type Text string

const (
	sameCaller  Text = "the same"
	otherCaller Text = "another"
)

func (t Text) String() string     { return string(t) }
func (t Text) equal(v Value) bool { return v == Value(t) }

// Bits are securebits.
type Bits cred.Securebits

func (b Bits) String() string     { return engine.SecbitsText(cred.Securebits(b)) }
func (b Bits) equal(v Value) bool { return v == Value(b) }
func (b Bits) elements() []string { return cred.Securebits(b).Names() }

// RootDirectory is the path of a root directory; empty for the caller's.
type RootDirectory string

// rootDirectoryOf returns the root directory of a profile: / is the caller's.
func rootDirectoryOf(p *policy.Profile) RootDirectory {
	if p.Chroot == "/" {
		return ""
	}
	return RootDirectory(p.Chroot)
}

func (r RootDirectory) String() string {
	if r == "" {
		return "the caller's"
	}
	return string(r)
}
func (r RootDirectory) equal(v Value) bool { return v == Value(r) }

// OwnSession reports whether the target has a new session.
type OwnSession bool

func (s OwnSession) String() string {
	if s {
		return "its own"
	}
	return "the caller's"
}
func (s OwnSession) equal(v Value) bool { return v == Value(s) }

// OwnKeyring reports whether the target has a new session keyring.
type OwnKeyring bool

func (k OwnKeyring) String() string     { return OwnSession(k).String() }
func (k OwnKeyring) equal(v Value) bool { return v == Value(k) }

// FDs are the descriptors that a target keeps, sorted and without duplicates.
type FDs []int

// descriptorsOf returns the descriptors that a profile keeps.
func descriptorsOf(p *policy.Profile) FDs {
	fds := slices.Clone(p.KeepFDs)
	slices.Sort(fds)
	return slices.Compact(fds)
}

func (f FDs) String() string     { return joinOr(f.elements(), "none") }
func (f FDs) equal(v Value) bool { o, ok := v.(FDs); return ok && slices.Equal(f, o) }
func (f FDs) elements() (list []string) {
	for _, fd := range f {
		list = append(list, fmt.Sprint(fd))
	}
	return list
}
func (f FDs) minus(o FDs) FDs { return minus(f, o) }

// Gained returns the elements that only the new value has, by name. It returns nil if the
// values have no elements.
func (d Difference) Gained() []string { return elementsMinus(d.New, d.Old) }

// Lost returns the elements that only the old value has, by name.
func (d Difference) Lost() []string { return elementsMinus(d.Old, d.New) }

// GainedCaps returns the capabilities that only the new value has. It is empty in
// dimensions other than the capability sets.
func (d Difference) GainedCaps() cred.Caps { return capsOf(d.New).Minus(capsOf(d.Old)) }

// Text describes the change: "gains cap_net_raw; loses cap_kill" for values with elements,
// "33 becomes 34" for others.
func (d Difference) Text() string {
	part := func(verb string, list []string, caps cred.Caps) string {
		switch {
		case caps != 0:
			return verb + caps.String()
		case len(list) > 0:
			return verb + strings.Join(list, ",")
		}
		return ""
	}
	gained := part("gains ", d.Gained(), d.GainedCaps())
	lost := part("loses ", d.Lost(), capsOf(d.Old).Minus(capsOf(d.New)))
	switch {
	case gained == "" && lost == "":
		return d.Old.String() + " becomes " + d.New.String()
	case gained == "" || lost == "":
		return gained + lost
	}
	return gained + "; " + lost
}

func elementsMinus(a, b Value) []string {
	x, ok := a.(lister)
	y, both := b.(lister)
	if !ok || !both {
		return nil
	}
	return minus(x.elements(), y.elements())
}

// minus returns the elements of a that are not in b; nil if there are none.
func minus[T comparable](a, b []T) []T {
	var rest []T
	for _, x := range a {
		if !slices.Contains(b, x) {
			rest = append(rest, x)
		}
	}
	return rest
}

// joinOr returns the elements separated by commas; none if list is empty.
func joinOr(list []string, none string) string {
	if len(list) == 0 {
		return none
	}
	return strings.Join(list, ", ")
}
