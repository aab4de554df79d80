package policy

import (
	"strconv"
	"strings"
)

var umaskKind = textKind{
	what: "umask",
	fix: func(s string) string {
		digits := strings.TrimPrefix(s, "0o")
		if v, err := strconv.ParseUint(digits, 8, 32); err != nil || !isOctal(digits) || v > maxUmask {
			return ""
		}
		return `"` + strings.Repeat("0", 4-len(digits)) + digits + `"`
	},
	hint: `write "0027"; it denies write access to the group, and all access to others`,
}

// readUmask reads octal digits in quotes: 0027 without them is 23 to some
// YAML readers and 27 to others.
func (r *reader) readUmask(f field) {
	n := f.value
	if looksNumeric(n) {
		r.reportAt(n, badUmask, umaskKind.hintFor(n), "umask must be in quotes: %s without quotes is octal to some YAML readers and decimal to others", n.Value)
		return
	}
	s, ok := r.text(n, umaskKind)
	if !ok {
		return
	}
	v, err := strconv.ParseUint(s, 8, 32)
	if err != nil || !isOctal(s) || len(s) < 3 || v > maxUmask {
		r.reportAt(n, badUmask, umaskKind.hintFor(n), "invalid umask %s: want three or four octal digits up to 0777", quote(s))
		return
	}
	mask := uint32(v)
	r.profile.Umask = &mask
}

func isOctal(s string) bool { return s != "" && len(s) <= 4 && strings.Trim(s, "01234567") == "" }
