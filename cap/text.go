package cap

import (
	"caprun/internal/capset"
	"unicode/utf8"
)

// invalid is the text of a nil or zero Set or IAB. No text parses to it.
const invalid = "<invalid>"

// textRoom is enough for the text of any Set or IAB on the stack: 41 names and
// 23 numbers, each once, take less than 700 bytes, their marks the rest.
const textRoom = 1024

// FromText reads the text of a set: clauses separated by white space, each of
// which changes what the ones before it built up, from an empty set on.
//
//	clause = [names] op flags {op flags}
//	names  = "all" | name {"," name}
//	op     = "=" | "+" | "-"
//	flags  = any of e, i, p
//
// A name is one that FromName knows; "all" is every capability of the running
// kernel, and stands for the names where there are none. "+" raises the names
// in the flags and "-" lowers them. "=" resets the whole set, also those
// capabilities that the clause does not name, and then raises. It may only
// come first in a clause, it may do without flags, and after a "=" without
// names only "-" may follow.
//
//	"cap_chown,cap_setuid=ip cap_setuid+e"
//	"=p cap_setpcap-p+i"
//	"=ep-e", which is "=p"
//
// A text of any length is read whole. The error is ErrBadText; ParseText says
// more. An empty text is an error: the empty set is "=".
func FromText(text string) (*Set, error) {
	flags, f := parseText(text, MaxBits())
	if f.reason != "" {
		return nil, ErrBadText
	}
	return &Set{ready: true, flags: flags}, nil
}

// ParseText is FromText for a kernel with so many capabilities: "all" and an
// "=" without names mean those below bits. The error is a *TextError.
func ParseText(text string, bits Value) (*Set, error) {
	flags, f := parseText(text, bits)
	if f.reason != "" {
		return nil, f.in(text)
	}
	return &Set{ready: true, flags: flags}, nil
}

// emptyText is the fault of a text without a clause.
var emptyText = fault{0, 0, `it is empty; a set without capabilities is "="`}

func parseText(text string, kernel Value) (flags [flagCount]Mask, f fault) {
	at := skipSpace(text, 0)
	if at == len(text) {
		return flags, emptyText
	}
	for at < len(text) {
		if at, f = parseClause(text, at, lowBits(kernel), &flags); f.reason != "" {
			return flags, f
		}
		at = skipSpace(text, at)
	}
	return flags, f
}

// parseClause applies the clause that begins at from to flags, and returns
// where it ends.
func parseClause(text string, from int, all Mask, flags *[flagCount]Mask) (int, fault) {
	vals, at, f := parseNames(text, from, all)
	if f.reason != "" {
		return at, f
	}
	named, first := at > from, true
	for ; at < len(text) && isOp(text[at]); first = false {
		op := text[at]
		if reason := misplaced(op, named, first); reason != "" {
			return at, fault{at, at + 1, reason}
		}
		at++
		vecs, n := parseFlags(text[at:])
		if n == 0 && op != '=' && (atEnd(text, at) || isOp(text[at])) {
			return at, fault{at - 1, at, "flags are missing after it: e, i or p"}
		}
		at += n
		if op == '=' {
			*flags = [flagCount]Mask{}
		}
		for vec := range flags {
			switch {
			case vecs>>vec&1 == 0:
			case op == '-':
				flags[vec] &^= vals
			default:
				flags[vec] |= vals
			}
		}
	}
	if !atEnd(text, at) {
		_, n := utf8.DecodeRuneInString(text[at:])
		return at, fault{at, at + n, "a flag is e, i or p"}
	}
	if first {
		return at, fault{from, at, `"=", "+" or "-" with flags is missing after it`}
	}
	return at, fault{}
}

