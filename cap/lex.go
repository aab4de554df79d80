package cap

import (
	"unicode"
	"unicode/utf8"
)

// This file finds the words in the texts of sets and of IAB tuples. text.go and iab.go
// interpret them; words.go returns them.

func isOp(c byte) bool { return c == '=' || c == '+' || c == '-' }

// parseFlags reads the flag letters at the start of text. vecs has bit 1<<f for the
// Flag f; n is the number of letters.
func parseFlags(text string) (vecs uint, n int) {
	for ; n < len(text); n++ {
		switch text[n] {
		case 'e':
			vecs |= 1 << Effective
		case 'p':
			vecs |= 1 << Permitted
		case 'i':
			vecs |= 1 << Inheritable
		default:
			return vecs, n
		}
	}
	return vecs, n
}

// flagsEnd returns the end of the flags at at: the next operator or white space.
func flagsEnd(text string, at int) int {
	for at < len(text) && !isOp(text[at]) {
		n, space := spaceAt(text, at)
		if space {
			break
		}
		at += n
	}
	return at
}

// spaceAt returns the length of the character at at, and whether it is white space
// in Unicode.
func spaceAt(text string, at int) (n int, space bool) {
	c := text[at]
	if c < utf8.RuneSelf {
		return 1, c == ' ' || '\t' <= c && c <= '\r'
	}
	r, n := utf8.DecodeRuneInString(text[at:])
	return n, unicode.IsSpace(r)
}

func skipSpace(text string, at int) int {
	for at < len(text) {
		n, space := spaceAt(text, at)
		if !space {
			break
		}
		at += n
	}
	return at
}

// atEnd reports whether a clause ends at at.
func atEnd(text string, at int) bool {
	if at == len(text) {
		return true
	}
	_, space := spaceAt(text, at)
	return space
}

// hasSpace reports whether there is white space in text.
func hasSpace(text string) bool {
	for at := 0; at < len(text); {
		n, space := spaceAt(text, at)
		if space {
			return true
		}
		at += n
	}
	return false
}

// nameEnd returns the end of the name at at: a comma, an operator or white space.
func nameEnd(text string, at int) int {
	for at < len(text) {
		switch c := text[at]; {
		case '0' <= c && c <= '9' || '=' < c && c < utf8.RuneSelf:
			at++
		case c == ',' || isOp(c):
			return at
		default:
			n, space := spaceAt(text, at)
			if space {
				return at
			}
			at += n
		}
	}
	return at
}

// parseMarks reads the marks at the start of text. vecs has bit 1<<v for each Vector v
// that they raise; n is the number of marks.
func parseMarks(text string) (vecs uint, n int) {
	for ; n < len(text); n++ {
		switch text[n] {
		case '!':
			vecs |= 1 << Bound
		case '^':
			vecs |= 1<<Amb | 1<<Inh
		case '%':
			vecs |= 1 << Inh
		default:
			return vecs, n
		}
	}
	return vecs, n
}

// fieldEnd returns the end of the field of a tuple at at: the next comma.
func fieldEnd(text string, at int) int {
	for at < len(text) && text[at] != ',' {
		at++
	}
	return at
}
