package policy

import "gopkg.in/yaml.v3"

// A textKind is what a key or an item takes whose value is text.
type textKind struct {
	what  string
	valid func(text string) bool // nil for any text

	// fix and join return, as YAML, the value that was meant by a text, and by
	// the texts of a list; "" if that is not certain. Without fix it is the text,
	// if that is valid; without join the only text of a list.
	fix  func(text string) string
	join func(texts []string) string

	hint string // where no value is certain
}

// hintFor is the hint for a value that is wrong.
func (k textKind) hintFor(n *yaml.Node) string {
	texts := scalarsOf(n)
	switch {
	case n.Kind == yaml.SequenceNode && k.join != nil:
		return write(k.join(texts), k.hint)
	case len(texts) != 1:
		return k.hint
	case k.fix != nil:
		return write(k.fix(texts[0]), k.hint)
	case k.valid != nil && !k.valid(texts[0]):
		return k.hint
	}
	return write(inYAML(texts[0]), k.hint)
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
