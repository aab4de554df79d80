package cap

import (
	"unicode"
	"unicode/utf8"
)

// This file knows of what the texts of sets and of tuples are made. What a text
// means is in text.go and iab.go; which words it has is in words.go.

func isOp(c byte) bool { return c == '=' || c == '+' || c == '-' }

// parseFlags reads a run of flag letters. The result has bit 1<<f for the
// Flag f, and the length of the run.
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

// flagsEnd returns where what follows an operator ends: before the next one, or
// white space.
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

// spaceAt returns the length of the character at at, and whether it is white
// space as Unicode has it.
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

// nameEnd returns where the name that at lies in ends: before a comma, an
// operator or white space.
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

// parseMarks reads a run of marks. The result has bit 1<<v for each Vector v
// that they raise, and the length of the run.
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

// fieldEnd returns where the field of a tuple that at lies in ends: before a
// comma.
func fieldEnd(text string, at int) int {
	for at < len(text) && text[at] != ',' {
		at++
	}
	return at
}
