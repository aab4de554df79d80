package policy

import (
	"path"
	"strings"
	"unicode"
)

// readPath returns an absolute and clean path, or "".
func (r *reader) readPath(f field) string {
	s, ok := r.text(f.value, f.name)
	if !ok {
		return ""
	}
	clean := path.Clean("/" + s)
	switch {
	case s == "":
		r.reportAt(f.value, badPath, "write an absolute path, or leave the key out", "%s is empty", f.name)
	case len(s) > maxPathLength:
		r.reportAt(f.value, badPath, "write a shorter path", "%s has %d bytes; the kernel takes %d", f.name, len(s), maxPathLength)
	case strings.ContainsFunc(s, unicode.IsControl):
		r.reportAt(f.value, badPath, "write the path without it, or rename what is there", "%s has a control character", f.name)
	case s[0] != '/':
		r.reportAt(f.value, badPath, "write an absolute path", "%s is relative, and to what depends on who starts it", quote(s))
	case s != clean:
		r.reportAt(f.value, badPath, "write "+clean, "%s is not clean: it has '.', '..', a doubled slash or a slash at the end", quote(s))
	default:
		return s
	}
	return ""
}
