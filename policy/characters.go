package policy

import (
	"bytes"
	"fmt"
	"strconv"
	"unicode/utf8"

	"gopkg.in/yaml.v3"
)

var start = Position{1, 1, 1, 1}

// checkText checks the bytes before anything interprets them, and returns the
// text without a byte order mark. ok is false if YAML cannot read the text: then
// line numbers would be wrong at best.
func (r *reader) checkText(src []byte) (text []byte, ok bool) {
	if len(src) > MaxSize {
		r.report(start, fileTooLarge, "move data and comments into other files", "file is %d bytes; the limit is %d", len(src), MaxSize)
		return nil, false
	}
	if bytes.HasPrefix(src, []byte("\xff\xfe")) || bytes.HasPrefix(src, []byte("\xfe\xff")) {
		r.report(start, badEncoding, "save the file as UTF-8", "file is UTF-16")
		return nil, false
	}
	text, bom := bytes.CutPrefix(src, []byte("\ufeff"))
	if bom {
		r.report(start, badEncoding, "save the file as UTF-8 without a byte order mark", "file begins with a byte order mark")
	}
	return text, r.checkCharacters(text)
}

// checkCharacters reports forbidden characters. ok is false if one of them may
// end a line for YAML and not for an editor.
func (r *reader) checkCharacters(text []byte) (ok bool) {
	ok = true
	line, column, bad := 1, 1, 0
	for i := 0; i < len(text); column++ {
		if b := text[i]; ' ' <= b && b < 0x7f {
			i++
			continue
		}
		c, size := utf8.DecodeRune(text[i:])
		at := Position{line, column, line, column + 1}
		if c == utf8.RuneError && size == 1 {
			r.report(at, badEncoding, "save the file as UTF-8", "byte 0x%02x is not UTF-8", text[i])
			return false
		}
		what := forbidden(c)
		if c == '\r' && bytes.HasPrefix(text[i:], []byte("\r\n")) {
			what = ""
		}
		if what != "" {
			r.report(at, badCharacter, characterHint(c), "%s is %s", codePoint(c), what)
			if bad++; bad == maxBadCharacters {
				return false
			}
			ok = ok && harmless(c)
		}
		i += size
		if c == '\n' {
			line, column = line+1, 0
		}
	}
	return ok
}

// characterHint is the hint for a forbidden character in the file.
func characterHint(c rune) string {
	if isBreak(c) {
		return "replace it with a line feed"
	}
	return "remove it"
}

// isBreak reports whether a forbidden character ends a line for YAML.
func isBreak(c rune) bool { return c == '\r' || c == 0x85 || c == 0x2028 || c == 0x2029 }

// forbidden returns what a character is that a profile may not contain, raw or
// as an escape. It is empty for all others, and for the two white space
// characters that a command may need.
func forbidden(c rune) string {
	switch {
	case c == '\t' || c == '\n':
		return ""
	case c == '\r':
		return "a carriage return, which ends a line for some tools only"
	case isBreak(c):
		return "a line break for some tools only"
	case c < 0x20 || c >= 0x7f && c < 0xa0:
		return "a control character"
	case c == 0x061c || c == 0x200e || c == 0x200f || c >= 0x202a && c <= 0x202e || c >= 0x2066 && c <= 0x2069:
		return "a bidirectional control, which changes the order in which text is shown"
	case c == 0xfeff:
		return "a byte order mark, which is invisible"
	case c&0xfffe == 0xfffe:
		return "not a character"
	}
	return ""
}

// harmless reports whether a forbidden character is a letter to YAML, so that
// the other lines of the file can be checked too.
func harmless(c rune) bool { return c > 0xff && c != 0x2028 && c != 0x2029 && c&0xfffe != 0xfffe }

func codePoint(c rune) string { return fmt.Sprintf("U+%04X", c) }

// checkEscapes reports forbidden characters that a double-quoted scalar has as
// escapes.
func (r *reader) checkEscapes(n *yaml.Node) {
	if n.Style&yaml.DoubleQuotedStyle == 0 {
		return
	}
	from, to := r.source.extent(n)
	text := r.source.text
	for i := from; i < to; i++ {
		if text[i] != '\\' || i+1 >= to {
			continue
		}
		c, size := escape(text[i+1 : to])
		if what := forbidden(c); what != "" {
			r.report(r.source.span(i, i+1+size), badCharacter, "remove it", "%s is %s", codePoint(c), what)
		}
		i += size
	}
}

// escape returns the character that an escape stands for, and its length
// without the backslash. For those that cannot be forbidden it returns a letter.
func escape(text []byte) (c rune, size int) {
	digits := 0
	switch text[0] {
	case '0':
		return 0, 1
	case 'a':
		return '\a', 1
	case 'b':
		return '\b', 1
	case 'v':
		return '\v', 1
	case 'f':
		return '\f', 1
	case 'r':
		return '\r', 1
	case 'e':
		return 0x1b, 1
	case 'N':
		return 0x85, 1
	case 'L':
		return 0x2028, 1
	case 'P':
		return 0x2029, 1
	case 'x':
		digits = 2
	case 'u':
		digits = 4
	case 'U':
		digits = 8
	default:
		return 'x', 1
	}
	if len(text) <= digits {
		return 'x', 1
	}
	n, err := strconv.ParseUint(string(text[1:1+digits]), 16, 32)
	if err != nil {
		return 'x', 1
	}
	return rune(n), 1 + digits
}
