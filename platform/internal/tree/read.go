package tree

import (
	"bytes"
	"fmt"
	"io"
	"strconv"
	"strings"

	"caprun/platform/declared"
	"caprun/policy"

	"gopkg.in/yaml.v3"
)

const (
	// MaxNodes is the largest number of nodes of all documents. A manifest with 1 MiB
	// of the usual keys has 70000.
	MaxNodes = 1 << 18

	// maxDepth is the largest depth. Schemas inside of manifests have about 40 levels.
	maxDepth = 128

	// maxDocuments is the largest number of documents, most of them empty.
	maxDocuments = 4096
)

// Read returns the roots of the documents of a file, without empty documents. If the file
// cannot be read, it returns no documents and the reasons.
func Read(f declared.File) (documents []*Node, found []policy.Diagnostic) {
	return readFile(f, false)
}

func readFile(f declared.File, compose bool) (documents []*Node, found []policy.Diagnostic) {
	r := reader{file: f, compose: compose, entries: map[*yaml.Node]*Node{}}
	if err := f.Check(); err != nil {
		r.report(policy.Position{Line: 1, Column: 1, EndLine: 1, EndColumn: 1}, "split the file", "%v", err)
		return nil, r.found
	}
	text := trimBOM(f.Text)
	r.index = newIndex(text)
	if at, what := check(text); what != "" {
		r.report(r.span(at, at+1), "remove it, and save the file as UTF-8", "%s", what)
		return nil, r.found
	}
	d := yaml.NewDecoder(bytes.NewReader(text))
	for number := 0; ; number++ {
		var n yaml.Node
		err := decode(d, &n)
		if err == io.EOF {
			break
		}
		if err == nil && number == maxDocuments {
			err = fmt.Errorf("yaml: line %d: the file has more than %d documents", n.Line, maxDocuments)
		}
		if err != nil {
			r.reportSyntax(err)
			break
		}
		if root := r.convert(n.Content[0], 1); root != nil && !root.Null && !root.reset {
			documents = append(documents, root)
		}
		if r.failed {
			break
		}
	}
	if len(r.found) > 0 {
		return nil, r.found
	}
	return documents, nil
}

// decode decodes a document. yaml.v3 panics for some texts.
func decode(d *yaml.Decoder, n *yaml.Node) (err error) {
	defer func() {
		if p := recover(); p != nil {
			err = fmt.Errorf("yaml: line 1: the parser panicked: %v", p)
		}
	}()
	if err := d.Decode(n); err != nil {
		return err
	}
	if n.Kind != yaml.DocumentNode || len(n.Content) != 1 {
		return io.EOF
	}
	return nil
}

type reader struct {
	*index
	file    declared.File
	compose bool // see ReadCompose
	found   []policy.Diagnostic
	entries map[*yaml.Node]*Node // of anchors; nil while the node is being read
	size    int                  // of the nodes so far
	failed  bool                 // the file is too large

	overrides int // values with the tag !override around the node
}

// maxFound is the largest number of reports about one file.
const maxFound = 64

func (r *reader) report(at policy.Position, hint, format string, args ...any) {
	if len(r.found) < maxFound {
		r.found = append(r.found, declared.Syntax.Diagnostic(declared.Source{File: r.file.Name, Position: at}, hint, fmt.Sprintf(format, args...)))
	}
}

// reportSyntax reports an error of yaml.v3, which names a line and no column.
func (r *reader) reportSyntax(err error) {
	problem, line := strings.TrimPrefix(err.Error(), "yaml: "), 1
	if rest, ok := strings.CutPrefix(problem, "line "); ok {
		if number, after, ok := strings.Cut(rest, ": "); ok {
			if n, err := strconv.Atoi(number); err == nil {
				problem, line = after, n
			}
		}
	}
	from := r.offset(line, 1)
	to := r.lineEnd(from)
	r.report(r.span(from, to), r.syntaxHint(""), "invalid YAML: %s", problem)
}

