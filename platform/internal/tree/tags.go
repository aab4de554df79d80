package tree

import (
	"bytes"
	"strings"

	"caprun/platform/declared"
	"caprun/policy"

	"gopkg.in/yaml.v3"
)

// ReadCompose is Read for a Compose file. A value with the tag !reset is absent, and so is
// its key. One with the tag !override is as without it; a scalar is then a text.
func ReadCompose(f declared.File) (documents []*Node, found []policy.Diagnostic) {
	return readFile(f, true)
}

// The tags of Compose.
const (
	tagReset    = "!reset"
	tagOverride = "!override"
)

// explicitTag returns the tag that the text has for a node, "" if there is none. yaml.v3
// drops the tag "!", which makes some readers take a text in quotes for a number.
func (r *reader) explicitTag(y *yaml.Node, from int) string {
	if y.Style&yaml.TaggedStyle != 0 {
		return y.Tag
	}
	if y.Kind != yaml.ScalarNode {
		return ""
	}
	text := r.text[min(from, len(r.text)):]
	if y.Anchor != "" {
		text = text[min(len("&")+len(y.Anchor), len(text)):]
		for len(text) > 0 && strings.IndexByte(" \t\r\n#", text[0]) >= 0 {
			size := 1
			if text[0] == '#' {
				size = max(1, bytes.IndexByte(text, '\n'))
			}
			text = text[size:]
		}
	}
	if bytes.HasPrefix(text, []byte("!")) {
		return "!"
	}
	return ""
}

// tag takes an explicit tag into account. It reports one that readers can understand
// differently: another than that of the value.
func (r *reader) tag(n *Node, y *yaml.Node, from int) {
	tag := r.explicitTag(y, from)
	if tag == "" {
		return
	}
	valid := false
	switch tag {
	case tagReset:
		n.reset, valid = true, r.compose && r.overrides == 0
	case tagOverride:
		n.Quoted, n.Tag, n.Null = n.Kind == Scalar, "!!str", false
		valid = r.compose && r.overrides == 0
	case "!!map":
		valid = n.Kind == Mapping
	case "!!seq":
		valid = n.Kind == List
	case "!!str":
		valid = n.Kind == Scalar
	default:
		n.Quoted = false
		valid = n.Kind == Scalar && isOf(n, tag)
	}
	if !valid {
		r.report(r.span(from, r.wordEnd(from)), "remove the tag", "the tag %s is unknown here, or is for another kind of value", cut(tag))
	}
}

// isOf reports whether a scalar has a value of the type that a tag names.
func isOf(n *Node, tag string) bool {
	switch tag {
	case "!!bool":
		_, ok := ParseBool(n.Value)
		return ok
	case "!!int":
		_, ok := parseInt(n.Value)
		return ok
	case "!!float":
		_, ok := parseInt(n.Value)
		return ok || isFloat(n.Value)
	case "!!null":
		switch n.Value {
		case "", "~", "null", "Null", "NULL":
			return true
		}
	}
	return false
}
