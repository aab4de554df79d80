package systemd

import (
	"math"
	"math/bits"
	"strconv"
	"strings"
)

// parseBool is parse_boolean of systemd.
func parseBool(s string) (value, ok bool) {
	switch strings.ToLower(s) {
	case "1", "yes", "y", "true", "t", "on":
		return true, true
	case "0", "no", "n", "false", "f", "off":
		return false, true
	}
	return false, false
}

// parseMode is parse_mode of systemd: octal digits, up to 07777.
func parseMode(s string) (mode uint32, ok bool) {
	if s == "" || strings.Trim(s, "01234567") != "" {
		return 0, false
	}
	n, err := strconv.ParseUint(s, 8, 32)
	return uint32(n), err == nil && n <= 0o7777
}

// parseUnsigned is safe_atou64 of systemd: strtoull(3) in base 0.
func parseUnsigned(s string) (n uint64, ok bool) {
	s = strings.TrimPrefix(s, "+")
	if strings.ContainsAny(s, "_+-") {
		return 0, false
	}
	n, err := strconv.ParseUint(s, 0, 64)
	return n, err == nil
}

// parseSize is parse_size of systemd with base 1024: numbers with the suffixes E to B, each
// smaller than the one before, added up.
func parseSize(s string) (total uint64, ok bool) {
	const suffixes = "EPTGMKB"
	allowed := 0
	for first := true; s != "" || first; first = false {
		number, fraction, rest, ok := decimal(s)
		if !ok {
			return 0, false
		}
		factor, n := uint64(1), len(suffixes)
		if rest != "" {
			if n = strings.IndexByte(suffixes, rest[0]); n < allowed {
				return 0, false
			}
			factor, rest = 1<<(10*(len(suffixes)-1-n)), rest[1:]
		}
		over, product := bits.Mul64(number, factor)
		amount, carry := bits.Add64(product, uint64(fraction*float64(factor)), 0)
		var carry2 uint64
		if total, carry2 = bits.Add64(total, amount, 0); over != 0 || carry+carry2 != 0 {
			return 0, false
		}
		allowed, s = n+1, rest
	}
	return total, true
}

// decimal reads a decimal number with an optional fraction, and the white space around it.
func decimal(s string) (number uint64, fraction float64, rest string, ok bool) {
	s = strings.TrimLeft(s, " \t\n\r")
	end := len(s) - len(strings.TrimLeft(s, "0123456789"))
	number, err := strconv.ParseUint(s[:end], 10, 64)
	if err != nil {
		return 0, 0, "", false
	}
	s = s[end:]
	if after, found := strings.CutPrefix(s, "."); found {
		end := len(after) - len(strings.TrimLeft(after, "0123456789"))
		const digits = 18 // more do not change the result
		fraction, _ = strconv.ParseFloat("0."+after[:min(end, digits)]+"0", 64)
		s = after[end:]
	}
	return number, fraction, strings.TrimLeft(s, " \t\n\r"), true
}

// timeUnits are the units of systemd.time(7) in microseconds. Of two that begin alike, the
// longer one is first.
var timeUnits = [...]struct {
	name string
	unit uint64
}{
	{"seconds", 1e6}, {"second", 1e6}, {"sec", 1e6},
	{"minutes", 60e6}, {"minute", 60e6}, {"min", 60e6},
	{"months", 2629800e6}, {"month", 2629800e6}, {"msec", 1e3}, {"ms", 1e3},
	{"hours", 3600e6}, {"hour", 3600e6}, {"hr", 3600e6},
	{"days", 86400e6}, {"day", 86400e6},
	{"weeks", 604800e6}, {"week", 604800e6},
	{"years", 31557600e6}, {"year", 31557600e6},
	{"usec", 1}, {"us", 1}, {"µs", 1}, {"μs", 1},
	{"s", 1e6}, {"m", 60e6}, {"M", 2629800e6}, {"h", 3600e6}, {"d", 86400e6}, {"w", 604800e6}, {"y", 31557600e6},
}

// parseTime is parse_time of systemd: numbers with units, added up, in microseconds. A
// number without a unit is in the default unit.
func parseTime(s string, unit uint64) (total uint64, ok bool) {
	for first := true; s != "" || first; first = false {
		number, fraction, rest, ok := decimal(s)
		if !ok {
			return 0, false
		}
		factor := unit
		for _, u := range timeUnits {
			if after, found := strings.CutPrefix(rest, u.name); found {
				factor, rest = u.unit, after
				break
			}
		}
		over, product := bits.Mul64(number, factor)
		amount, carry := bits.Add64(product, uint64(fraction*float64(factor)), 0)
		var carry2 uint64
		if total, carry2 = bits.Add64(total, amount, 0); over != 0 || carry+carry2 != 0 || total == math.MaxUint64 {
			return 0, false
		}
		s = strings.TrimLeft(rest, " \t\n\r")
	}
	return total, true
}
