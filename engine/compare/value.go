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

// Value is the value of a dimension: of [Caps], [Flag], [IDs], [GroupList], [Bits],
// [RootDirectory], [OwnSession], [OwnKeyring], [Environ], [LimitMap], [FDs] or [Text].
type Value interface {
	// String returns the value in words.
	String() string

	equal(Value) bool
}

// lister is a value with elements, of which some can be gained or lost.
type lister interface{ elements() []string }

// Caps is a capability set.
type Caps cred.Caps

func (c Caps) String() string      { return cred.Caps(c).String() }
func (c Caps) equal(v Value) bool  { return v == Value(c) }
func (c Caps) elements() []string  { return cred.Caps(c).Names() }
func capsOf(v Value) (c cred.Caps) { s, _ := v.(Caps); return cred.Caps(s) }

// Flag is the value of no_new_privs.
type Flag bool

func (f Flag) String() string     { return strconv.FormatBool(bool(f)) }
func (f Flag) equal(v Value) bool { return v == Value(f) }

// Text is a value that has no order.
type Text string

const (
	sameStart  Text = "the same"
	otherStart Text = "another"
)

func (t Text) String() string     { return string(t) }
func (t Text) equal(v Value) bool { return v == Value(t) }

// Bits are securebits.
type Bits cred.Securebits

func (b Bits) String() string     { return engine.SecbitsText(cred.Securebits(b)) }
func (b Bits) equal(v Value) bool { return v == Value(b) }
func (b Bits) elements() []string { return cred.Securebits(b).Names() }

// RootDirectory is the path of a root directory, empty for the caller's.
type RootDirectory string

func (r RootDirectory) String() string {
	if r == "" {
		return "the caller's"
	}
	return string(r)
}
func (r RootDirectory) equal(v Value) bool { return v == Value(r) }

// OwnSession says whether the target has a session of its own.
type OwnSession bool

func (s OwnSession) String() string {
	if s {
		return "its own"
	}
	return "the caller's"
}
func (s OwnSession) equal(v Value) bool { return v == Value(s) }

// OwnKeyring says whether the target has a session keyring of its own.
type OwnKeyring bool

func (k OwnKeyring) String() string     { return OwnSession(k).String() }
func (k OwnKeyring) equal(v Value) bool { return v == Value(k) }

// FDs are kept descriptors, sorted, each once.
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

// Gained returns what only the new value has, by name; nil where a value is no set.
func (d Difference) Gained() []string { return elementsMinus(d.New, d.Old) }

// Lost returns what only the old value has.
func (d Difference) Lost() []string { return elementsMinus(d.Old, d.New) }

// GainedCaps returns the capabilities that only the new value has. It is empty in
// dimensions that are no capability set.
func (d Difference) GainedCaps() cred.Caps { return capsOf(d.New).Minus(capsOf(d.Old)) }

// Text says what changed: "gains cap_net_raw; loses cap_kill" for sets, and "33
// becomes 34" otherwise.
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

// minus returns the elements of a that are not in b; nil for none.
func minus[T comparable](a, b []T) []T {
	var rest []T
	for _, x := range a {
		if !slices.Contains(b, x) {
			rest = append(rest, x)
		}
	}
	return rest
}

// joinOr returns a list for people, none for an empty one.
func joinOr(list []string, none string) string {
	if len(list) == 0 {
		return none
	}
	return strings.Join(list, ", ")
}
