package systemd

import (
	"path"
	"strings"

	"caprun/platform/declared"
)

// A unitName is the name of a unit, which some specifiers stand for.
type unitName struct {
	full     string // "getty@tty1.service"; empty if it is unknown
	prefix   string // "getty"
	instance string // "tty1"
	template bool   // "getty@.service"
}

// maxUnitName is UNIT_NAME_MAX of systemd.
const maxUnitName = 255

// nameOf returns the name of the unit in a file.
func nameOf(f declared.File) unitName {
	base := path.Base(f.Name)
	stem, ok := strings.CutSuffix(base, ".service")
	if !ok || stem == "" || len(base) > maxUnitName || strings.ContainsFunc(base, notInUnitName) {
		return unitName{}
	}
	prefix, instance, isInstance := strings.Cut(stem, "@")
	if prefix == "" {
		return unitName{}
	}
	return unitName{base, prefix, instance, isInstance && instance == ""}
}

// notInUnitName reports whether a character is not in VALID_CHARS_WITH_AT of systemd.
func notInUnitName(r rune) bool {
	return !('a' <= r && r <= 'z' || 'A' <= r && r <= 'Z' || '0' <= r && r <= '9' || r < 0x80 && strings.ContainsRune(`:-_.\@`, r))
}

// stem returns the name without the suffix: %N.
func (u unitName) stem() string { return strings.TrimSuffix(u.full, ".service") }

// specifiers are the letters that stand for something in systemd, or may in a later
// version: POSSIBLE_SPECIFIERS.
const specifiers = "abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789"

// expand replaces the specifiers that the name of the unit decides. unknown is the first
// other one, such as "%h"; then the text is useless.
func (u unitName) expand(s string) (text, unknown string) {
	if strings.IndexByte(s, '%') < 0 {
		return s, ""
	}
	var b strings.Builder
	for n := 0; n < len(s); n++ {
		if s[n] != '%' || n+1 == len(s) {
			b.WriteByte(s[n])
			continue
		}
		n++
		if s[n] == '%' {
			b.WriteByte('%')
			continue
		}
		if strings.IndexByte(specifiers, s[n]) < 0 {
			b.WriteByte('%')
			b.WriteByte(s[n])
			continue
		}
		value, ok := u.specifier(s[n])
		if !ok {
			return "", s[n-1 : n+1]
		}
		b.WriteString(value)
		if b.Len() > declared.MaxSize {
			return "", s[n-1 : n+1]
		}
	}
	return b.String(), ""
}

// specifier returns what a letter stands for.
func (u unitName) specifier(letter byte) (value string, ok bool) {
	if u.full == "" {
		return "", false
	}
	switch letter {
	case 'p':
		return u.prefix, true
	case 'P':
		return unescapeName(u.prefix)
	case 'j':
		return u.prefix[strings.LastIndexByte(u.prefix, '-')+1:], true
	case 'J':
		return unescapeName(u.prefix[strings.LastIndexByte(u.prefix, '-')+1:])
	}
	if u.template {
		return "", false // the instance decides the others
	}
	switch letter {
	case 'n':
		return u.full, true
	case 'N':
		return u.stem(), true
	case 'i':
		return u.instance, true
	case 'I':
		return unescapeName(u.instance)
	}
	return "", false
}

// unescapeName is unit_name_unescape of systemd: '-' stands for '/', \x2d for '-'.
func unescapeName(s string) (text string, ok bool) {
	var b strings.Builder
	for n := 0; n < len(s); n++ {
		switch {
		case s[n] == '-':
			b.WriteByte('/')
		case s[n] != '\\':
			b.WriteByte(s[n])
		case !strings.HasPrefix(s[n+1:], "x"):
			return "", false
		default:
			text, size, ok := escapeOf(s[n+1:])
			if !ok {
				return "", false
			}
			b.WriteString(text)
			n += size
		}
	}
	return b.String(), true
}
