package cap

import (
	"unicode/utf8"

	"caprun/internal/capset"
)

// invalid is the text of a nil or zero Set or IAB. FromText and IABFromText reject it.
const invalid = "<invalid>"

// maxText is the size of a buffer on the stack that holds the text of any Set or IAB:
// 41 names and 23 numbers, each once, have less than 700 bytes without marks.
const maxText = 1024

// FromText returns the set that a text describes: clauses separated by white space. The
// set is empty at first, and each clause changes it.
//
//	clause = [names] op flags {op flags}
//	names  = "all" | name {"," name}
//	op     = "=" | "+" | "-"
//	flags  = any of e, i, p
//
// A name is one that FromName accepts. "all" means every capability of the running
// kernel, and is the default if a clause has no names. "+" raises the named capabilities
// in the flags, and "-" lowers them there. "=" empties the whole set, including
// capabilities that the clause does not name, and then raises the named ones in the
// flags.
//
// "=" must be the first operator of a clause. It needs no flags and no names, but if
// there are no names, only "-" may follow it. "+" and "-" need flags, and a clause that
// begins with one of them needs names.
//
//	"cap_chown,cap_setuid=ip cap_setuid+e"
//	"=p cap_setpcap-p+i"
//	"=ep-e", which equals "=p"
//
// The text may have any length. The error is ErrBadText; that of ParseText has details.
// An empty text is an error; the text of the empty set is "=".
func FromText(text string) (*Set, error) {
	flags, f := parseText(text, MaxBits())
	if f.reason != "" {
		return nil, ErrBadText
	}
	return &Set{ready: true, flags: flags}, nil
}

// ParseText is like FromText, but for a kernel with this number of capabilities: "all",
// and a "=" without names, mean the capabilities below bits. The error is a *TextError.
func ParseText(text string, bits Value) (*Set, error) {
	flags, f := parseText(text, bits)
	if f.reason != "" {
		return nil, f.in(text)
	}
	return &Set{ready: true, flags: flags}, nil
}

// emptyText is the fault of a text without a clause.
var emptyText = fault{0, 0, `empty text; the text of the empty set is "="`}

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

// parseClause applies the clause that begins at from to flags, and returns its end.
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
			return at, fault{at - 1, at, "missing flags after it: want e, i or p"}
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
		return at, fault{at, at + n, "unknown flag: want e, i or p"}
	}
	if first {
		return at, fault{from, at, `missing operator and flags after it, such as "=eip"`}
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
			return 0, at, fault{begin, at, "not allowed in a list of names"}
		case name == "" && more:
			return 0, at, fault{at, at + 1, "missing name before it"}
		case name == "":
			return 0, at, fault{at - 1, at, "missing name after it"}
		default:
			return 0, at, fault{begin, at, reason}
		}
		if !more {
			return vals, at, fault{}
		}
	}
}

// misplaced returns why op is not allowed at its place, or an empty string. named says
// whether the clause has names; first, whether op is its first operator.
func misplaced(op byte, named, first bool) string {
	switch {
	case op == '=' && !first:
		return `not allowed after another operator in the clause`
	case op != '=' && first && !named:
		return `missing names before it; only "=" needs none`
	case op == '+' && !named:
		return `after a "=" without names, only "-" is allowed`
	}
	return ""
}

// letters are the flags as String prints them. The index has bit 1<<f for the Flag f.
var letters = [1 << flagCount]string{"", "e", "p", "ep", "i", "ei", "ip", "eip"}

// String returns a text that FromText reads as an equal set. It begins with the flags
// that most capabilities of the running kernel have, and then lists the capabilities
// that differ. It returns "<invalid>" for a nil or zero Set.
//
//	"=ep cap_kill+i"
//	"cap_net_bind_service,cap_net_raw=ep"
//	"= 50+p"
//
// Capabilities that the running kernel does not have are at the end.
func (c *Set) String() string { return c.Text(MaxBits()) }

// Text is like String, but for a kernel with this number of capabilities. ParseText with
// the same number reads the result as an equal set.
func (c *Set) Text(bits Value) string {
	e, p, i, err := c.Masks()
	if err != nil {
		return invalid
	}
	// with[k] are the capabilities that are raised in exactly the flags k.
	var with [len(letters)]Mask
	for k := range with {
		with[k] = only(e, k>>Effective) & only(p, k>>Permitted) & only(i, k>>Inheritable)
	}
	known := lowBits(bits)
	base := mostFrequent(&with, known)

	var buffer [maxText]byte
	text := append(append(buffer[:0], '='), letters[base]...)
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

// mostFrequent returns the first index of with that has the largest number of known
// capabilities.
func mostFrequent(with *[len(letters)]Mask, known Mask) (base int) {
	for k, most := 0, -1; k < len(with); k++ {
		if n := (with[k] & known).Len(); n > most {
			base, most = k, n
		}
	}
	return base
}

// appendValues appends the names of vals, which is not empty, separated by commas.
func appendValues(text []byte, vals Mask) []byte {
	for n := range vals.All() {
		text = append(append(text, capset.Name(n)...), ',')
	}
	return text[:len(text)-1]
}
