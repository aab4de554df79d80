package policy

import (
	"bytes"
	"sort"
	"strings"
	"unicode/utf8"

	"gopkg.in/yaml.v3"
)

// A source is the text of a file with an index from bytes to columns and back.
// With the index a file of one long line costs no more than others. The text is
// valid UTF-8, and its only line breaks are LF and CR LF.
type source struct {
	text    []byte
	lines   []int    // where each line begins
	columns []uint32 // for each byte, and the end: the column of its character; nil for a text in ASCII

	// For each byte, where its word ends; nil before wordEnd is called.
	wordEnds []int32
}

func newSource(text []byte) *source {
	s := &source{text: text, lines: make([]int, 1, 1+bytes.Count(text, []byte{'\n'}))}
	if isASCII(text) {
		for at := 0; ; at = s.lines[len(s.lines)-1] {
			end := bytes.IndexByte(text[at:], '\n')
			if end < 0 {
				return s
			}
			s.lines = append(s.lines, at+end+1)
		}
	}
	s.columns = make([]uint32, len(text)+1)
	column := uint32(1)
	for i, b := range text {
		if i > s.lines[len(s.lines)-1] && utf8.RuneStart(b) {
			column++
		}
		s.columns[i] = column
		if b == '\n' {
			s.lines = append(s.lines, i+1)
			column = 1
		}
	}
	if len(text) > s.lines[len(s.lines)-1] {
		column++
	}
	s.columns[len(text)] = column
	return s
}

func isASCII(text []byte) bool {
	for _, b := range text {
		if b >= utf8.RuneSelf {
			return false
		}
	}
	return true
}

// column returns the column of the character at a byte of a line.
func (s *source) column(line, at int) int {
	if s.columns == nil {
		return at - s.lines[line-1] + 1
	}
	return int(s.columns[at])
}

// offset returns the byte at which the line and the column of a yaml.Node are.
func (s *source) offset(line, column int) int {
	if line < 1 || line > len(s.lines) {
		return len(s.text)
	}
	from, to := s.lines[line-1], len(s.text)
	if line < len(s.lines) {
		to = s.lines[line] - 1
	}
	if s.columns == nil {
		return from + min(max(column-1, 0), to-from)
	}
	return from + sort.Search(to-from, func(i int) bool { return int(s.columns[from+i]) >= column })
}

// span returns the position of the text between two bytes.
func (s *source) span(from, to int) Position {
	from = min(max(from, 0), len(s.text))
	to = min(max(to, from), len(s.text))
	line := sort.SearchInts(s.lines, from+1)
	end := line
	if to > from {
		end = sort.SearchInts(s.lines, to+1)
	}
	return Position{line, s.column(line, from), end, s.column(end, to)}
}

// node returns the position of a node: with its quotes or brackets, and to the
// end of its last line where it has several.
func (s *source) node(n *yaml.Node) Position { return s.span(s.extent(n)) }

func (s *source) extentOf(n *yaml.Node) extent {
	from, to := s.extent(n)
	return extent{int32(from), int32(to)}
}

// extent returns the range of bytes of a node. yaml.v3 has only its beginning.
func (s *source) extent(n *yaml.Node) (from, to int) {
	from = s.offset(n.Line, n.Column)
	switch n.Kind {
	case yaml.MappingNode, yaml.SequenceNode:
		to = from
		if n.Style&yaml.FlowStyle != 0 {
			to = min(from+1, len(s.text))
		}
		if last := len(n.Content); last > 0 {
			_, to = s.extent(n.Content[last-1])
			if n.Content[last-1].Style&(yaml.LiteralStyle|yaml.FoldedStyle) != 0 {
				to = s.blockEnd(to, n.Column)
			}
		}
		if n.Style&yaml.FlowStyle != 0 {
			to = s.closing(to)
		}
		return from, max(from, to)
	case yaml.ScalarNode:
		return from, s.scalarEnd(from, n)
	}
	return from, s.wordEnd(from)
}

