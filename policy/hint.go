package policy

import (
	"strings"
	"unicode"

	"gopkg.in/yaml.v3"
)

// A hint shows YAML that can be copied into the file: a hint that is followed literally
// must not lead to another error. If the intended value is not certain, the hint shows
// an example or no value.

// maxShown is how long a value in a hint may be. A hint that is cut off cannot
// be followed.
const maxShown = 200

// inYAML returns a string as a scalar that every YAML reader takes for it, in
// a block. It is empty for a string that a message cannot show.
func inYAML(s string) string {
	if isPlainText(s, ",") {
		return s
	}
	return inQuotes(s)
}

// inList is inYAML for an item of a list in brackets.
func inList(s string) string {
	if isPlainText(s, "") {
		return s
	}
	return inQuotes(s)
}

// inQuotes returns a string in double quotes, or "" if a message cannot show it.
func inQuotes(s string) string {
	shown := func(c rune) bool { return unicode.IsPrint(c) && forbidden(c) == "" }
	if len(s) > maxShown || strings.ContainsFunc(s, func(c rune) bool { return !shown(c) }) {
		return ""
	}
	return `"` + strings.NewReplacer(`\`, `\\`, `"`, `\"`).Replace(s) + `"`
}

// isPlainText reports whether a string needs no quotes. It may have letters, digits, the
// other characters of paths, options and capability texts, and more.
func isPlainText(s, more string) bool {
	const inside = "/._=+-^%@:"
	if s == "" || len(s) > maxShown || strings.ContainsAny(s[:1], "=%@:+") || strings.HasSuffix(s, ":") || strings.Trim(s, "-") == "" {
		return false
	}
	for i := range len(s) {
		if !isAlphanumeric(s[i]) && strings.IndexByte(inside+more, s[i]) < 0 {
			return false
		}
	}
	var document yaml.Node
	if yaml.Unmarshal([]byte(s), &document) != nil || len(document.Content) != 1 {
		return false
	}
	n := document.Content[0]
	return n.Tag == "!!str" && n.Value == s && !isAmbiguous(n) && !looksNumeric(n)
}

// inBrackets returns scalars as a list, or "" if one of them is empty or the
// list is too long for a hint.
func inBrackets(scalars []string) string {
	total := 0
	for _, s := range scalars {
		if total += len(s); s == "" || total > maxShown {
			return ""
		}
	}
	return "[" + strings.Join(scalars, ", ") + "]"
}

// write is the hint to write a value. Without one it is the other hint.
func write(value, otherwise string) string {
	if value == "" || len(value) > maxShown {
		return otherwise
	}
	return "write " + value
}

// wordsOf returns the words of a text that should be a list.
func wordsOf(text, separators string) []string {
	return strings.FieldsFunc(text, func(c rune) bool { return unicode.IsSpace(c) || strings.ContainsRune(separators, c) })
}

// scalarsOf returns the values of a scalar, or those of a list of scalars.
func scalarsOf(n *yaml.Node) []string {
	nodes := n.Content
	switch n.Kind {
	case yaml.ScalarNode:
		nodes = []*yaml.Node{n}
	case yaml.MappingNode:
		return nil
	}
	values := make([]string, 0, len(nodes))
	for _, item := range nodes {
		if !isScalar(item) || isNull(item) {
			return nil
		}
		values = append(values, item.Value)
	}
	return values
}

// fixAll returns what fix makes of each text.
func fixAll(texts []string, fix func(string) string) []string {
	fixed := make([]string, len(texts))
	for i, s := range texts {
		fixed[i] = fix(s)
	}
	return fixed
}
