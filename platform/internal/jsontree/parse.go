package jsontree

import (
	"bytes"
	"fmt"
	"strings"
	"unicode/utf8"

	"caprun/policy"
)

const (
	// A config.json has nine levels.
	maxDepth = 64

	// A config.json with a seccomp profile has about two thousand values.
	maxNodes = 1 << 16

	// Up to this number of members, keys are compared with each other; above, a map
	// finds two equal ones.
	fewMembers = 16
)

// An Error says why a text is not JSON, or exceeds a limit.
type Error struct {
	policy.Position
	Message string // begins with the noun, without a final period
	Hint    string // what to do; can be empty
}

// Error returns the position and the message.
func (e *Error) Error() string { return e.Position.String() + ": " + e.Message }

// Parse reads a text that is one JSON value. The caller limits its length. Parse refuses what
// readers of JSON interpret differently: two equal keys in an object, text after the value,
// invalid UTF-8, and an escape that is half of a surrogate pair. It has limits for the depth
// and for the number of values.
func Parse(text []byte) (*Node, error) {
	p := &parser{text: text, mark: mark{line: 1, column: 1}}
	p.space()
	n := p.value(0)
	if p.err == nil {
		if p.space(); p.offset < len(text) {
			p.fail(p.offset, "text after the value", "remove it: some container runtimes ignore it, and others refuse the file")
		}
	}
	if p.err != nil {
		return nil, p.err
	}
	return n, nil
}

// parser reads a text from the beginning to the end. After an error it reads nothing.
type parser struct {
	text   []byte
	offset int
	nodes  int
	mark   mark
	err    *Error
}

// mark is a place whose line and column are known: columns are counted once.
type mark struct{ offset, line, column int }

// place returns the line and column of an offset that is not before the last one asked for.
func (p *parser) place(offset int) (line, column int) {
	m := &p.mark
	for m.offset < offset {
		if p.text[m.offset] == '\n' {
			m.offset, m.line, m.column = m.offset+1, m.line+1, 1
			continue
		}
		_, size := utf8.DecodeRune(p.text[m.offset:])
		m.offset, m.column = m.offset+size, m.column+1
	}
	return m.line, m.column
}

// begin returns a position that begins at an offset.
func (p *parser) begin(offset int) policy.Position {
	line, column := p.place(offset)
	return policy.Position{Line: line, Column: column}
}

// end sets the end of a position to the current offset.
func (p *parser) end(at *policy.Position) { at.EndLine, at.EndColumn = p.place(p.offset) }

// fail records the first error. The offset is not before the last place.
func (p *parser) fail(offset int, message, hint string) {
	if p.err == nil {
		p.failAt(p.begin(offset), message, hint)
	}
	p.offset = len(p.text)
}

func (p *parser) failAt(at policy.Position, message, hint string) {
	if p.err != nil {
		return
	}
	if at.EndLine == 0 {
		at.EndLine, at.EndColumn = at.Line, at.Column+1
	}
	p.err = &Error{at, message, hint}
}

// space skips white space.
func (p *parser) space() {
	for p.offset < len(p.text) && strings.IndexByte(" \t\r\n", p.text[p.offset]) >= 0 {
		p.offset++
	}
}

// peek returns the next byte, 0 at the end. No token begins with a zero byte.
func (p *parser) peek() byte {
	if p.err != nil || p.offset >= len(p.text) {
		return 0
	}
	return p.text[p.offset]
}

// unexpected records an error about the next character.
func (p *parser) unexpected(want string) {
	const comment = "remove comments: JSON has none"
	switch c := p.peek(); {
	case c == 0 && p.offset >= len(p.text):
		p.fail(p.offset, "end of the file instead of "+want, "")
	case c == '/' || c == '#':
		p.fail(p.offset, fmt.Sprintf("invalid character %q instead of %s", c, want), comment)
	default:
		r, _ := utf8.DecodeRune(p.text[p.offset:])
		p.fail(p.offset, fmt.Sprintf("invalid character %+q instead of %s", r, want), "")
	}
}

