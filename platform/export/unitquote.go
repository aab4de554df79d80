package export

import (
	"strings"
	"unicode"
	"unicode/utf8"
)

// quoteUnit returns a word of a setting whose value is split as by a shell: in double
// quotes, with escapes and without specifiers, see systemd.syntax(7).
func quoteUnit(s string) string {
	return `"` + strings.NewReplacer(`\`, `\\`, `"`, `\"`, "\t", `\t`, "\n", `\n`, "%", "%%").Replace(s) + `"`
}

// escapePercent returns a path without specifiers.
func escapePercent(s string) string { return strings.ReplaceAll(s, "%", "%%") }

// isUnitPath reports whether a setting that is not split into words can have the path: a
// backslash at the end joins the next line, and systemd removes white space at the ends.
func isUnitPath(path string) bool {
	return validForUnit(path) && !strings.ContainsAny(path, "\t\n") && strings.TrimSpace(path) == path && !strings.HasSuffix(path, `\`)
}

// validForUnit reports whether systemd accepts the characters of a value. It refuses the
// control characters that a profile refuses, of which some end a line of a unit, and the
// characters that Unicode reserves for internal use.
func validForUnit(s string) bool {
	return utf8.ValidString(s) && !strings.ContainsFunc(s, func(r rune) bool {
		return unicode.IsControl(r) && r != '\t' && r != '\n' || 0xfdd0 <= r && r <= 0xfdef || r&0xfffe == 0xfffe
	})
}
