package policy

import "gopkg.in/yaml.v3"

// A field is a key of a mapping and its value.
type field struct {
	name, path string
	key, value *yaml.Node
	bad        bool // what is wrong has been said; the value means nothing
}

// fields returns the fields of the mapping at path in the order of the file,
// the first one of each name. It reports whatever is wrong with a key or
// without a value. ok is false if the node is no mapping.
func (r *reader) fields(n *yaml.Node, path, what string) (fields []field, ok bool) {
	if n.Kind != yaml.MappingNode {
		r.reportAt(n, badType, "write KEY: VALUE lines", "%s must be a mapping of keys to values, not %s", what, kindOf(n))
		return nil, false
	}
	seen := make(map[string]*yaml.Node, min(len(n.Content)/2, len(keys)))
	fields = make([]field, 0, len(n.Content)/2)
	for i := 0; i+1 < len(n.Content); i += 2 {
		key, value := n.Content[i], n.Content[i+1]
		if key.Tag == "!!merge" || r.opaque(key) {
			continue
		}
		if !isScalar(key) {
			r.reportAt(key, badType, "", "a key must be a word, not %s", kindOf(key))
			continue
		}
		if other := otherReading(key); other != "" {
			r.reportAt(key, ambiguousValue, "put it in quotes", "the key %s is %s to some readers of YAML", shorten(key.Value, maxNameLength), other)
		}
		f := field{name: key.Value, path: key.Value, key: key, value: value, bad: r.opaque(value)}
		if path != "" {
			f.path = path + "." + f.name
		}
		if first, twice := seen[f.name]; twice {
			r.reportAt(key, duplicateKey, "keep one of them", "the key %s is already on line %d", quote(f.name), r.source.line(first))
			continue
		}
		seen[f.name] = key
		if isNull(value) && !f.bad {
			r.reportNull(key, value, "the key "+quote(f.name))
			f.bad = true
		}
		r.place(f.path, key, value)
		fields = append(fields, f)
	}
	return fields, true
}

// reportNull reports a null at its key if there is nothing else to point at.
func (r *reader) reportNull(key, value *yaml.Node, what string) {
	at := value
	if value.Value == "" && key != nil {
		at = key
	}
	r.reportAt(at, nullValue, "write a value, or leave it out", "%s has no value", what)
}

// place notes where the value at path stands.
func (r *reader) place(path string, key, value *yaml.Node) {
	p := place{value: r.source.extentOf(value), text: int32(r.source.verbatim(value)), length: int32(len(value.Value))}
	if key != nil {
		p.key = r.source.extentOf(key)
	}
	r.profile.places[path] = p
}

// reportUnknown reports a key that a mapping does not have.
func (r *reader) reportUnknown(f field, which rule, what, hint string) {
	r.reportAt(f.key, which, hint, "%s has no key %s", what, quote(f.name))
}
