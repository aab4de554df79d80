package policy

import (
	"fmt"
	"slices"
	"strconv"
	"strings"

	"gopkg.in/yaml.v3"
)

// A numberKind is what a key or an item takes whose value is a number.
type numberKind struct {
	what   string
	lo, hi uint64
	or     string // a word that is allowed, too
	rule   rule   // for a number that is not from lo to hi
	hint   string

	exact bool // the hint is for the value at hand

	items []*yaml.Node // of the list that it is in, where it may not occur twice
}

// want returns which numbers are allowed, for a message.
func (k numberKind) want() string {
	switch {
	case k.lo == k.hi:
		return fmt.Sprintf("want %d", k.lo)
	case k.or != "":
		return fmt.Sprintf("want %d to %d or %s", k.lo, k.hi, k.or)
	}
	return fmt.Sprintf("want %d to %d", k.lo, k.hi)
}

// hintFor is the hint for a value that is wrong.
func (k numberKind) hintFor(n *yaml.Node) string {
	values := scalarsOf(n)
	if len(values) != 1 || k.exact {
		return k.hint
	}
	meant := slices.DeleteFunc(decimals(values[0]), func(s string) bool { return k.fix(s) == "" })
	for _, s := range meant {
		if slices.ContainsFunc(k.items, func(n *yaml.Node) bool { return isPlain(n) && n.Value == s }) {
			return "remove it; " + s + " is in the list"
		}
	}
	switch len(meant) {
	case 0:
		return k.hint
	case 1:
		return "write " + meant[0]
	}
	return "write " + meant[0] + ", or write " + meant[1] + " if octal was meant"
}

// meant returns the number that was meant by a node; "" if that is not certain.
func (k numberKind) meant(n *yaml.Node) string {
	values := scalarsOf(n)
	if len(values) != 1 {
		return ""
	}
	numbers := decimals(values[0])
	if len(numbers) != 1 {
		return ""
	}
	return k.fix(numbers[0])
}

// fix returns a number that is allowed and in plain decimal digits, and "" for
// any other text.
func (k numberKind) fix(s string) string {
	v, err := strconv.ParseUint(s, 10, 64)
	if err != nil || !isPlainDecimal(s) || v < k.lo || v > k.hi {
		return ""
	}
	return s
}

// whole returns the plain decimal number that a node is.
func (r *reader) whole(n *yaml.Node, k numberKind) (v uint64, ok bool) {
	if !r.isNumber(n, k) {
		return 0, false
	}
	v, err := strconv.ParseUint(n.Value, 10, 64)
	if err != nil || v < k.lo || v > k.hi {
		r.reportAt(n, k.rule, k.hint, "invalid %s %s: %s", k.what, quote(n.Value), k.want())
		return 0, false
	}
	return v, true
}

// isNumber reports whether a node is a number in the one notation that all
// YAML readers agree about, and otherwise reports what it is. The number may be
// negative.
func (r *reader) isNumber(n *yaml.Node, k numberKind) bool {
	switch {
	case r.opaque(n):
		return false
	case isNull(n):
		r.reportNull(nil, n, "list item", "write a value")
		return false
	case isAmbiguous(n):
		r.reportAt(n, ambiguousValue, k.hintFor(n), "%s must be a number, and %s is text to some YAML readers and %s to others", k.what, quote(n.Value), otherReading(n))
		return false
	case isQuoted(n) && isDecimal(n.Value):
		r.reportAt(n, badType, k.hintFor(n), "%s must be a number, and %s in quotes is text", k.what, n.Value)
		return false
	case looksNumeric(n):
	case isScalar(n) && kindOf(n) == "text":
		r.reportAt(n, badType, k.hintFor(n), "invalid %s %s: %s", k.what, quote(n.Value), k.want())
		return false
	default:
		r.reportAt(n, badType, k.hintFor(n), "%s must be a number, not %s", k.what, kindOf(n))
		return false
	}
	if why := notation(n.Value); why != "" {
		r.reportAt(n, badNumber, k.hintFor(n), "invalid %s %s: it has %s", k.what, quote(n.Value), why)
		return false
	}
	return true
}

// looksNumeric reports whether a plain scalar is a number to any YAML reader.
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

// isPlainDecimal reports whether s is a number that every reader takes for the
// same.
func isPlainDecimal(s string) bool { return isDecimal(s) && notation(s) == "" }

// notation returns what makes YAML readers disagree about a number, or "".
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
		return "a leading zero, which means octal to some YAML readers"
	case !isDecimal(digits):
		return "other characters than digits"
	}
	return ""
}

// decimals returns the numbers that may be meant by one in another notation,
// the likeliest first: two where a leading zero may mean octal.
func decimals(s string) []string {
	plain := strings.ReplaceAll(strings.TrimPrefix(strings.TrimSpace(s), "+"), "_", "")
	if whole, zeros, ok := strings.Cut(plain, "."); ok && strings.Trim(zeros, "0") == "" {
		plain = whole
	}
	if v, err := strconv.ParseUint(plain, 0, 64); err == nil && strings.ContainsAny(plain, "xXoObB") {
		return []string{strconv.FormatUint(v, 10)}
	}
	if !isDecimal(plain) {
		return nil
	}
	var meant []string
	for _, base := range [...]int{10, 8} {
		if v, err := strconv.ParseUint(plain, base, 64); err == nil && (base == 10 || plain[0] == '0') {
			meant = append(meant, strconv.FormatUint(v, 10))
		}
	}
	return slices.Compact(meant)
}
