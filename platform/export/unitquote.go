package export

import "strings"

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
	return validForUnit(path) && strings.TrimSpace(path) == path && !strings.HasSuffix(path, `\`)
}

// validForUnit reports whether systemd accepts the characters of a profile's value. It
// refuses those that Unicode reserves for internal use. Profiles have no others that it
// refuses.
func validForUnit(s string) bool {
	return !strings.ContainsFunc(s, func(r rune) bool { return 0xfdd0 <= r && r <= 0xfdef })
}