// parseNames reads the names at the start of a clause. There may be none.
func parseNames(text string, at int, all Mask) (vals Mask, end int, f fault) {
	if isOp(text[at]) {
		return all, at, fault{}
	}
	for from := at; ; at++ {
		begin := at
		at = nameEnd(text, at)
		name := text[begin:at]
		v, reason := parseValue(name)
		more := at < len(text) && text[at] == ','
		switch {
		case reason == "":
			vals |= 1 << v
		case name == "all" && begin == from && !more:
			vals = all
		case name == "all":
			return 0, at, fault{begin, at, "it must stand alone, not in a list"}
		case name == "" && more:
			return 0, at, fault{at, at + 1, "a name is missing before it"}
		case name == "":
			return 0, at, fault{at - 1, at, "a name is missing after it"}
		default:
			return 0, at, fault{begin, at, reason}
		}
		if !more {
			return vals, at, fault{}
		}
	}
}

// misplaced says why op may not stand where it does, if it may not.
func misplaced(op byte, named, first bool) string {
	switch {
	case op == '=' && !first:
		return `"=" may only come first, before "+" and "-"`
	case op != '=' && first && !named:
		return `names are missing before it; only "=" may do without`
	case op == '+' && !named:
		return `after "=" without names only "-" may follow`
	}
	return ""
}

// letters are the flags as String writes them. The index has bit 1<<f for the
// Flag f.
var letters = [1 << flagCount]string{"", "e", "p", "ep", "i", "ei", "ip", "eip"}

// String returns the canonical text of c, from which FromText makes an equal
// set: what most capabilities of the running kernel have in common, and then
// those that differ. It returns "<invalid>" for a nil or zero Set.
//
//	"=ep cap_kill+i"
//	"cap_net_bind_service,cap_net_raw=ep"
//	"= 50+p"
//
// Capabilities that the running kernel does not have come last.
func (c *Set) String() string { return c.Text(MaxBits()) }

// Text is String for a kernel with so many capabilities. ParseText with the
// same number makes an equal set of it.
func (c *Set) Text(bits Value) string {
	e, p, i, err := c.Masks()
	if err != nil {
		return invalid
	}
	// with[k] has the capabilities that are raised in exactly the flags of k.
	var with [len(letters)]Mask
	for k := range with {
		with[k] = only(e, k>>Effective) & only(p, k>>Permitted) & only(i, k>>Inheritable)
	}
	known := lowBits(bits)
	base := mostFrequent(&with, known)

	var room [textRoom]byte
	text := append(append(room[:0], '='), letters[base]...)
	for k := len(with) - 1; k >= 0; k-- {
		vals := with[k] & known
		if k == base || vals == 0 {
			continue
		}
		if len(text) == 1 {
			text = append(appendValues(text[:0], vals), '=')
			text = append(text, letters[k]...)
			continue
		}
		text = appendValues(append(text, ' '), vals)
		if more := k &^ base; more != 0 {
			text = append(append(text, '+'), letters[more]...)
		}
		if less := base &^ k; less != 0 {
			text = append(append(text, '-'), letters[less]...)
		}
	}
	for k := len(with) - 1; k > 0; k-- {
		if vals := with[k] &^ known; vals != 0 {
			text = appendValues(append(text, ' '), vals)
			text = append(append(text, '+'), letters[k]...)
		}
	}
	return string(text)
}

// only returns vec if the lowest bit of k is set, and its complement if not.
func only(vec Mask, k int) Mask { return vec ^ (Mask(k&1) - 1) }

// mostFrequent returns the index of with that has most of the known
// capabilities; the first of several.
func mostFrequent(with *[len(letters)]Mask, known Mask) (base int) {
	for k, most := 0, -1; k < len(with); k++ {
		if n := (with[k] & known).Len(); n > most {
			base, most = k, n
		}
	}
	return base
}

// appendValues appends the capabilities of vals, at least one, separated by commas.
func appendValues(text []byte, vals Mask) []byte {
	for n := range vals.All() {
		text = append(append(text, capset.Name(n)...), ',')
	}
	return text[:len(text)-1]
}
