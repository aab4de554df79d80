package systemd

import (
	"errors"
	"strings"
	"unicode/utf8"
)

// A word is a word of a value.
type word struct {
	text           string // without quotes and escapes
	offset, length int    // in the value, as written
}

// Options of a words value.
const (
	unquote  = 1 << iota // quotes group
	unescape             // escapes of C
	relaxed              // an unknown escape stands for itself
)

var (
	errQuotes = errors.New("unbalanced quotes")
	errEscape = errors.New("unknown escape")
)

// nextWord returns the first word of value from an offset on, as extract_first_word of
// systemd (src/basic/extract-word.c), and the offset after it and the separators. ok is
// false at the end.
func nextWord(value string, from int, options int) (w word, next int, ok bool, err error) {
	const separators = " \t\n\r"
	for from < len(value) && strings.IndexByte(separators, value[from]) >= 0 {
		from++
	}
	if from == len(value) {
		return word{}, from, false, nil
	}
	var text strings.Builder
	quote := byte(0)
	at := from
scan:
	for ; at < len(value); at++ {
		switch c := value[at]; {
		case c == '\\':
			at++
			if at == len(value) {
				if options&relaxed != 0 && quote == 0 {
					text.WriteByte('\\')
					break scan
				}
				return word{}, at, false, errQuotes
			}
			switch s, size, known := escapeOf(value[at:]); {
			case options&unescape == 0:
				text.WriteByte(value[at])
			case known:
				text.WriteString(s)
				at += size - 1
			case options&relaxed != 0:
				text.WriteByte('\\')
				text.WriteByte(value[at])
			default:
				return word{}, at, false, errEscape
			}
		case quote != 0 && c == quote:
			quote = 0
		case quote != 0:
			text.WriteByte(c)
		case options&unquote != 0 && (c == '"' || c == '\''):
			quote = c
		case strings.IndexByte(separators, c) >= 0:
			break scan
		default:
			text.WriteByte(c)
		}
	}
	if quote != 0 {
		return word{}, at, false, errQuotes
	}
	w = word{text.String(), from, min(at, len(value)) - from}
	for at < len(value) && strings.IndexByte(separators, value[at]) >= 0 {
		at++
	}
	return w, min(at, len(value)), true, nil
}

// words returns all words of a value. With an error it returns those before it.
func words(value string, options int) (list []word, err error) {
	for at := 0; ; {
		w, next, ok, err := nextWord(value, at, options)
		if err != nil || !ok {
			return list, err
		}
		list = append(list, w)
		at = next
	}
}

// escapeOf returns what the escape after a backslash stands for, and its length, as
// cunescape_one of systemd (src/basic/escape.c).
func escapeOf(s string) (text string, size int, ok bool) {
	const letters, meaning = `abfnrtv\"'s`, "\a\b\f\n\r\t\v\\\"' "
	if n := strings.IndexByte(letters, s[0]); n >= 0 {
		return meaning[n : n+1], 1, true
	}
	digits, base, from := 0, rune(16), 1
	switch {
	case s[0] == 'x':
		digits = 2
	case s[0] == 'u':
		digits = 4
	case s[0] == 'U':
		digits = 8
	case '0' <= s[0] && s[0] <= '7':
		digits, base, from = 3, 8, 0
	default:
		return "", 0, false
	}
	if len(s) < from+digits {
		return "", 0, false
	}
	value := int64(0)
	for _, c := range s[from : from+digits] {
		d := digit(c)
		if d >= base {
			return "", 0, false
		}
		value = value*int64(base) + int64(d)
	}
	switch {
	case value == 0:
		return "", 0, false
	case s[0] == 'u' || s[0] == 'U':
		if value > utf8.MaxRune || !utf8.ValidRune(rune(value)) {
			return "", 0, false
		}
		return string(rune(value)), from + digits, true
	case value > 255:
		return "", 0, false
	}
	return string([]byte{byte(value)}), from + digits, true
}

// digit returns the value of a hexadecimal digit, or 16.
func digit(c rune) rune {
	switch {
	case '0' <= c && c <= '9':
		return c - '0'
	case 'a' <= c && c <= 'f':
		return c - 'a' + 10
	case 'A' <= c && c <= 'F':
		return c - 'A' + 10
	}
	return 16
}
