package policy

import (
	"path"
	"strings"
	"unicode"
)

// pathKind is the kind of a key whose value is an absolute and clean path.
func pathKind(key string) textKind {
	return textKind{
		what: key,
		fix: func(s string) string {
			if s == "" || s[0] != '/' || len(s) > maxPathLength || strings.ContainsFunc(s, unicode.IsControl) {
				return ""
			}
			return inYAML(path.Clean(s))
		},
		hint: "write an absolute path",
	}
}

// readPath returns an absolute and clean path, or "".
func (r *reader) readPath(f field) string {
	k := pathKind(f.name)
	s, ok := r.text(f.value, k)
	if !ok {
		return ""
	}
	bad := func(hint, why string) { r.reportAt(f.value, badPath, hint, "invalid %s %s: %s", f.name, quote(s), why) }
	switch {
	case s == "":
		r.reportAt(f.value, badPath, k.hint+", or remove the key", "%s is empty", f.name)
	case len(s) > maxPathLength:
		r.reportAt(f.value, badPath, "write a shorter path", "%s is %d bytes; the limit is %d", f.name, len(s), maxPathLength)
	case strings.ContainsFunc(s, unicode.IsControl):
		bad("rename the directory, and write its new path", "it has a control character")
	case s[0] != '/':
		bad(k.hint, "a relative path depends on the caller's working directory")
	case s != path.Clean(s):
		bad(k.hintFor(f.value), "it has '.', '..', a double slash or a trailing slash")
	default:
		return s
	}
	return ""
}
