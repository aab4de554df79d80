package profiletext

import (
	"strings"

	"caprun/internal/sanitize"
)

// Inert returns untrusted text for a line of a terminal, a log or a
// comment in YAML: at most limit bytes of printable ASCII that no editor takes for a
// setting.
func Inert(s string, limit int) string {
	const cut = "..."
	// Text keeps the number of characters, and a character has at most four bytes.
	if len(s) > 4*limit {
		s = s[:4*limit]
	}
	var b strings.Builder
	for _, r := range sanitize.Text(s) {
		if r > '~' {
			r = '?'
		}
		if b.Len() == limit {
			return Defuse(b.String()[:limit-len(cut)]) + cut
		}
		b.WriteRune(r)
	}
	return Defuse(b.String())
}

// Defuse changes what Vim and Emacs take for a modeline, anywhere in one of the first or
// last lines of a file, the prefix by which language servers find a schema, and words that
// CI runners execute at the beginning of a line: a text can be wrapped before any word. It
// keeps the length. A line of two texts can have what neither of them has.
func Defuse(s string) string {
	// Two of them can share a hyphen.
	for strings.Contains(s, "-*-") {
		s = strings.ReplaceAll(s, "-*-", "-?-")
	}
	s = strings.ReplaceAll(s, "$schema", "?schema")
	text := []byte(s)
	for n := range text {
		if n > 0 && text[n-1] != ' ' {
			continue
		}
		rest := s[n:]
		if strings.HasPrefix(rest, "::") {
			text[n] = '?'
		}
		for _, word := range [...]string{"vim", "Vim", "vi", "ex"} {
			after, ok := strings.CutPrefix(rest, word)
			if !ok {
				continue
			}
			after = strings.TrimLeft(after, "<=>0123456789")
			if strings.HasPrefix(after, ":") {
				text[len(s)-len(after)] = '?'
			}
		}
	}
	return string(text)
}
