package review

import (
	"strings"
	"unicode"
)

// clean replaces what a terminal or the log of a CI system could take for a
// command: control characters, line breaks that only some programs know, the
// marks that reorder text, what nobody sees, and the bracket of ##[command]
// and ##vso[command], which runners obey anywhere in a line. Each becomes one
// character, so that columns stay where they are.
func clean(s string) string {
	s = strings.Map(func(r rune) rune {
		switch {
		case r == '\t':
			return ' '
		case hidden(r) || r == unicode.ReplacementChar:
			return '?'
		}
		return r
	}, s)
	bracket := runnerBracket(s)
	if bracket < 0 {
		return s
	}
	text := []byte(s)
	for at := 0; bracket >= 0; bracket = runnerBracket(s[at:]) {
		at += bracket
		text[at] = '?'
	}
	return string(text)
}

// hidden reports whether a character is one to obey or to skip, none to see.
func hidden(r rune) bool {
	return r < ' ' || r >= 0x7f && unicode.In(r, unicode.Cc, unicode.Cf, unicode.Zl, unicode.Zp,
		unicode.Bidi_Control, unicode.Other_Default_Ignorable_Code_Point)
}

// runnerBracket returns where the bracket of the first ##[ or ##word[ is, or
// -1.
func runnerBracket(s string) int {
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

// lineOf returns a clean line of output that begins with the name of a file.
// Runners obey a line that begins with :: behind white space; with ./ before
// it the name is still that of the file.
func lineOf(s string) string {
	s = clean(s)
	if strings.HasPrefix(strings.TrimLeftFunc(s, unicode.IsSpace), "::") {
		return "./" + s
	}
	return s
}
