package policy

import (
	"caprun/cap"

	"gopkg.in/yaml.v3"
)

// An ignoredCap is a capability that an entry of lint.ignore accepts.
type ignoredCap struct {
	value cap.Value
	node  *yaml.Node
}

// readIgnoredCaps reads a list of what the texts of capabilities have as names
// and numbers. It leaves out what is wrong.
func (r *reader) readIgnoredCaps(f field) []ignoredCap {
	items, ok := r.items(f.value, "caps", cap.NamedCount)
	if !ok {
		return nil
	}
	if len(items) == 0 {
		r.reportAt(f.value, badSuppression, "name the capabilities that are accepted, or leave caps out", "caps is empty, so the entry accepts nothing")
		return nil
	}
	seen := newOnce[cap.Value](r)
	caps := make([]ignoredCap, 0, len(items))
	for i, n := range items {
		v, ok := r.readIgnoredCap(n)
		if !ok || !seen.first(n, v, v.String()) {
			continue
		}
		r.place(item(f.path, i), nil, n)
		caps = append(caps, ignoredCap{v, n})
	}
	return caps
}

func (r *reader) readIgnoredCap(n *yaml.Node) (v cap.Value, ok bool) {
	name := n.Value
	if !looksNumeric(n) {
		if name, ok = r.text(n, "a capability"); !ok {
			return 0, false
		}
	}
	switch {
	case name == "all":
		r.reportAt(n, badSuppression, "name the capabilities that are accepted, or leave caps out", "all is no capability")
		return 0, false
	case name == "":
		r.reportAt(n, badSuppression, "name a capability, as cap_chown", "the capability has an empty name")
		return 0, false
	case !r.checkCapability(n, cap.Name{Text: name}, badSuppression):
		return 0, false
	}
	v, err := cap.FromName(name)
	return v, err == nil
}

// ignored is what the entries of lint.ignore for one rule accept.
type ignored struct {
	whole bool                     // all that the rule finds
	caps  map[cap.Value]*yaml.Node // or what is about these alone
}

// joinIgnored adds an entry to the earlier ones for its rule. There are several
// only where each names capabilities, and all of them others: then every
// finding has one reason, whatever the order.
func (r *reader) joinIgnored(earlier ignored, rule string, at *yaml.Node, caps []ignoredCap, whole bool) ignored {
	first := earlier.caps == nil
	if first {
		earlier = ignored{whole: whole, caps: make(map[cap.Value]*yaml.Node, len(caps))}
	}
	switch {
	case first:
	case whole && earlier.whole:
		r.reportAt(at, duplicateItem, "keep one of them", "the rule %s is already in the list", rule)
		return earlier
	case whole || earlier.whole:
		r.reportAt(at, duplicateItem, "give each of the entries caps of its own, or keep one of them", "the rule %s is already in the list, and an entry without caps accepts all that it finds", rule)
		return earlier
	}
	for _, c := range caps {
		if other := earlier.caps[c.value]; other != nil {
			r.reportAt(c.node, duplicateItem, "keep it in one of them", "%s is already in an entry for %s, on line %d", c.value, rule, r.source.line(other))
			continue
		}
		earlier.caps[c.value] = c.node
	}
	return earlier
}
