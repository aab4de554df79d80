package systemd

import (
	"strings"

	"caprun/policy"
)

// A limitKind is how a resource limit is written: rlimit_parse_table of systemd
// (src/basic/rlimit-util.c).
type limitKind int

const (
	isCount    limitKind = iota
	isBytes              // with K, M, G
	isSeconds            // a time span, in seconds
	isMicros             // a time span, in microseconds
	isPriority           // +N and -N are nice levels
)

// limits are the limits of Limit* settings.
var limits = [...]struct {
	name string
	kind limitKind
}{
	{"as", isBytes}, {"core", isBytes}, {"cpu", isSeconds}, {"data", isBytes}, {"fsize", isBytes},
	{"locks", isCount}, {"memlock", isBytes}, {"msgqueue", isBytes}, {"nice", isPriority}, {"nofile", isCount},
	{"nproc", isCount}, {"rss", isBytes}, {"rtprio", isCount}, {"rttime", isMicros}, {"sigpending", isCount},
	{"stack", isBytes},
}

// limitOf returns the limit that a key sets.
func limitOf(key string) (name string, kind limitKind, ok bool) {
	upper, ok := strings.CutPrefix(key, "Limit")
	for _, l := range limits {
		if ok && upper == strings.ToUpper(l.name) {
			return l.name, l.kind, true
		}
	}
	return "", 0, false
}

// parseLimit reads SOFT:HARD or one value for both. why says why systemd ignores it.
func parseLimit(name string, kind limitKind, value string) (limit policy.Rlimit, why string) {
	soft, hard, two := strings.Cut(value, ":")
	if !two {
		hard = soft
	}
	limit = policy.Rlimit{Name: name}
	var ok, ok2 bool
	limit.Soft, ok = parseAmount(soft, kind)
	limit.Hard, ok2 = parseAmount(hard, kind)
	switch {
	case !ok || !ok2:
		return limit, "invalid value"
	case limit.Soft > limit.Hard:
		return limit, "the soft limit is above the hard limit"
	}
	return limit, ""
}

// parseAmount reads one value.
func parseAmount(s string, kind limitKind) (n uint64, ok bool) {
	if s == "infinity" && kind != isPriority {
		return policy.Unlimited, true
	}
	switch kind {
	case isBytes:
		n, ok = parseSize(s)
	case isSeconds:
		const second = 1e6
		n, ok = parseTime(s, second)
		whole := n / second
		if n%second != 0 {
			whole++
		}
		n = whole
	case isMicros:
		n, ok = parseTime(s, 1)
	case isPriority:
		return parsePriority(s)
	default:
		n, ok = parseUnsigned(s)
	}
	return n, ok && n < policy.Unlimited
}

// parsePriority reads the limit of the nice level: RLIMIT_NICE is 20 minus the level.
func parsePriority(s string) (n uint64, ok bool) {
	if s == "" {
		return 0, false
	}
	switch s[0] {
	case '+':
		n, ok = parseUnsigned(s[1:])
		return 20 - n, ok && n < 20
	case '-':
		n, ok = parseUnsigned(s[1:])
		return 20 + n, ok && n <= 20
	}
	n, ok = parseUnsigned(s)
	return n, ok && n <= 40
}
