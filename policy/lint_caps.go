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

var (
	ignoredCapsKind = listKind{
		what: "caps", limit: cap.NamedCount, separators: ",",
		fix:  capabilityName,
		hint: "write a list of capabilities",
	}
	ignoredCapKind = textKind{what: "a capability", fix: capabilityName, hint: "write the name of a capability"}
)

// readIgnoredCaps reads a list of names and numbers of capabilities. It leaves
// out what is wrong.
func (r *reader) readIgnoredCaps(f field) []ignoredCap {
	items, ok := r.items(f.value, ignoredCapsKind)
	if !ok {
		return nil
	}
	if len(items) == 0 {
		r.reportAt(f.value, badSuppression, "write a list of capabilities", "caps is empty: the entry accepts nothing")
		return nil
	}
	seen := newOnce[cap.Value](r)
	caps := make([]ignoredCap, 0, len(items))
	for i, n := range items {
		v, ok := r.readIgnoredCap(n, items)
		if !ok || !seen.first(n, v, "capability "+v.String()) {
			continue
		}
		r.place(item(f.path, i), nil, n)
		caps = append(caps, ignoredCap{v, n})
	}
	return caps
}

func (r *reader) readIgnoredCap(n *yaml.Node, items []*yaml.Node) (v cap.Value, ok bool) {
	name := n.Value
	if !looksNumeric(n) {
		if name, ok = r.text(n, ignoredCapKind); !ok {
			return 0, false
		}
	}
	switch {
	case name == "all":
		r.reportAt(n, badSuppression, "write the names of capabilities; an entry without caps accepts all", "caps cannot contain all")
		return 0, false
	case name == "":
		r.reportAt(n, badSuppression, ignoredCapKind.hint, "a capability has an empty name")
		return 0, false
	case !r.checkCapability(n, cap.Name{Text: name}, badSuppression, "", items):
		return 0, false
	}
	v, err := cap.FromName(name)
	return v, err == nil
}

// ignored is what the entries of lint.ignore for one rule accept.
type ignored struct {
	whole bool                     // everything that the rule finds
	caps  map[cap.Value]*yaml.Node // or what is about these alone
}

// joinIgnored adds an entry to the earlier ones for its rule. There are several
// only if each names capabilities, and no two the same one: then every finding
// has one reason, in any order of the entries.
func (r *reader) joinIgnored(earlier ignored, rule string, at *yaml.Node, caps []ignoredCap, whole bool) ignored {
	first := earlier.caps == nil
	if first {
		earlier = ignored{whole: whole, caps: make(map[cap.Value]*yaml.Node, len(caps))}
	}
	switch {
	case first:
	case whole && earlier.whole:
		r.reportAt(at, duplicateItem, "remove one of the entries", "duplicate entry for rule %s", rule)
		return earlier
	case whole || earlier.whole:
		r.reportAt(at, duplicateItem, "add caps to each of the entries, or remove one of the entries", "duplicate entry for rule %s: an entry without caps accepts every finding", rule)
		return earlier
	}
	for _, c := range caps {
		if other := earlier.caps[c.value]; other != nil {
			hint := "remove it from one of the entries"
			if len(caps) == 1 {
				hint = "remove one of the entries"
			}
			r.reportAt(c.node, duplicateItem, hint, "duplicate capability %s in the entries for rule %s (first on line %d)", c.value, rule, r.source.line(other))
			continue
		}
		earlier.caps[c.value] = c.node
	}
	return earlier
}
