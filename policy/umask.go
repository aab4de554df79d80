package policy

import (
	"strconv"
	"strings"
)

// readUmask reads octal digits in quotes: 0027 without them is 23 to some
// readers of YAML and 27 to others.
func (r *reader) readUmask(f field) {
	n := f.value
	if looksNumeric(n) {
		hint := umaskHint
		if digits := strings.TrimPrefix(n.Value, "0o"); isOctal(digits) {
			hint = `write "` + padded(digits) + `"`
		}
		r.reportAt(n, badUmask, hint, "umask must be in quotes: %s without them is a number, octal to some readers of YAML and decimal to others", n.Value)
		return
	}
	s, ok := r.text(n, "umask")
	if !ok {
		return
	}
	v, err := strconv.ParseUint(s, 8, 32)
	if err != nil || !isOctal(s) || len(s) < 3 || len(s) > 4 || v > maxUmask {
		hint := umaskHint
		if isOctal(s) && len(s) < 3 {
			hint = `write "` + padded(s) + `"`
		}
		r.reportAt(n, badUmask, hint, "umask must be three or four octal digits up to 0777, not %s", quote(s))
		return
	}
	mask := uint32(v)
	r.profile.Umask = &mask
}

const umaskHint = `"0027" keeps others out and the group from writing`

func isOctal(s string) bool { return s != "" && len(s) <= 4 && strings.Trim(s, "01234567") == "" }

func padded(s string) string { return strings.Repeat("0", 4-len(s)) + s }
