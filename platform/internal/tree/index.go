package tree

import (
	"bytes"
	"sort"
	"unicode/utf8"

	"caprun/policy"

	"gopkg.in/yaml.v3"
)

// index translates between bytes, and lines and columns. With it, a file of one long line
// takes no longer than others.
type index struct {
	text    []byte
	lines   []int    // where each line begins
	columns []uint32 // of the character at each byte; nil for ASCII
}

func newIndex(text []byte) *index {
	x := &index{text: text, lines: []int{0}}
	ascii := true
	for at, b := range text {
		if b == '\n' {
			x.lines = append(x.lines, at+1)
		}
		ascii = ascii && b < utf8.RuneSelf
	}
	if ascii {
		return x
	}
	x.columns = make([]uint32, len(text)+1)
	column := uint32(0)
	for at, b := range text {
		if utf8.RuneStart(b) {
			column++
		}
		x.columns[at] = column
		if b == '\n' {
			column = 0
		}
	}
	x.columns[len(text)] = column + 1
	return x
}

// offset returns the byte at a line and a column.
func (x *index) offset(line, column int) int {
	if line < 1 || line > len(x.lines) {
		return len(x.text)
	}
	from, to := x.lines[line-1], len(x.text)
	if line < len(x.lines) {
		to = x.lines[line] - 1
	}
	if x.columns == nil {
		return from + min(max(column-1, 0), to-from)
	}
	return from + sort.Search(to-from, func(i int) bool { return int(x.columns[from+i]) >= column })
}

// span returns the position of the text between two bytes.
func (x *index) span(from, to int) policy.Position {
	line, column := x.place(from)
	endLine, endColumn := x.place(to)
	return policy.Position{Line: line, Column: column, EndLine: endLine, EndColumn: endColumn}
}

// place returns the line and the column of a byte.
func (x *index) place(at int) (line, column int) {
	at = min(max(at, 0), len(x.text))
	line = sort.SearchInts(x.lines, at+1)
	if x.columns == nil {
		return line, at - x.lines[line-1] + 1
	}
	return line, int(x.columns[at])
}

// lineEnd returns the end of the line of a byte, without white space.
func (x *index) lineEnd(at int) int {
	line, _ := x.place(at)
	end := len(x.text)
	if line < len(x.lines) {
		end = x.lines[line]
	}
	return max(at, len(bytes.TrimRight(x.text[:end], " \t\r\n")))
}

// scalarEnd returns where a scalar ends that begins at a byte. For a text on several lines
// without quotes it is the end of its first line.
func (x *index) scalarEnd(from int, n *yaml.Node) int {
	rest := x.text[from:]
	switch {
	case n.Style&(yaml.LiteralStyle|yaml.FoldedStyle|yaml.TaggedStyle) != 0 || n.Anchor != "":
		return x.lineEnd(from)
	case n.Style&yaml.DoubleQuotedStyle != 0 && bytes.HasPrefix(rest, []byte(`"`)):
		for at := 1; at < len(rest); at++ {
			switch rest[at] {
			case '\\':
				at++
			case '"':
				return from + at + 1
			}
		}
	case n.Style&yaml.SingleQuotedStyle != 0 && bytes.HasPrefix(rest, []byte("'")):
		for at := 1; at < len(rest); at++ {
			if rest[at] != '\'' {
				continue
			}
			if at+1 == len(rest) || rest[at+1] != '\'' {
				return from + at + 1
			}
			at++
		}
	case n.Style == 0 && bytes.HasPrefix(rest, []byte(n.Value)):
		return from + len(n.Value)
	}
	return x.lineEnd(from)
}

// check returns the first byte that YAML and editors read differently, and what it is:
// yaml.v3 counts more characters as the end of a line than editors do.
func check(text []byte) (at int, what string) {
	if bytes.HasPrefix(text, []byte("\xff\xfe")) || bytes.HasPrefix(text, []byte("\xfe\xff")) {
		return 0, "the file is UTF-16"
	}
	for at := 0; at < len(text); {
		c, size := utf8.DecodeRune(text[at:])
		switch {
		case c == utf8.RuneError && size == 1:
			return at, "a byte is not UTF-8"
		case c == '\r' && !bytes.HasPrefix(text[at+1:], []byte("\n")):
			return at, "a carriage return is not before a line feed"
		case c == 0x85 || c == 0x2028 || c == 0x2029:
			return at, "a line break of Unicode is not allowed"
		case c == 0xfeff:
			return at, "a byte order mark is not allowed"
		case c < ' ' && c != '\t' && c != '\r' && c != '\n' || c >= 0x7f && c < 0xa0:
			return at, "a control character is not allowed"
		case c == '%' && (at == 0 || text[at-1] == '\n') && bytes.HasPrefix(text[at:], []byte("%TAG")):
			// yaml.v3 takes quadratic time for them.
			return at, "%TAG directives are not allowed"
		}
		at += size
	}
	return -1, ""
}

// trimBOM returns the text without a byte order mark at its beginning.
func trimBOM(text []byte) []byte { return bytes.TrimPrefix(text, []byte("\ufeff")) }
