package policy

import (
	"bytes"
	"fmt"
	"io"
	"strings"

	"gopkg.in/yaml.v3"
)

// parseYAML returns the root of the first document, or nil if there is none. It
// reports a second document.
func (r *reader) parseYAML() *yaml.Node {
	text := r.maskDirectives(r.source.text)
	first, second, err := decode(text)
	if err != nil {
		r.reportSyntax(text, err)
	}
	if second != nil {
		at := r.source.offset(second.Line, second.Column)
		r.report(r.source.span(at, r.source.wordEnd(at)), manyDocuments, "put each profile in its own file", "a second document begins here")
	}
	if first == nil {
		if err == nil {
			r.reportEmpty()
		}
		return nil
	}
	root := first.Content[0]
	if isNull(root) && root.Value == "" && root.Anchor == "" {
		r.reportEmpty()
		return nil
	}
	return root
}

func (r *reader) reportEmpty() {
	r.report(start, emptyFile, "write version: 1 and caps; caprun profiles prints examples", "file contains no profile")
}

// decode parses up to two documents. It returns an error with the documents
// before it.
func decode(text []byte) (first, second *yaml.Node, err error) {
	err = recovered(func() error {
		d := yaml.NewDecoder(bytes.NewReader(text))
		for _, document := range [...]**yaml.Node{&first, &second} {
			var n yaml.Node
			if err := d.Decode(&n); err != nil {
				return err
			}
			*document = &n
		}
		return nil
	})
	if err == io.EOF {
		err = nil
	}
	return first, second, err
}

// recovered returns the error of parse, and makes one of a panic: yaml.v3 panics
// for some texts.
func recovered(parse func() error) (err error) {
	defer func() {
		if p := recover(); p != nil {
			err = fmt.Errorf("the parser panicked: %v", p)
		}
	}()
	return parse()
}

// maskDirectives reports directives, which yaml.Nodes do not have, and returns
// the text with comments instead of them.
func (r *reader) maskDirectives(text []byte) []byte {
	masked := text
	for at := 0; at < len(text); {
		end := len(text)
		if n := bytes.IndexByte(text[at:], '\n'); n >= 0 {
			end = at + n
		}
		line := bytes.TrimSpace(text[at:end])
		switch {
		case text[at] == '%':
			if &masked[0] == &text[0] {
				masked = bytes.Clone(text)
			}
			masked[at] = '#'
			r.report(r.source.span(at, at+len(line)), yamlFeature, "remove the line", "directives are not allowed")
		case len(line) > 0 && line[0] != '#':
			return masked
		}
		at = end + 1
	}
	return masked
}

// isNull reports whether a node is a plain scalar that means null.
func isNull(n *yaml.Node) bool {
	return n.Kind == yaml.ScalarNode && n.Style == 0 && n.Tag == "!!null"
}

// checkTree reports the features of YAML that a profile may not use. It returns
// the number of nodes. ok is false if the tree is too large to be read.
func (r *reader) checkTree(root *yaml.Node) (nodes int, ok bool) {
	t := treeCheck{reader: r}
	t.check(root, 1)
	return t.nodes, !t.tooLarge
}

type treeCheck struct {
	*reader
	nodes    int
	tooLarge bool
}

func (t *treeCheck) check(n *yaml.Node, depth int) {
	if t.nodes++; t.nodes > maxNodes || depth > maxDepth {
		t.tooLarge = true
		if depth > maxDepth {
			t.reportAt(n, tooComplex, "a profile has five levels", "file has more than %d levels", maxDepth)
		} else {
			t.reportAt(n, tooComplex, "", "file has more than %d values", maxNodes)
		}
		return
	}
	at := t.source.offset(n.Line, n.Column)
	switch {
	case n.Kind == yaml.AliasNode:
		t.reportAt(n, yamlFeature, "write the value instead of the alias", "aliases are not allowed: *%s", n.Value)
		return
	case n.Anchor != "":
		t.report(t.source.span(at, t.source.wordEnd(at)), yamlFeature, "remove the anchor, and write the value instead of its aliases", "anchors are not allowed: &%s", n.Anchor)
	case t.tagged(n):
		t.report(t.source.span(at, t.source.wordEnd(at)), yamlFeature, t.tagHint(n, at), "tags are not allowed")
	}
	if n.Kind == yaml.ScalarNode {
		t.checkEscapes(n)
	}
	for i, child := range n.Content {
		if n.Kind == yaml.MappingNode && i%2 == 0 && child.Tag == "!!merge" {
			t.reportAt(child, yamlFeature, "write the keys instead of merging them", "merge keys are not allowed")
		}
		if t.check(child, depth+1); t.tooLarge {
			return
		}
	}
}

// tagHint is the hint for a tag: text that begins with an exclamation mark, as
// that of iab, is a tag without a value.
func (r *reader) tagHint(n *yaml.Node, at int) string {
	switch word := string(r.source.text[at:r.source.wordEnd(at)]); {
	case isScalar(n) && n.Value == "" && n.Style&^yaml.TaggedStyle == 0 && word != "!" && !strings.HasPrefix(word, "!!") && !strings.ContainsAny(word, ",]}"):
		return write(inQuotes(word), "put the text in quotes")
	case isScalar(n) && n.Tag == "!!str":
		return "remove the tag, and put the value in quotes"
	}
	return "remove the tag, or put text that begins with ! in quotes"
}

// tagged reports whether a node has a tag in the file, also the tag "!" that
// yaml.v3 drops.
func (r *reader) tagged(n *yaml.Node) bool {
	if n.Style&yaml.TaggedStyle != 0 {
		return true
	}
	if n.Kind == yaml.MappingNode && len(n.Content) > 0 && n.Line == n.Content[0].Line && n.Column == n.Content[0].Column {
		return false // the tag belongs to the first key
	}
	at := r.source.offset(n.Line, n.Column)
	return at < len(r.source.text) && r.source.text[at] == '!'
}

// opaque reports whether a node has a feature that checkTree has reported. Its
// value then means nothing.
func (r *reader) opaque(n *yaml.Node) bool {
	return n.Kind == yaml.AliasNode || n.Anchor != "" || r.tagged(n)
}

// kindOf names the type of a node.
func kindOf(n *yaml.Node) string {
	switch {
	case n.Kind == yaml.MappingNode:
		return "a mapping"
	case n.Kind == yaml.SequenceNode:
		return "a list"
	case n.Style != 0:
		return "text"
	}
	switch n.Tag {
	case "!!bool":
		return "true or false"
	case "!!int", "!!float":
		return "a number"
	case "!!timestamp":
		return "a date"
	case "!!null":
		return "null"
	}
	return "text"
}

// pair is the number of nodes of a key and its value in the content of a mapping.
const pair = 2

func isScalar(n *yaml.Node) bool { return n.Kind == yaml.ScalarNode }

func isPlain(n *yaml.Node) bool { return isScalar(n) && n.Style == 0 }

// isQuoted reports whether a scalar is in single or double quotes.
func isQuoted(n *yaml.Node) bool {
	return isScalar(n) && n.Style&(yaml.SingleQuotedStyle|yaml.DoubleQuotedStyle) != 0
}