// syntaxHint returns the hint for a file that looks like a template of Helm or Jinja, or
// else another hint.
func (r *reader) syntaxHint(other string) string {
	if bytes.Contains(r.text, []byte("{{")) || bytes.Contains(r.text, []byte("{%")) {
		return "render the template, for example with helm template, and read its output"
	}
	return other
}

// convert returns a node with its content. It is nil for what cannot be read, which it
// reports.
func (r *reader) convert(y *yaml.Node, depth int) *Node {
	if r.failed {
		return nil
	}
	from := r.offset(y.Line, y.Column)
	if depth > maxDepth {
		r.failed = true
		r.report(r.span(from, from), "", "the file has more than %d levels", maxDepth)
		return nil
	}
	if y.Kind == yaml.AliasNode {
		return r.alias(y, from)
	}
	n := &Node{file: r.file.Name, size: 1}
	if y.Anchor != "" {
		r.entries[y] = nil
	}
	if !r.count(1, from) {
		return nil
	}
	to := from
	override := y.Style&yaml.TaggedStyle != 0 && y.Tag == tagOverride
	if override {
		r.overrides++
	}
	switch y.Kind {
	case yaml.MappingNode:
		n.Kind = Mapping
		to = r.mapping(n, y, depth)
	case yaml.SequenceNode:
		n.Kind = List
		for _, c := range y.Content {
			item := r.convert(c, depth+1)
			if item == nil {
				continue
			}
			if !item.reset {
				n.Items = append(n.Items, item)
				n.size += item.size
			}
			if c.Kind != yaml.AliasNode {
				to = r.offset(item.At.EndLine, item.At.EndColumn)
			} else {
				to = r.wordEnd(r.offset(c.Line, c.Column))
			}
		}
	default:
		n.Value, n.Quoted = y.Value, y.Style&^yaml.TaggedStyle != 0 || y.Tag == "!!str" && y.Style&yaml.TaggedStyle != 0
		n.Tag, n.Null = y.Tag, y.Tag == "!!null"
		to = r.scalarEnd(from, y)
	}
	if override {
		r.overrides--
	}
	r.tag(n, y, from)
	if y.Style&yaml.FlowStyle != 0 {
		to = r.closing(max(from+1, to))
	}
	n.At = r.span(from, max(from, to))
	if y.Anchor != "" {
		r.entries[y] = n
	}
	return n
}

// count adds nodes to the size of the file, and reports a file that is too large.
func (r *reader) count(nodes, at int) bool {
	if r.size += nodes; r.size <= MaxNodes {
		return true
	}
	if !r.failed {
		r.report(r.span(at, at), "split the file", "the file has more than %d values, aliases included", MaxNodes)
	}
	r.failed = true
	return false
}

// alias returns the node of an alias.
func (r *reader) alias(y *yaml.Node, from int) *Node {
	n, ok := r.entries[y.Alias]
	if !ok || n == nil {
		r.report(r.span(from, r.wordEnd(from)), "", "the alias *%s is inside of its own anchor", y.Value)
		return nil
	}
	if !r.count(n.size, from) {
		return nil
	}
	if n.reset && r.overrides > 0 {
		r.report(r.span(from, r.wordEnd(from)), "remove the tag", "the tag %s is inside of %s", tagReset, tagOverride)
	}
	return n
}

