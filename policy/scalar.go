package policy

import "gopkg.in/yaml.v3"

// A textKind is what a key or an item takes whose value is text.
type textKind struct {
	what  string
	valid func(text string) bool // nil for any text

	// fix returns, as YAML, the value that was meant by a text, or by the only text of a
	// list; "" if that is not certain. Without fix it is the text, if that is valid.
	fix func(text string) string

	hint   string                  // where no value is certain
	hintOf func(*yaml.Node) string // instead of fix and hint, if not nil
}

// hintFor is the hint for a value that is wrong.
func (k textKind) hintFor(n *yaml.Node) string {
	if k.hintOf != nil {
		return k.hintOf(n)
	}
	return write(k.meant(n), k.hint)
}

// meant returns, as YAML, the value that was meant by a node; "" if that is not certain.
func (k textKind) meant(n *yaml.Node) string {
	texts := scalarsOf(n)
	switch {
	case len(texts) != 1:
		return ""
	case k.fix != nil:
		return k.fix(texts[0])
	case k.valid != nil && !k.valid(texts[0]):
		return ""
	}
	return inYAML(texts[0])
}

// text returns the string that a node is. Only a quoted scalar, a block
// scalar, and a plain one that every YAML reader takes for text are strings.
func (r *reader) text(n *yaml.Node, k textKind) (s string, ok bool) {
	switch {
	case r.opaque(n):
		return "", false
	case isNull(n):
		r.reportNull(nil, n, "list item", "write a value")
		return "", false
	case isAmbiguous(n):
		r.reportAt(n, ambiguousValue, k.hintFor(n), "%s without quotes is text to some YAML readers and %s to others", quote(n.Value), otherReading(n))
		return "", false
	case isScalar(n) && (n.Style != 0 || n.Tag == "!!str"):
		return n.Value, true
	case isScalar(n):
		r.reportAt(n, badType, k.hintFor(n), "%s must be text, and %s without quotes is %s", k.what, quote(n.Value), kindOf(n))
	default:
		r.reportAt(n, badType, k.hintFor(n), "%s must be text, not %s", k.what, kindOf(n))
	}
	return "", false
}