// value reads a value, which begins at the current offset.
func (p *parser) value(depth int) *Node {
	n := &Node{Position: p.begin(min(p.offset, len(p.text)))}
	if p.nodes++; p.nodes > maxNodes {
		p.fail(p.offset, fmt.Sprintf("file has more than %d values", maxNodes), "")
		return n
	}
	if depth > maxDepth {
		p.fail(p.offset, fmt.Sprintf("value has more than %d levels", maxDepth), "")
		return n
	}
	switch c := p.peek(); {
	case c == '{':
		n.Kind = Object
		p.object(n, depth)
	case c == '[':
		n.Kind = Array
		p.array(n, depth)
	case c == '"':
		n.Kind, n.Text = String, p.string()
	case c == '-' || '0' <= c && c <= '9':
		n.Kind, n.Text = Number, p.number()
	default:
		p.literal(n)
	}
	if p.err == nil {
		p.end(&n.Position)
	}
	return n
}

func (p *parser) literal(n *Node) {
	for _, l := range [...]struct {
		text string
		kind Kind
	}{{"true", Bool}, {"false", Bool}, {"null", Null}} {
		if p.err == nil && bytes.HasPrefix(p.text[p.offset:], []byte(l.text)) {
			n.Kind, n.Text = l.kind, l.text
			p.offset += len(l.text)
			return
		}
	}
	p.unexpected("a value")
}

// object reads an object from its bracket on.
func (p *parser) object(n *Node, depth int) {
	p.offset++
	p.space()
	var seen map[string]bool
	for p.peek() != '}' {
		if p.peek() != '"' {
			p.unexpected("a key")
			return
		}
		m := Member{At: p.begin(p.offset)}
		m.Key = p.string()
		if p.err != nil {
			return
		}
		p.end(&m.At)
		if len(n.Members) == fewMembers {
			seen = make(map[string]bool)
			for _, other := range n.Members {
				seen[other.Key] = true
			}
		}
		if seen[m.Key] || seen == nil && n.has(m.Key) {
			p.failAt(m.At, fmt.Sprintf("key %s is repeated", quote(m.Key)), "remove one: some container runtimes read the first, and others the last")
			return
		}
		if seen != nil {
			seen[m.Key] = true
		}
		if p.space(); p.peek() != ':' {
			p.unexpected("a colon")
			return
		}
		p.offset++
		p.space()
		m.Value = p.value(depth + 1)
		if p.err != nil {
			return
		}
		n.Members = append(n.Members, m)
		if !p.next('}') {
			return
		}
	}
	p.offset++
}

// has reports whether an object has a key.
func (n *Node) has(key string) bool {
	for _, m := range n.Members {
		if m.Key == key {
			return true
		}
	}
	return false
}

// array reads an array from its bracket on.
func (p *parser) array(n *Node, depth int) {
	p.offset++
	p.space()
	for p.peek() != ']' {
		item := p.value(depth + 1)
		if p.err != nil {
			return
		}
		n.Items = append(n.Items, item)
		if !p.next(']') {
			return
		}
	}
	p.offset++
}

// next skips a comma. It returns false if neither a comma nor the closing bracket follows,
// or if the bracket follows the comma.
func (p *parser) next(closing byte) bool {
	p.space()
	switch p.peek() {
	case closing:
		return true
	case ',':
		p.offset++
		if p.space(); p.peek() == closing {
			p.fail(p.offset, "comma before the closing bracket", "remove the comma")
			return false
		}
		return true
	}
	p.unexpected("a comma or " + string(closing))
	return false
}

// number reads a number in the grammar of RFC 8259.
func (p *parser) number() string {
	from := p.offset
	if p.peek() == '-' {
		p.offset++
	}
	if p.peek() == '0' {
		p.offset++
	} else if !p.digits() {
		return ""
	}
	if p.peek() == '.' {
		if p.offset++; !p.digits() {
			return ""
		}
	}
	if c := p.peek(); c == 'e' || c == 'E' {
		p.offset++
		if c := p.peek(); c == '+' || c == '-' {
			p.offset++
		}
		if !p.digits() {
			return ""
		}
	}
	return string(p.text[from:p.offset])
}

func (p *parser) digits() bool {
	from := p.offset
	for c := p.peek(); '0' <= c && c <= '9'; c = p.peek() {
		p.offset++
	}
	if p.offset == from {
		p.unexpected("a digit")
		return false
	}
	return true
}

// quote returns a key for a message: bounded, in double quotes, as ASCII.
func quote(key string) string {
	const longest = 64
	if len(key) > longest {
		key = strings.ToValidUTF8(key[:longest], "") + "..."
	}
	return fmt.Sprintf("%+q", key)
}
