package policy

import (
	"strings"

	"gopkg.in/yaml.v3"
)

// otherReading returns what YAML 1.1 readers, which many tools still use, make of
// a plain scalar that is text in YAML 1.2. It is empty where all readers agree.
// The types are those of https://yaml.org/type/ and of the readers of Python and
// Ruby.
func otherReading(n *yaml.Node) string {
	switch s := n.Value; {
	case !isPlain(n) || s == "":
		return ""
	case isOldBool(s):
		return "true or false"
	case s == "=":
		return "an error"
	case s == "<<":
		return "a merge key"
	case isSexagesimal(s):
		return "a number in base 60"
	case isOldTime(s):
		return "a date and time"
	}
	return ""
}

func isAmbiguous(n *yaml.Node) bool { return otherReading(n) != "" }

func isOldBool(s string) bool {
	if len(s) > len("yes") {
		return false
	}
	switch strings.ToLower(s) {
	case "y", "yes", "n", "no", "on", "off":
		return true
	}
	return false
}

// isSexagesimal reports whether s is a number in base 60, as 12:30 and
// 190:20:30.15.
func isSexagesimal(s string) bool {
	first, rest, ok := strings.Cut(strings.TrimLeft(s, "+-"), ":")
	if !ok || len(s)-len(first)-len(rest) > len("-:") || !isUnderscored(first) || first[0] == '_' {
		return false
	}
	rest, fraction, _ := strings.Cut(rest, ".")
	if fraction != "" && !isUnderscored(fraction) {
		return false
	}
	for part := range strings.SplitSeq(rest, ":") {
		if !isDecimal(part) || len(part) > 2 || len(part) == 2 && part[0] > '5' {
			return false
		}
	}
	return true
}

// isUnderscored reports whether s is made of digits and underscores.
func isUnderscored(s string) bool { return s != "" && strings.Trim(s, "0123456789_") == "" }

// isOldTime reports whether s is a date and a time in a form of YAML 1.1, such as 2027-01-31 12:30:00 -5.
func isOldTime(s string) bool {
	// digits skips at most that many digits.
	digits := func(least, most int) bool {
		n := 0
		for n < len(s) && n < most && '0' <= s[n] && s[n] <= '9' {
			n++
		}
		s = s[n:]
		return n >= least
	}
	char := func(chars string) bool {
		ok := s != "" && strings.IndexByte(chars, s[0]) >= 0
		if ok {
			s = s[1:]
		}
		return ok
	}
	if !digits(4, 4) || !char("-") || !digits(1, 2) || !char("-") || !digits(1, 2) || !char("Tt \t") {
		return false
	}
	s = strings.TrimLeft(s, " \t")
	if !digits(1, 2) || !char(":") || !digits(2, 2) || !char(":") || !digits(2, 2) {
		return false
	}
	if char(".") {
		digits(0, len(s))
	}
	s = strings.TrimLeft(s, " \t")
	if s == "" || s == "Z" {
		return true
	}
	if !char("+-") || !digits(1, 2) {
		return false
	}
	char(":")
	return s == "" || digits(2, 2) && s == ""
}
