package jsontree

import (
	"fmt"
	"strings"
	"unicode/utf16"
	"unicode/utf8"
)

// string reads a string from its quote on.
func (p *parser) string() string {
	from := p.offset
	p.offset++
	var b strings.Builder
	for p.err == nil {
		if p.offset >= len(p.text) {
			p.fail(from, "string without a closing quote", "")
			return ""
		}
		switch c := p.text[p.offset]; {
		case c == '"':
			p.offset++
			return b.String()
		case c < ' ':
			p.fail(p.offset, fmt.Sprintf("control character %+q in a string", c), "write it as an escape")
		case c == '\\':
			b.WriteRune(p.escape())
		default:
			r, size := utf8.DecodeRune(p.text[p.offset:])
			if r == utf8.RuneError && size == 1 {
				p.fail(p.offset, fmt.Sprintf("byte 0x%02x is not UTF-8", c), "save the file as UTF-8: some container runtimes replace the byte")
				return ""
			}
			b.WriteRune(r)
			p.offset += size
		}
	}
	return ""
}

// escape reads an escape from its backslash on.
func (p *parser) escape() rune {
	from := p.offset
	if from+1 >= len(p.text) {
		p.fail(from, "string without a closing quote", "")
		return 0
	}
	const letters, meanings = `"\/bfnrt`, "\"\\/\b\f\n\r\t"
	c := p.text[from+1]
	if n := strings.IndexByte(letters, c); n >= 0 {
		p.offset += 2
		return rune(meanings[n])
	}
	r, ok := p.unit()
	if !ok {
		p.fail(from, "invalid escape in a string", `write one of \" \\ \/ \b \f \n \r \t \u0000`)
		return 0
	}
	if !utf16.IsSurrogate(r) {
		return r
	}
	if low, ok := p.unit(); ok {
		if pair := utf16.DecodeRune(r, low); pair != utf8.RuneError {
			return pair
		}
	}
	p.fail(from, "escape is half of a surrogate pair", "write the character itself: container runtimes replace the half, each in its own way")
	return 0
}

// unit reads an escape of the form \u0000.
func (p *parser) unit() (r rune, ok bool) {
	const length = len(`\u0000`)
	if p.offset+length > len(p.text) || p.text[p.offset] != '\\' || p.text[p.offset+1] != 'u' {
		return 0, false
	}
	for _, c := range p.text[p.offset+2 : p.offset+length] {
		digit := strings.IndexByte("0123456789abcdef", c|' ')
		if digit < 0 || c < '0' {
			return 0, false
		}
		r = r<<4 | rune(digit)
	}
	p.offset += length
	return r, true
}
