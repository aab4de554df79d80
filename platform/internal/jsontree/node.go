package jsontree

import "caprun/policy"

// Kind is the type of a value.
type Kind int

// The types of JSON.
const (
	Null Kind = iota
	Bool
	Number
	String
	Array
	Object
)

var kindNames = [...]string{"null", "a boolean", "a number", "a string", "an array", "an object"}

// String returns the type with its article, such as "a string".
func (k Kind) String() string { return kindNames[k] }

// A Node is a value, with its position in the text.
type Node struct {
	policy.Position
	Kind Kind

	// Text is the value of a string, the literal of a number, or "true", "false" or
	// "null".
	Text string

	Items   []*Node  // of an array
	Members []Member // of an object, in their order; no two have the same key
}

// A Member is a key of an object and its value.
type Member struct {
	Key   string
	At    policy.Position // of the key, with its quotes
	Value *Node
}

// Member returns the member with a key. A member whose value is null counts as absent:
// container runtimes read null as the zero value.
func (n *Node) Member(key string) (m Member, ok bool) {
	if n == nil {
		return Member{}, false
	}
	for _, m := range n.Members {
		if m.Key == key && m.Value.Kind != Null {
			return m, true
		}
	}
	return Member{}, false
}
