package policy

import (
	"slices"

	"gopkg.in/yaml.v3"
)

// A listKind is what a key takes whose value is a list.
type listKind struct {
	what       string
	limit      int    // of items
	separators string // between the words of a text, beside white space

	// fix returns, as YAML, the item that was meant by a word; "" if that is
	// not certain.
	fix func(word string) string

	// valid reports whether the items can stand together; nil for all.
	valid func(items []string) bool

	hint string // where no list is certain
}

// hintFor is the hint for a value that is not a list.
func (k listKind) hintFor(n *yaml.Node) string { return write(k.meant(n), k.hint) }

// meant returns, as YAML, the list that was meant by a text; "" if that is not certain.
func (k listKind) meant(n *yaml.Node) string {
	if !isScalar(n) || k.fix == nil {
		return ""
	}
	var items []string
	for _, word := range wordsOf(n.Value, k.separators) {
		item := k.fix(word)
		if item == "" {
			return ""
		}
		if !slices.Contains(items, item) {
			items = append(items, item)
		}
	}
	if len(items) == 0 || k.valid != nil && !k.valid(items) {
		return ""
	}
	return inBrackets(items)
}

// items returns the nodes of a list. ok is false if the node is not a list, or
// one that is too long.
func (r *reader) items(n *yaml.Node, k listKind) (items []*yaml.Node, ok bool) {
	if n.Kind != yaml.SequenceNode {
		r.reportAt(n, badType, k.hintFor(n), "%s must be a list, not %s", k.what, kindOf(n))
		return nil, false
	}
	if len(n.Content) > k.limit {
		r.reportAt(n.Content[k.limit], tooLong, "", "%s has %d items; the limit is %d", k.what, len(n.Content), k.limit)
		return nil, false
	}
	return n.Content, true
}

// A once reports what a list contains twice.
type once[T comparable] struct {
	reader *reader
	seen   map[T]bool
}

func newOnce[T comparable](r *reader) once[T] { return once[T]{r, map[T]bool{}} }

// first reports whether v occurs for the first time.
func (o once[T]) first(n *yaml.Node, v T, what string) bool {
	if o.seen[v] {
		o.reader.reportAt(n, duplicateItem, "remove it", "duplicate %s", what)
		return false
	}
	o.seen[v] = true
	return true
}
