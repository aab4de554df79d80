package systemd

import (
	"math"
	"strconv"
	"strings"

	"caprun/cap"
	"caprun/engine/cred"
	"caprun/platform/declared"
	"caprun/policy"
)

// everything is the set of systemd with all bits, also those that no kernel has.
const everything = cred.Caps(math.MaxUint64)

// A capabilitySet is the value of CapabilityBoundingSet= or AmbientCapabilities=.
type capabilitySet struct {
	initial cred.Caps // everything, or nothing
	value   cred.Caps
	from    []*assignment // that the value comes from
}

// assign is config_parse_capability_set of systemd: the first assignment replaces the
// initial value, one that names no known capability always replaces the value, and the
// others add or, after '~', remove capabilities. So a single misspelt name empties the set.
func (c *capabilitySet) assign(a *assignment, found *findings) {
	text, inverted := strings.CutPrefix(a.value, "~")
	list, err := words(text, unquote)
	sum := cred.Caps(0)
	for _, w := range list {
		n, ok := capabilityNumber(w.text)
		if ok {
			sum = sum.With(n)
		}
		if ok && n < int(cap.NamedCount) || found.Ignores(declared.UnknownCapability) {
			continue
		}
		at := a.word(w.offset+len(a.value)-len(text), w.length)
		if ok {
			found.add(declared.UnknownCapability, at, "", "unknown capability %q: no kernel has it", clip(w.text))
		} else {
			found.add(declared.UnknownCapability, at, capabilityHint(w.text), "unknown capability %q: systemd ignores it", clip(w.text))
		}
	}
	if err != nil {
		found.add(declared.Ignored, a.source(), "close the quotes", "systemd ignores what follows unbalanced quotes in %s=", a.key)
	}
	replaces := sum == 0 || c.value == c.initial
	if sum == 0 && len(list) > 0 {
		what := "empty"
		if inverted {
			what = "full"
		}
		found.add(declared.Ignored, a.source(), "name a known capability", "%s= has no known capability, so the set is %s: earlier assignments do not count", a.key, what)
	}
	switch {
	case replaces && inverted:
		c.value = everything.Minus(sum)
	case replaces:
		c.value = sum
	case inverted:
		c.value = c.value.Minus(sum)
	default:
		c.value = c.value.Union(sum)
	}
	if replaces {
		c.from = nil
	}
	c.from = append(c.from, a)
}

// capabilityNumber is capability_from_name of systemd: a name with its prefix in any case,
// or a number up to 63.
func capabilityNumber(s string) (n int, ok bool) {
	if n, err := strconv.ParseInt(s, 0, 32); err == nil && !strings.Contains(s, "_") {
		return int(n), n >= 0 && n < 64
	}
	const prefix = "cap_"
	if len(s) < len(prefix) || !strings.EqualFold(s[:len(prefix)], prefix) {
		return 0, false
	}
	v, err := cap.FromName(strings.ToLower(s))
	if err != nil {
		return 0, false
	}
	return int(v), v < cap.Value(cap.NamedCount)
}

func capabilityHint(word string) string {
	name := policy.Suggest(word, cred.FirstCaps(cap.NamedCount).Names())
	if name == "" {
		name = policy.Suggest("cap_"+word, cred.FirstCaps(cap.NamedCount).Names())
	}
	if name == "" {
		return "write a name of capabilities(7), such as CAP_NET_BIND_SERVICE"
	}
	return "write " + strings.ToUpper(name)
}

// secureBits are the words of SecureBits=.
var secureBits = [...]struct {
	word string
	bit  cap.Secbits
}{
	{"keep-caps", cap.SecbitKeepCaps}, {"keep-caps-locked", cap.SecbitKeepCapsLocked},
	{"no-setuid-fixup", cap.SecbitNoSetUIDFixup}, {"no-setuid-fixup-locked", cap.SecbitNoSetUIDFixupLocked},
	{"noroot", cap.SecbitNoRoot}, {"noroot-locked", cap.SecbitNoRootLocked},
}

// readSecureBits is secure_bits_from_string of systemd, which ignores unknown words. Each
// assignment replaces the last one, although systemd.exec(5) says that they add up.
func readSecureBits(a *assignment, found *findings) cap.Secbits {
	names := make([]string, 0, len(secureBits))
	for _, b := range secureBits {
		names = append(names, b.word)
	}
	list, err := words(a.value, unquote)
	if err != nil {
		found.add(declared.Ignored, a.source(), "close the quotes", "systemd ignores what follows unbalanced quotes in %s=", a.key)
	}
	var value cap.Secbits
	for _, w := range list {
		known := false
		for _, b := range secureBits {
			if b.word == w.text {
				value |= b.bit
				known = true
			}
		}
		if !known && !found.Ignores(declared.Ignored) {
			hint := "the words are " + strings.Join(names, ", ")
			if meant := policy.Suggest(w.text, names); meant != "" {
				hint = "write " + meant
			}
			found.add(declared.Ignored, a.word(w.offset, w.length), hint, "unknown securebit %q: systemd ignores it", clip(w.text))
		}
	}
	return value
}