// blockEnd returns where a block scalar ends whose indicator ends at from. Its
// lines are indented, relative to the column of the container that it is in.
func (s *source) blockEnd(from, column int) int {
	to := from
	for line := sort.SearchInts(s.lines, from+1); line < len(s.lines); line++ {
		begin, end := s.lines[line], len(s.text)
		if line+1 < len(s.lines) {
			end = s.lines[line+1]
		}
		text := bytes.TrimRight(s.text[begin:end], " \t\r\n")
		if len(text) == 0 {
			continue
		}
		if len(text)-len(bytes.TrimLeft(text, " ")) < column {
			break
		}
		to = begin + len(text)
	}
	return to
}

// closing returns where the next closing bracket ends.
func (s *source) closing(from int) int {
	for i := from; i < len(s.text); i++ {
		switch s.text[i] {
		case ' ', '\t', '\r', '\n', ',':
		case '#':
			line := bytes.IndexByte(s.text[i:], '\n')
			if line < 0 {
				return from
			}
			i += line
		case ']', '}':
			return i + 1
		default:
			return from
		}
	}
	return from
}

func (s *source) scalarEnd(from int, n *yaml.Node) int {
	switch {
	case from >= len(s.text):
		return from
	case s.text[from] == '!' || s.text[from] == '&':
		return s.wordEnd(from)
	case n.Style&yaml.DoubleQuotedStyle != 0:
		for i := from + 1; i < len(s.text); i++ {
			switch s.text[i] {
			case '\\':
				i++
			case '"':
				return i + 1
			}
		}
		return from
	case n.Style&yaml.SingleQuotedStyle != 0:
		for i := from + 1; i < len(s.text); i++ {
			if s.text[i] != '\'' {
				continue
			}
			if i+1 == len(s.text) || s.text[i+1] != '\'' {
				return i + 1
			}
			i++
		}
		return from
	case n.Style&(yaml.LiteralStyle|yaml.FoldedStyle) != 0:
		return s.wordEnd(from)
	}
	// In ASCII most of them are on one line.
	if s.columns == nil && bytes.HasPrefix(s.text[from:], []byte(n.Value)) {
		return from + len(n.Value)
	}
	// A plain scalar folds line breaks and the white space around them, and
	// leaves its words unchanged.
	to := from
	for word := range strings.FieldsSeq(n.Value) {
		at := to
		for at < len(s.text) && strings.IndexByte(" \t\r\n", s.text[at]) >= 0 {
			at++
		}
		if !bytes.HasPrefix(s.text[at:], []byte(word)) {
			break
		}
		to = at + len(word)
	}
	return to
}

// wordEnd returns where the next white space is. The index avoids reading a line
// of one word once for each of its nodes.
func (s *source) wordEnd(from int) int {
	if from >= len(s.text) {
		return from
	}
	if s.wordEnds == nil {
		s.wordEnds = make([]int32, len(s.text))
		end := len(s.text)
		for i := len(s.text) - 1; i >= 0; i-- {
			if strings.IndexByte(" \t\r\n", s.text[i]) >= 0 {
				end = i
			}
			s.wordEnds[i] = int32(end)
		}
	}
	return int(s.wordEnds[from])
}

// line returns the line on which a node begins.
func (s *source) line(n *yaml.Node) int {
	at := s.offset(n.Line, n.Column)
	return s.span(at, at).Line
}

// verbatim returns where the text of a scalar begins if the file has it
// unchanged, or -1.
func (s *source) verbatim(n *yaml.Node) int {
	if n.Kind != yaml.ScalarNode || n.Style&(yaml.LiteralStyle|yaml.FoldedStyle|yaml.TaggedStyle) != 0 {
		return -1
	}
	from := s.offset(n.Line, n.Column)
	if n.Style&(yaml.DoubleQuotedStyle|yaml.SingleQuotedStyle) != 0 {
		from++
	}
	if from > len(s.text) || !bytes.HasPrefix(s.text[from:], []byte(n.Value)) {
		return -1
	}
	return from
}
