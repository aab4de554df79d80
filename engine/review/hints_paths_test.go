package review

import (
	"regexp"
	"slices"
	"strconv"
	"strings"

	"gopkg.in/yaml.v3"
)

var (
	addTo      = regexp.MustCompile(`^add (.+) to ([a-z_.]+)$`)
	removeFrom = regexp.MustCompile(`^remove (\S+) from ([a-z_.]+)$`)
	setTo      = regexp.MustCompile(`^set ([a-z_.]+) to (\[.*\])$`)
)

// changeAt follows a hint about a key with its path, such as env.keep.
func (e *editor) changeAt(words string) bool {
	if m := setTo.FindStringSubmatch(words); m != nil {
		return e.set(strings.Split(m[1], "."), m[2])
	}
	if m := addTo.FindStringSubmatch(words); m != nil {
		path := strings.Split(m[2], ".")
		items := strings.Split(m[1], ",")
		open, end := "[", "]"
		if strings.Contains(m[1], ": ") {
			items, open, end = strings.Split(strings.ReplaceAll(splitAtCommas(m[1]), " and ", "\n"), "\n"), "{", "}"
		}
		if n := e.node(path); n != nil && len(n.Content) > 0 {
			return e.insert(n, items)
		}
		return e.set(path, open+strings.Join(items, ", ")+end)
	}
	if m := removeFrom.FindStringSubmatch(words); m != nil {
		return e.removeItems(strings.Split(m[2], "."), strings.Split(m[1], ","))
	}
	return false
}

// splitAtCommas replaces each comma outside brackets with a line break.
func splitAtCommas(text string) string {
	lines := []byte(text)
	for n := range outside(text) {
		if text[n] == ',' {
			lines[n] = '\n'
		}
	}
	return strings.ReplaceAll(string(lines), "\n ", "\n")
}

// node returns the value at a path, or nil.
func (e *editor) node(path []string) *yaml.Node {
	n := e.root
	for _, key := range path {
		i := keyIndex(n, key)
		if i < 0 {
			return nil
		}
		n = n.Content[i+1]
	}
	return n
}

// set sets the value at a path, and adds the keys that are missing.
func (e *editor) set(path []string, value string) bool {
	last := len(path) - 1
	holder := e.node(path[:last])
	switch {
	case holder == nil:
		return e.set(path[:last], "{"+path[last]+": "+value+"}")
	case holder.Kind != yaml.MappingNode:
		return false
	case keyIndex(holder, path[last]) < 0:
		return e.insert(holder, []string{path[last] + ": " + value})
	}
	begin, end := entrySpan(e.text, holder, keyIndex(holder, path[last]))
	return e.splice(begin, end, path[last]+": "+value)
}

// removeItems removes items of the list at a path, or keys of the mapping.
func (e *editor) removeItems(path, items []string) bool {
	for _, item := range items {
		if name, err := strconv.Unquote(item); err == nil {
			item = name
		}
		e.parse()
		holder := e.node(path)
		if holder == nil {
			return false
		}
		i := slices.IndexFunc(holder.Content, func(n *yaml.Node) bool { return n.Value == item })
		if i < 0 || !e.removeAt(holder, i) {
			return false
		}
	}
	return true
}
