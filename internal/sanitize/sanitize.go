// Package sanitize makes untrusted text harmless for terminals and logs.
package sanitize

import (
	"fmt"
	"strings"
	"unicode"
	"unicode/utf16"
	"unicode/utf8"
)

// Text replaces each character that a terminal or a CI runner could interpret as part
// of a command: control characters, uncommon line breaks, marks that reorder text,
// invisible characters, and the bracket of ##[command] and ##vso[command], which runners
// execute anywhere in a line. Each becomes one character, so columns do not change.
func Text(s string) string {
	s = strings.Map(func(r rune) rune {
		switch {
		case r == '\t':
			return ' '
		case Hidden(r) || r == unicode.ReplacementChar:
			return '?'
		}
		return r
	}, s)
	bracket := Bracket(s)
	if bracket < 0 {
		return s
	}
	text := []byte(s)
	for at := 0; bracket >= 0; bracket = Bracket(s[at:]) {
		at += bracket
		text[at] = '?'
	}
	return string(text)
}

// Hidden reports whether a character is a control character or invisible.
func Hidden(r rune) bool {
	return r < ' ' || r >= 0x7f && unicode.In(r, unicode.Cc, unicode.Cf, unicode.Zl, unicode.Zp,
		unicode.Bidi_Control, unicode.Other_Default_Ignorable_Code_Point)
}

// Bracket returns the index of the bracket of the first ##[ or ##word[, or -1.
func Bracket(s string) int {
	for from := 0; ; {
		at := strings.Index(s[from:], "##")
		if at < 0 {
			return -1
		}
		from += at + 1
		word := from + 1
		for word < len(s) && (s[word]|0x20 >= 'a' && s[word]|0x20 <= 'z') {
			word++
		}
		if word < len(s) && s[word] == '[' {
			return word
		}
	}
}

// Line returns sanitized text for a line that begins with the name of a file. Runners
// execute a line that begins with white space and ::, so Line puts ./ before such a name, and
// before the name ":", which another colon can follow.
func Line(s string) string {
	s = Text(s)
	if name := strings.TrimLeftFunc(s, unicode.IsSpace); strings.HasPrefix(name, "::") || name == ":" {
		return "./" + s
	}
	return s
}

// Lines returns text with each line sanitized. Codes of colours do not change.
func Lines(s string) string {
	var b strings.Builder
	for line := range strings.Lines(s) {
		line, newline := strings.CutSuffix(line, "\n")
		begin := b.Len()
		for line != "" {
			text, code := line, ""
			if at, end := colour(line); at >= 0 {
				text, code = line[:at], line[at:end]
			}
			line = line[len(text)+len(code):]
			text = Text(text)
			if trimmed := strings.TrimLeftFunc(text, unicode.IsSpace); b.Len() == begin && strings.HasPrefix(trimmed, "::") {
				text = text[:len(text)-len(trimmed)] + "?" + trimmed[1:]
			}
			b.WriteString(text + code)
		}
		if newline {
			b.WriteByte('\n')
		}
	}
	return b.String()
}

// colour returns the begin and end of the first code of a colour, or -1.
func colour(s string) (begin, end int) {
	for from := 0; ; {
		at := strings.Index(s[from:], "\x1b[")
		if at < 0 {
			return -1, -1
		}
		begin, end = from+at, from+at+len("\x1b[")
		for end < len(s) && (s[end] == ';' || '0' <= s[end] && s[end] <= '9') {
			end++
		}
		if end < len(s) && s[end] == 'm' {
			return begin, end + 1
		}
		from = end
	}
}

// JSON returns JSON in which the characters that Text replaces are escapes. Outside of
// strings, JSON has none of them except line breaks, which do not change.
func JSON(text []byte) []byte {
	whole := string(text)
	bracket := Bracket(whole)
	out := make([]byte, 0, len(text))
	for i := 0; i < len(text); {
		r, size := utf8.DecodeRune(text[i:])
		switch {
		case i == bracket:
			out = append(out, `\u005b`...)
			if next := Bracket(whole[i+1:]); next >= 0 {
				bracket = i + 1 + next
			}
		case r == '\n' || !Hidden(r):
			out = append(out, text[i:i+size]...)
		case r > 0xffff:
			high, low := utf16.EncodeRune(r)
			out = fmt.Appendf(out, `\u%04x\u%04x`, high, low)
		default:
			out = fmt.Appendf(out, `\u%04x`, r)
		}
		i += size
	}
	return out
}
