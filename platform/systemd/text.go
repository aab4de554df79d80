package systemd

import (
	"unicode"
	"unicode/utf8"
)

// maxText is the largest length of an argument or of a variable in a profile, in bytes.
const maxText = 32 << 10

// isText reports whether a profile can have a text: it has no control characters other than
// tabs and line feeds, and nothing that changes how text is shown.
func isText(s string) bool {
	if len(s) > maxText || !utf8.ValidString(s) {
		return false
	}
	for _, r := range s {
		switch {
		case r == '\t' || r == '\n':
		case unicode.IsControl(r), r == 0x2028, r == 0x2029, r == 0xfeff, r&0xfffe == 0xfffe,
			r == 0x061c, r == 0x200e, r == 0x200f, r >= 0x202a && r <= 0x202e, r >= 0x2066 && r <= 0x2069:
			return false
		}
	}
	return true
}
