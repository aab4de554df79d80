package review

import (
	"strings"
	"unicode"
)

// clean replaces what a terminal could take for a command: control characters
// and the marks that reorder text. Each becomes one character, so that columns
// stay where they are.
func clean(s string) string {
	return strings.Map(func(r rune) rune {
		if r == '\t' {
			return ' '
		}
		if unicode.IsControl(r) || unicode.Is(unicode.Bidi_Control, r) || r == unicode.ReplacementChar {
			return '?'
		}
		return r
	}, s)
}
