package tree

import (
	"slices"
	"strconv"
	"strings"

	"caprun/platform/declared"
	"caprun/policy"
)

// A Kind is the kind of a node.
type Kind int

const (
	Scalar Kind = iota
	Mapping
	List
)

// A Node is a value. Aliases share the nodes of their anchor.
type Node struct {
	Kind Kind

	// At is the range of the text: with quotes and brackets.
	At policy.Position

	// Value is the text of a scalar, without quotes and escapes.
	Value string

	// Quoted reports that the scalar is text whatever it looks like.
	Quoted bool

	// Tag is the type of a scalar in YAML 1.2, such as "!!str" or "!!int".
	Tag string

	// Null reports that the value is absent or null.
	Null bool

	// Entries are those of a mapping, in the order of the text; those of merge keys
	// are at the end.
	Entries []Entry

	// Items are those of a list.
	Items []*Node

	file  string
	size  int  // number of nodes, at most MaxNodes+1
	reset bool // the tag !reset of Compose: the value is absent
}

// An Entry is a key of a mapping with its value.
type Entry struct {
	Key   string
	KeyAt policy.Position
	Value *Node
}

// Entry returns the entry with a key. ok is false if n is nil, is not a mapping or has no
// such key.
func (n *Node) Entry(key string) (e Entry, ok bool) {
	if n == nil {
		return Entry{}, false
	}
	for _, e := range n.Entries {
		if e.Key == key {
			return e, true
		}
	}
	return Entry{}, false
}

// Get returns the value of the entry with a key, or nil. A null value is nil, too.
func (n *Node) Get(key string) *Node {
	if e, ok := n.Entry(key); ok && !e.Value.Null {
		return e.Value
	}
	return nil
}

// Path returns the value below several keys, or nil.
func (n *Node) Path(keys ...string) *Node {
	for _, key := range keys {
		n = n.Get(key)
	}
	return n
}

// List returns the items of a list, or nil.
func (n *Node) List() []*Node {
	if n == nil {
		return nil
	}
	return n.Items
}

// Keys returns the keys of a mapping in the order of the text.
func (n *Node) Keys() []string {
	if n == nil {
		return nil
	}
	keys := make([]string, 0, len(n.Entries))
	for _, e := range n.Entries {
		keys = append(keys, e.Key)
	}
	return keys
}

// IsText reports whether n is a scalar that is not null.
func (n *Node) IsText() bool { return n != nil && n.Kind == Scalar && !n.Null }

// Text returns the text of a scalar, or "".
func (n *Node) Text() string {
	if n.IsText() {
		return n.Value
	}
	return ""
}

// IsString reports whether n is a text, and no number or boolean, for YAML 1.1, too.
func (n *Node) IsString() bool {
	if !n.IsText() {
		return false
	}
	_, boolean := n.Bool()
	return n.Quoted || !boolean && n.Tag != "!!int" && n.Tag != "!!float" && n.Tag != "!!bool"
}

// Bool returns a value that YAML 1.1 takes for a boolean, as the readers of Kubernetes and
// Compose do. ok is false for any other value, also for one in quotes.
func (n *Node) Bool() (v, ok bool) {
	if !n.IsText() || n.Quoted {
		return false, false
	}
	return ParseBool(n.Value)
}

// ParseBool returns the boolean that a word is in YAML 1.1.
func ParseBool(word string) (v, ok bool) {
	lower := strings.ToLower(word)
	if word != lower && word != strings.ToUpper(word) && word != strings.ToUpper(lower[:1])+lower[1:] {
		return false, false
	}
	switch lower {
	case "true", "yes", "on", "y":
		return true, true
	case "false", "no", "off", "n":
		return false, true
	}
	return false, false
}

// Uint returns a whole number in plain decimal digits, at most limit. ok is false for any
// other value, such as one in quotes or with a leading zero, which is octal in YAML 1.1.
func (n *Node) Uint(limit uint64) (v uint64, ok bool) {
	if !n.IsText() || n.Quoted {
		return 0, false
	}
	return ParseUint(n.Value, limit)
}

// ParseUint returns a whole number in plain decimal digits without leading zeros, at most
// limit.
func ParseUint(s string, limit uint64) (v uint64, ok bool) {
	v, err := strconv.ParseUint(s, 10, 64)
	if err != nil || v > limit || strconv.FormatUint(v, 10) != s {
		return 0, false
	}
	return v, true
}

// maxSummary is the length of the text of a source, in bytes. It is that of a long line.
const maxSummary = 200

// Source returns the node as a declaration.
func (n *Node) Source() declared.Source {
	return declared.Source{File: n.file, Position: n.At, Text: n.summary()}
}

// Source returns the entry as a declaration: the text has the key, and the position is
// that of a scalar value, or else of the key.
func (e Entry) Source() declared.Source {
	at := e.KeyAt
	if e.Value.IsText() {
		at = e.Value.At
	}
	return declared.Source{File: e.Value.file, Position: at, Text: cut(strings.TrimRight(e.Key+": "+e.Value.summary(), " "))}
}

// KeySource returns the entry as a declaration at the position of its key.
func (e Entry) KeySource() declared.Source {
	s := e.Source()
	s.Position = e.KeyAt
	return s
}

// summary returns the value on one line, "" for a mapping or a list of other values than
// scalars.
func (n *Node) summary() string {
	switch {
	case n.Kind == Scalar:
		return cut(n.Value)
	case n.Kind == List && len(n.Items) > 0 && !slices.ContainsFunc(n.Items, func(i *Node) bool { return i.Kind != Scalar }):
		var b strings.Builder
		for k, i := range n.Items {
			if k > 0 {
				b.WriteString(", ")
			}
			b.WriteString(cut(i.Value))
			if b.Len() > maxSummary {
				break
			}
		}
		return cut("[" + b.String() + "]")
	}
	return ""
}

// cut limits the length of a text.
func cut(s string) string {
	if len(s) > maxSummary {
		return strings.ToValidUTF8(s[:maxSummary], "")
	}
	return s
}