// mapping reads the entries of a mapping, and returns where its text ends.
func (r *reader) mapping(n *Node, y *yaml.Node, depth int) (to int) {
	seen := map[string]int{} // the line of each key
	var merged []*Node
	mergeAt, explicit := policy.Position{}, 0 // of the merge key, and the entries before it
	absent := map[string]bool{}               // by the tag !reset
	for i := 0; i+1 < len(y.Content); i += 2 {
		k, v := y.Content[i], y.Content[i+1]
		at := r.offset(k.Line, k.Column)
		keyAt := r.span(at, r.scalarEnd(at, k))
		value := r.convert(v, depth+1)
		to = r.offset(v.Line, v.Column)
		if value != nil {
			n.size += value.size + 1
			if v.Kind != yaml.AliasNode {
				to = r.offset(value.At.EndLine, value.At.EndColumn)
			}
		}
		if v.Kind == yaml.AliasNode {
			to = r.wordEnd(to)
		}
		if tag := r.explicitTag(k, at); k.Kind == yaml.ScalarNode && tag != "" && tag != "!!str" {
			r.report(keyAt, "remove the tag", "the key has the tag %s, and is not a text", cut(tag))
		}
		if k.Kind == yaml.AliasNode && k.Alias != nil && k.Alias.Kind == yaml.ScalarNode {
			k = k.Alias
			switch {
			case k.Tag == "!!merge":
				r.report(keyAt, "write <<", "an alias is not a merge key")
			case k.Style&yaml.TaggedStyle != 0 && k.Tag != "!!str":
				r.report(keyAt, "remove the tag", "the key has the tag %s, and is not a text", cut(k.Tag))
			}
		}
		switch {
		case k.Kind != yaml.ScalarNode:
			r.report(keyAt, r.syntaxHint("write a text as the key"), "a key is not a text")
		case k.Tag == "!!merge" && mergeAt.IsKnown():
			r.report(keyAt, "write <<: [ONE, OTHER]", "the key \"<<\" is on line %d, too", mergeAt.Line)
		case k.Tag == "!!merge":
			mergeAt, explicit = keyAt, len(n.Entries)
			merged = append(merged, r.merges(value, keyAt)...)
		case seen[k.Value] > 0:
			r.report(keyAt, "remove one of the two", "the key %q is on line %d, too", cut(k.Value), seen[k.Value])
		case value != nil && value.reset:
			absent[k.Value] = true
		case value != nil && r.count(1, at):
			n.Entries = append(n.Entries, Entry{k.Value, keyAt, value})
		}
		if k.Kind == yaml.ScalarNode && k.Tag != "!!merge" && seen[k.Value] == 0 {
			seen[k.Value] = max(keyAt.Line, 1)
		}
	}
	early := map[string]bool{}
	if len(merged) > 0 && !r.compose {
		for _, e := range n.Entries[:explicit] {
			early[e.Key] = true
		}
	}
	for _, m := range merged {
		if !r.count(len(m.Entries), r.offset(n.At.Line, n.At.Column)) {
			return to
		}
		for _, e := range m.Entries {
			if early[e.Key] {
				r.report(mergeAt, "write << first", "the key %q is before the merge key <<, which replaces it for Kubernetes alone", cut(e.Key))
			}
			if absent[e.Key] {
				// The merged value counts for Docker, although the key is to be absent.
				r.report(mergeAt, "remove one of the two", "the key %q has the tag %s, and a value of a merge key", cut(e.Key), tagReset)
			}
			if seen[e.Key] == 0 {
				seen[e.Key] = max(e.KeyAt.Line, 1)
				n.Entries = append(n.Entries, e)
				n.size += e.Value.size + 1
			}
		}
	}
	return to
}

// merges returns the mappings that are the value of a merge key.
func (r *reader) merges(value *Node, at policy.Position) []*Node {
	switch {
	case value == nil:
		return nil
	case value.reset:
		r.report(at, "remove both", "the merge key << has a value with the tag %s", tagReset)
		return nil
	case value.Kind == Mapping:
		return []*Node{value}
	case value.Kind == List:
		for _, item := range value.Items {
			if item.Kind != Mapping {
				r.report(at, "", "the merge key << needs mappings")
				return nil
			}
		}
		return value.Items
	}
	r.report(at, "", "the merge key << needs a mapping")
	return nil
}

// wordEnd returns the next white space or bracket.
func (x *index) wordEnd(from int) int {
	for at := from; at < len(x.text); at++ {
		if strings.IndexByte(" \t\r\n,]}", x.text[at]) >= 0 {
			return at
		}
	}
	return len(x.text)
}

// closing returns where the next closing bracket ends, or from if there is none.
func (x *index) closing(from int) int {
	for at := from; at < len(x.text); at++ {
		switch x.text[at] {
		case ' ', '\t', '\r', '\n', ',':
		case ']', '}':
			return at + 1
		case '#':
			end := bytes.IndexByte(x.text[at:], '\n')
			if end < 0 {
				return from
			}
			at += end
		default:
			return from
		}
	}
	return from
}
