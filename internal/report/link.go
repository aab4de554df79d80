package report

import (
	"path/filepath"
	"strings"
)

// reference is the value of an href that is safe in an attribute: it is relative, and has
// only unreserved characters of RFC 3986, slashes, escapes and a fragment.
type reference string

// link returns the reference from a page in directory dir to a line of a file; empty if
// there is none, as on another drive. A line of 0 stands for the file. The directory is
// taken as it is written, as a browser does, which resolves no symbolic links.
func link(dir, file string, line int) reference {
	if file == "" {
		return ""
	}
	from, err := filepath.Abs(dir)
	if err != nil {
		return ""
	}
	to, err := filepath.Abs(file)
	if err != nil {
		return ""
	}
	below, err := filepath.Rel(from, to)
	if err != nil {
		return ""
	}
	ref := escapePath(filepath.ToSlash(below))
	if line > 0 {
		ref += "#L" + number(line)
	}
	return reference(ref)
}

// escapePath returns a path with every byte escaped that is neither unreserved nor a slash.
// A colon is escaped, too, so that no path begins with a scheme.
func escapePath(path string) string {
	const hex = "0123456789ABCDEF"
	var b strings.Builder
	for i := range len(path) {
		switch c := path[i]; {
		case '0' <= c && c <= '9', 'a' <= c && c <= 'z', 'A' <= c && c <= 'Z', strings.IndexByte("-._~/", c) >= 0:
			b.WriteByte(c)
		default:
			b.WriteByte('%')
			b.WriteByte(hex[c>>4])
			b.WriteByte(hex[c&15])
		}
	}
	return b.String()
}
