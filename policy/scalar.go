package policy

import (
	"cmp"
	"strconv"
	"strings"

	"gopkg.in/yaml.v3"
)

// text returns the string that a node is. Only a quoted scalar, a block
// scalar, and a plain one that every reader of YAML takes for a text are
// strings.
func (r *reader) text(n *yaml.Node, what string) (s string, ok bool) {
	switch {
	case r.opaque(n):
		return "", false
	case isNull(n):
		r.reportNull(nil, n, what)
		return "", false
	case isAmbiguous(n):
		r.reportAt(n, ambiguousValue, inQuotes(n.Value), "%s without quotes is text to some readers of YAML and %s to others", shorten(n.Value, maxNameLength), otherReading(n))
		return "", false
	case isScalar(n) && (n.Style != 0 || n.Tag == "!!str"):
		return n.Value, true
	case isScalar(n):
		r.reportAt(n, badType, `write "`+n.Value+`"`, "%s must be text, and %s without quotes is %s", what, quote(n.Value), kindOf(n))
	default:
		r.reportAt(n, badType, "", "%s must be text, not %s", what, kindOf(n))
	}
	return "", false
}

// whole returns the plain decimal number that a node is, from lo to hi. A
// number outside is reported under the rule, with the hint.
func (r *reader) whole(n *yaml.Node, what string, lo, hi uint64, which rule, hint string) (v uint64, ok bool) {
	if !r.isNumber(n, what) {
		return 0, false
	}
	v, err := strconv.ParseUint(n.Value, 10, 64)
	if err != nil || v < lo || v > hi {
		r.reportAt(n, which, hint, "%s must be %d to %d, not %s", what, lo, hi, n.Value)
		return 0, false
	}
	return v, true
}

// isNumber reports whether a node is a number in the one notation that all
// readers agree about, and says what it is otherwise. The number may be
// negative.
func (r *reader) isNumber(n *yaml.Node, what string) bool {
	switch {
	case r.opaque(n):
		return false
	case isNull(n):
		r.reportNull(nil, n, what)
		return false
	case isAmbiguous(n):
		r.reportAt(n, ambiguousValue, "write a number", "%s must be a number, and %s is text to some readers of YAML and %s to others", what, shorten(n.Value, maxNameLength), otherReading(n))
		return false
	case isQuoted(n) && isDecimal(n.Value):
		r.reportAt(n, badType, "write "+n.Value+" without quotes", "%s must be a number, and in quotes it is text", what)
		return false
	case !looksNumeric(n):
		r.reportAt(n, badType, numberHint(n, what), "%s must be a number, not %s", what, kindOf(n))
		return false
	}
	if why := notation(n.Value); why != "" {
		r.reportAt(n, badNumber, decimalHint(n.Value), "%s must be in plain decimal digits, and %s has %s", what, quote(n.Value), why)
		return false
	}
	return true
}

// looksNumeric reports whether a plain scalar is a number to any reader.
func looksNumeric(n *yaml.Node) bool {
	if !isPlain(n) {
		return false
	}
	return n.Tag == "!!int" || n.Tag == "!!float" || isDecimal(strings.TrimLeft(n.Value, "+-"))
}

// isDecimal reports whether s is made of digits.
func isDecimal(s string) bool {
	return s != "" && strings.Trim(s, "0123456789") == ""
}

// notation says what a number has that makes readers of YAML disagree about
// it, or "".
func notation(s string) string {
	digits := strings.TrimPrefix(s, "-")
	lower := strings.ToLower(digits)
	switch {
	case strings.HasPrefix(digits, "+"):
		return "a plus sign"
	case strings.HasPrefix(lower, "0x"):
		return "hexadecimal digits"
	case strings.HasPrefix(lower, "0o"):
		return "octal digits"
	case strings.HasPrefix(lower, "0b"):
		return "binary digits"
	case strings.Contains(digits, "_"):
		return "underscores"
	case strings.HasSuffix(lower, ".inf") || strings.HasSuffix(lower, ".nan"):
		return "no digits"
	case strings.Contains(digits, "."):
		return "a fraction"
	case strings.Contains(lower, "e"):
		return "an exponent"
	case len(digits) > 1 && digits[0] == '0':
		return "a leading zero, which means octal to some readers"
	case !isDecimal(digits):
		return "something else"
	}
	return ""
}

// numberHint says how to find the number of a user or group that is named.
func numberHint(n *yaml.Node, what string) string {
	if !isScalar(n) || !isName(n.Value) {
		return wholeHint
	}
	switch what {
	case "uid":
		return "write user: " + n.Value + ", or its number: getent passwd " + n.Value
	case "gid", "a group":
		return "write its number: getent group " + n.Value
	}
	return wholeHint
}

const wholeHint = "write a whole number"

// decimalHint shows the number that was probably meant, or both where there
// are two.
func decimalHint(s string) string {
	plain := strings.ReplaceAll(strings.TrimLeft(s, "+"), "_", "")
	if isDecimal(plain) && (plain == "0" || plain[0] != '0') && len(plain) < 20 {
		return "write " + plain
	}
	if whole, zeros, ok := strings.Cut(plain, "."); ok && isDecimal(whole) && strings.Trim(zeros, "0") == "" && (whole == "0" || whole[0] != '0') {
		return "write " + whole
	}
	if v, err := strconv.ParseUint(plain, 0, 64); err == nil && strings.ContainsAny(plain, "xXoObB") {
		return "write " + strconv.FormatUint(v, 10)
	}
	if digits := strings.TrimLeft(plain, "0"); isDecimal(plain) && len(plain) < 20 {
		if octal, err := strconv.ParseUint(plain, 8, 64); err == nil && octal > 7 {
			return "write " + digits + ", or " + strconv.FormatUint(octal, 10) + " where octal was meant"
		}
		return "write " + cmp.Or(digits, "0")
	}
	return wholeHint
}

// items returns the nodes of a list. ok is false if the node is none, or if it
// has more than limit.
func (r *reader) items(n *yaml.Node, what string, limit int) (items []*yaml.Node, ok bool) {
	if n.Kind != yaml.SequenceNode {
		hint := "write a list: [A, B]"
		if isScalar(n) && n.Value != "" && len(n.Value) < maxNameLength {
			hint = "write [" + n.Value + "]"
		}
		r.reportAt(n, badType, hint, "%s must be a list, not %s", what, kindOf(n))
		return nil, false
	}
	if len(n.Content) > limit {
		r.reportAt(n.Content[limit], tooLong, "", "%s has %d items; at most %d make sense", what, len(n.Content), limit)
		return nil, false
	}
	return n.Content, true
}

// A once reports what a list has twice.
type once[T comparable] struct {
	reader *reader
	seen   map[T]bool
}

func newOnce[T comparable](r *reader) once[T] { return once[T]{r, map[T]bool{}} }

// first reports whether v is there for the first time.
func (o once[T]) first(n *yaml.Node, v T, what string) bool {
	if o.seen[v] {
		o.reader.reportAt(n, duplicateItem, "keep one of them", "%s is already in the list", what)
		return false
	}
	o.seen[v] = true
	return true
}
