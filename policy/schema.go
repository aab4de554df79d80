package policy

import (
	"encoding/json"
	"strings"

	"caprun/schema"

	"gopkg.in/yaml.v3"
)

// validateSchema returns the error of the schema for a document that the reader
// accepted.
func validateSchema(root *yaml.Node) error { return schema.Validate(tree(root)) }

// tree returns a profile without errors as the schema takes it.
func tree(n *yaml.Node) any {
	switch {
	case n.Kind == yaml.MappingNode:
		m := make(map[string]any, len(n.Content)/2)
		for i := 0; i+1 < len(n.Content); i += pair {
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
