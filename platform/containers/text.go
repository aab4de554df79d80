package containers

import (
	"strconv"
	"strings"
	"unicode"
	"unicode/utf8"
)

// maxQuoted is the length of a word of a file in a message.
const maxQuoted = 64

// quote returns a word of a file for a message.
func quote(s string) string { return strconv.Quote(Short(s)) }

// Short returns at most 64 bytes of a word of a file, for a message or a name.
func Short(s string) string {
	if len(s) <= maxQuoted {
		return s
	}
	return strings.ToValidUTF8(s[:maxQuoted], "") + "..."
}

// The limits of values in a profile, those of package policy.
const (
	maxAccountName    = 255
	maxVariableLength = 255
	maxPathLength     = 4095
	maxID             = 1<<32 - 2
	maxGroups         = 1024
	maxRlimit         = 1<<63 - 1
)

// isAccount reports whether a profile accepts a name of a user or a group.
func isAccount(s string) bool {
	return s != "" && len(s) <= maxAccountName && !strings.ContainsFunc(s, func(r rune) bool { return unicode.IsSpace(r) || unicode.IsControl(r) }) &&
		!strings.ContainsAny(s, ":/") && s[0] != '-' && s[0] != '+' && !isDigit(s[0]) && isText(s)
}

func isDigit(c byte) bool { return '0' <= c && c <= '9' }

// isVariable reports whether a profile accepts a name of a variable.
func isVariable(s string) bool {
	if s == "" || len(s) > maxVariableLength || isDigit(s[0]) || s[0] == '.' || s[0] == '-' {
		return false
	}
	for i := range len(s) {
		if c := s[i]; !isDigit(c) && (c|0x20 < 'a' || c|0x20 > 'z') && strings.IndexByte("_.-", c) < 0 {
			return false
		}
	}
	return true
}

// isText reports whether a profile can have the characters of a text.
func isText(s string) bool {
	return utf8.ValidString(s) && !strings.ContainsFunc(s, func(c rune) bool {
		switch {
		case c == '\t' || c == '\n':
			return false
		case c < 0x20 || c >= 0x7f && c < 0xa0, c == 0x2028 || c == 0x2029 || c == 0xfeff || c&0xfffe == 0xfffe:
			return true
		}
		return c == 0x061c || c == 0x200e || c == 0x200f || c >= 0x202a && c <= 0x202e || c >= 0x2066 && c <= 0x2069
	})
}

// ParseID returns a user or group ID in decimal digits. ok is false for any other text,
// and for an ID above limit.
func ParseID(s string, limit uint64) (id uint32, ok bool) {
	if s == "" || strings.Trim(s, "0123456789") != "" {
		return 0, false
	}
	v, err := strconv.ParseUint(s, 10, 64)
	if err != nil || v > min(limit, maxID) {
		return 0, false
	}
	return uint32(v), true
}
