package policy

import (
	"fmt"
	"slices"
	"strings"

	"gopkg.in/yaml.v3"
)

// A field is a key of a mapping and its value.
type field struct {
	name, path string
	key, value *yaml.Node
	bad        bool   // the value has been reported, and means nothing
	meant      string // for a key that profiles do not have: the one that was meant, or ""
}

// A mappingKind is a mapping of the format.
type mappingKind struct {
	what     string
	required []string                // keys that cannot be removed alone
	hint     func(*yaml.Node) string // for a value that is not a mapping
}

// fields returns the fields of the mapping at path in the order of the file,
// the first one of each name. It reports whatever is wrong with a key, and
// missing values. ok is false if the node is not a mapping.
func (r *reader) fields(n *yaml.Node, path string, k mappingKind) (fields []field, ok bool) {
	if n.Kind != yaml.MappingNode {
		r.reportAt(n, badType, k.hint(n), "%s must be a mapping of keys to values, not %s", k.what, kindOf(n))
		return nil, false
	}
	seen := make(map[string]*yaml.Node, min(len(n.Content)/2, len(keys)))
	fields = make([]field, 0, len(n.Content)/2)
	for i := 0; i+1 < len(n.Content); i += pair {
		key, value := n.Content[i], n.Content[i+1]
		if key.Tag == "!!merge" || r.opaque(key) {
			continue
		}
		if !isScalar(key) {
			r.reportAt(key, badType, "", "a key must be a word, not %s", kindOf(key))
			continue
		}
		if other := otherReading(key); other != "" {
			r.reportAt(key, ambiguousValue, write(inQuotes(key.Value), ""), "%s without quotes is text to some YAML readers and %s to others", quote(key.Value), other)
		}
		f := field{name: key.Value, path: key.Value, key: key, value: value, bad: r.opaque(value)}
		if path != "" {
			f.path = path + "." + f.name
		}
		if first, twice := seen[f.name]; twice {
			r.reportAt(key, duplicateKey, "remove one of them", "duplicate key %s (first on line %d)", quote(f.name), r.source.line(first))
			continue
		}
		seen[f.name] = key
		if isNull(value) && !f.bad {
			hint := "write a value"
			// A block without keys would have no value itself.
			if others := len(n.Content) > pair || n.Style&yaml.FlowStyle != 0; others && !slices.Contains(k.required, f.name) {
				hint += ", or remove the key"
			}
			r.reportNull(key, value, "key "+quote(f.name), hint)
			f.bad = true
		}
		r.place(f.path, key, value)
		fields = append(fields, f)
	}
	return fields, true
}

// reportNull reports a null, at its key if the value has no text.
func (r *reader) reportNull(key, value *yaml.Node, what, hint string) {
	at := value
	if value.Value == "" && key != nil {
		at = key
	}
	r.reportAt(at, nullValue, hint, "%s has no value", what)
}

// place records the position of the value at path.
func (r *reader) place(path string, key, value *yaml.Node) {
	p := place{value: r.source.extentOf(value), text: int32(r.source.verbatim(value)), length: int32(len(value.Value))}
	if key != nil {
		p.key = r.source.extentOf(key)
	}
	r.profile.places[path] = p
}

// unknownKey reports a key that the mapping in does not have; in is empty for
// a profile.
func (r *reader) unknownKey(f field, in, hint string) {
	if in != "" {
		in = " in " + in
	}
	r.reportAt(f.key, unknownKey, hint, "unknown key %s%s", quote(f.name), in)
}

// keyHint is the hint for a key that should have another name. If the name alone does
// not help, the hint says why.
func (r *reader) keyHint(f field, name string, others []field, read func(*reader, field)) string {
	if n := slices.IndexFunc(others, func(other field) bool { return other.name == name }); n >= 0 {
		return r.repeatedHint(others[n])
	}
	if wrong := r.valueMistake(f, name, read); wrong != nil {
		return wrongToo(name, wrong)
	}
	return didYouMean(name)
}

// repeatedHint is the hint for a key that stands for one that is already there.
func (r *reader) repeatedHint(other field) string {
	return fmt.Sprintf("remove it; %s is on line %d", other.name, r.source.line(other.key))
}

// valueMistake returns the first mistake in the value of a field if the key had another
// name, or nil.
func (r *reader) valueMistake(f field, name string, read func(*reader, field)) *Diagnostic {
	if f.bad {
		return nil
	}
	renamed := field{name: name, path: strings.TrimSuffix(f.path, f.name) + name, key: f.key, value: f.value}
	trial := r.trial()
	if read(trial, renamed); len(trial.found) > 0 {
		return &trial.found[0]
	}
	return nil
}

// trial returns a reader of the same file whose findings are not reported.
func (r *reader) trial() *reader {
	return &reader{file: r.file, source: r.source, profile: &Profile{places: map[string]place{}}, declared: r.declared}
}

// wrongToo is the hint for a key with a wrong name and a wrong value.
func wrongToo(name string, wrong *Diagnostic) string {
	hint := "the key is " + name + ", and its value is wrong too: " + wrong.Message
	if wrong.Hint != "" {
		hint += "; " + wrong.Hint
	}
	return hint
}
