package oci

import (
	"strings"

	"caprun/cap"
	"caprun/engine/cred"
	"caprun/platform/declared"
	"caprun/platform/internal/jsontree"
)

// set is one of the five sets of the file.
type set struct {
	at   declared.Source
	caps cred.Caps
}

// capabilities reads the sets just before exec. The runtimes start a process without
// capabilities with five empty sets.
func (r *reader) capabilities(process *jsontree.Node) {
	m, ok := r.member(process, "capabilities", jsontree.Object)
	if !ok {
		m = jsontree.Member{Key: "process", At: r.p.At.Position, Value: &jsontree.Node{Kind: jsontree.Object, Position: r.p.At.Position}}
	}
	r.checkKeys(m.Value, []string{"bounding", "effective", "inheritable", "permitted", "ambient"}, true)
	at := r.of(m)
	b, e := r.set(m.Value, at, "bounding"), r.set(m.Value, at, "effective")
	i, p := r.set(m.Value, at, "inheritable"), r.set(m.Value, at, "permitted")
	a := r.set(m.Value, at, "ambient")

	// capset(2) fails.
	if outside := i.caps.Minus(b.caps); outside != 0 {
		r.p.AddFinding(declared.Refused, i.at, "add it to bounding", "inheritable has %s, which bounding lacks: the runtimes refuse to start", outside)
	}
	if outside := e.caps.Minus(p.caps); outside != 0 {
		r.p.AddFinding(declared.Refused, e.at, "add it to permitted", "effective has %s, which permitted lacks: the runtimes refuse to start", outside)
	}

	// prctl(2) fails, and the runtimes ignore that.
	able := i.caps.Intersect(p.caps)
	if lost := a.caps.Minus(able); lost != 0 {
		r.p.AddFinding(declared.Ineffective, a.at, "add it to inheritable and permitted", "ambient has %s, which is not both inheritable and permitted: the process does not get it", lost)
	}
	ambient := a.caps.Intersect(able)

	sets := declared.Sets{Inheritable: i.caps, Ambient: ambient, Bounding: b.caps}
	if *r.p.Profile.UID == 0 {
		r.asRoot(&sets, p, e)
	} else if lost := p.caps.Union(e.caps).Minus(ambient); lost != 0 {
		at := p.at
		if p.caps.Minus(ambient) == 0 {
			at = e.at
		}
		r.p.AddFinding(declared.Ineffective, at, "add it to inheritable and ambient", "permitted or effective has %s, which exec removes from uid %d: only ambient capabilities stay",
			lost, *r.p.Profile.UID)
	}
	r.p.Sets = sets
	for _, s := range [...]set{b, i, a} {
		if s.at.Position != at.Position {
			r.p.From("caps", s.at)
			r.p.From("iab", s.at)
		}
	}
}

// asRoot compares the sets with those that exec grants uid 0.
func (r *reader) asRoot(sets *declared.Sets, permitted, effective set) {
	granted := sets.Bounding.Union(sets.Inheritable)
	if lost := permitted.caps.Minus(granted); lost != 0 {
		r.p.AddFinding(declared.Ineffective, permitted.at, "add it to bounding", "permitted has %s, which bounding lacks: exec removes it", lost)
	}
	more := granted.Minus(permitted.caps)
	if more == 0 {
		return
	}
	if r.p.Profile.NoNewPrivs {
		sets.Withheld = more
		return
	}
	r.p.AddFinding(declared.Ignored, permitted.at, "remove it from bounding", "permitted lacks %s, which bounding has: exec grants it to uid 0", more)
}

// set reads one set. Its place is that of capabilities if it is absent.
func (r *reader) set(capabilities *jsontree.Node, at declared.Source, key string) set {
	m, ok := r.member(capabilities, key, jsontree.Array)
	if !ok {
		return set{at: at}
	}
	s := set{at: r.of(m)}
	for _, item := range r.strings(m) {
		s.caps = s.caps.Union(r.capability(key, item))
	}
	s.at.Text += ": " + s.caps.String()
	return s
}

// capability returns the capability with a name such as CAP_KILL. For another text it returns
// what crun grants, which is none in most cases.
func (r *reader) capability(key string, item *jsontree.Node) cred.Caps {
	at := r.source(item.Position, bounded(item.Text))
	number, ok := crunCapability(item.Text)
	switch {
	case !ok:
		hint := "correct the name"
		if number, err := cap.FromName("cap_" + strings.ToLower(item.Text)); err == nil && item.Text != "" && !isDigit(item.Text[0]) {
			hint = "write " + strings.ToUpper(number.String())
		}
		r.p.AddFinding(declared.UnknownCapability, at, hint, "unknown capability %s in %s: the runtimes ignore it", shown(item.Text), key)
		return 0
	case item.Text != strings.ToUpper(number.String()):
		r.p.AddFinding(declared.UnknownCapability, at, "write "+strings.ToUpper(number.String()), "unknown capability %s in %s: runc ignores it, and crun grants %s", shown(item.Text), key, number)
	}
	return cred.CapsOf(int(number))
}

// crunCapability returns the capability that crun takes a text for, as cap_from_name(3) of
// libcap does: a number as in C, or a name in any case. What follows is ignored.
func crunCapability(text string) (cap.Value, bool) {
	if text != "" && isDigit(text[0]) {
		return leadingNumber(text)
	}
	end := 0
	for end < len(text) && (isDigit(text[end]) || text[end] == '_' || 'a' <= text[end]|' ' && text[end]|' ' <= 'z') {
		end++
	}
	name := strings.ToLower(text[:end])
	if !strings.HasPrefix(name, "cap_") {
		return 0, false
	}
	number, err := cap.FromName(name)
	return number, err == nil
}

// leadingNumber returns the number at the beginning of a text, as strtoul(3) reads it.
func leadingNumber(text string) (cap.Value, bool) {
	base, digits := uint(10), text
	switch {
	case len(text) > 2 && text[1]|' ' == 'x' && hexDigit(text[2]) < 16:
		base, digits = 16, text[2:]
	case text[0] == '0':
		base = 8
	}
	n := uint(0)
	for k := 0; k < len(digits) && hexDigit(digits[k]) < base; k++ {
		if n = n*base + hexDigit(digits[k]); n >= cap.NamedCount {
			return 0, false
		}
	}
	return cap.Value(n), true
}

func isDigit(c byte) bool { return '0' <= c && c <= '9' }

// hexDigit returns the value of a digit, and 16 for another character.
func hexDigit(c byte) uint {
	switch {
	case isDigit(c):
		return uint(c - '0')
	case 'a' <= c|' ' && c|' ' <= 'f':
		return uint(c|' '-'a') + 10
	}
	return 16
}
