package policy

import (
	"encoding/json"
	"strings"

	"gopkg.in/yaml.v3"
)

// checkSchema is the second look at a profile that has no mistakes.
func (r *reader) checkSchema(root *yaml.Node) {
	if err := r.validate(tree(root)); err != nil {
		r.sayBug("the reader accepts the profile and the schema does not: %v", err)
	}
}

// sayBug reports what cannot happen. No file may bring it about.
func (r *reader) sayBug(format string, args ...any) {
	r.say(start, internalError, "this is a mistake in caprun and not in the profile: please report it, with the file", format, args...)
}

// tree returns what the schema looks at, for a profile without mistakes.
func tree(n *yaml.Node) any {
	switch {
	case n.Kind == yaml.MappingNode:
		m := make(map[string]any, len(n.Content)/2)
		for i := 0; i+1 < len(n.Content); i += 2 {
			m[n.Content[i].Value] = tree(n.Content[i+1])
		}
		return m
	case n.Kind == yaml.SequenceNode:
		items := make([]any, 0, len(n.Content))
		for _, item := range n.Content {
			items = append(items, tree(item))
		}
		return items
	case isPlain(n) && n.Tag == "!!int":
		return json.Number(n.Value)
	case isPlain(n) && n.Tag == "!!bool":
		return strings.EqualFold(n.Value, "true")
	}
	return n.Value
}
