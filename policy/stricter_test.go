package policy

import (
	"math/rand/v2"
	"slices"
	"strings"
	"testing"

	"caprun/schema"

	"gopkg.in/yaml.v3"
)

// The reader alone must refuse whatever the schema refuses: only the reader says
// where a mistake is, and why. FuzzReaderIsStricter looks for a counterexample among
// what the reader accepts. The tests here go the other way: they begin with
// what the schema refuses. In both, the schema sees what yaml.v3 decodes.

// schemaRefuses says why the schema refuses a document, and nil if it does not
// or if yaml.v3 does not decode it.
func schemaRefuses(src []byte) error {
	var document any
	if yaml.Unmarshal(src, &document) != nil {
		return nil
	}
	return schema.Validate(jsonOf(&testing.T{}, document))
}

// readerRefuses reports whether the reader refuses a document by itself.
func readerRefuses(name string, src []byte) bool {
	p, _ := Read(name, src)
	return p == nil
}

// TestReaderRefusesWhatTheSchemaRefuses: on the files with mistakes, and on
// every file with one value changed into each of a list of others, with one
// key renamed, and with one value left out.
func TestReaderRefusesWhatTheSchemaRefuses(t *testing.T) {
	refused := map[string]int{}
	compare := func(kind, name string, src []byte) {
		if err := schemaRefuses(src); err != nil {
			refused[kind]++
			if !readerRefuses(name, src) {
				t.Errorf("%s, %s: the schema refuses it and the reader does not: %v\n%s", name, kind, err, src)
			}
		}
	}
	for path, src := range profiles(t, "err") {
		compare("as it is", path, src)
	}
	for path, src := range profiles(t, "ok") {
		var document any
		if len(src) > 4096 || yaml.Unmarshal(src, &document) != nil {
			continue
		}
		changes(document, func(kind string) {
			text, err := yaml.Marshal(document)
			if err != nil {
				t.Fatal(err)
			}
			compare(kind, path, text)
		})
	}
	for kind, atLeast := range map[string]int{"as it is": 50, "another value": 500, "another key": 20, "one less": 5} {
		if refused[kind] < atLeast {
			t.Errorf("%s: the schema refuses %d documents only", kind, refused[kind])
		}
	}
	t.Log(refused)
}

// others are values that some keys take and most do not.
var others = [...]any{
	nil, true, false, 0, 1, 2, -1, 65536, int64(4294967295), int64(1 << 40), 0.5, 1e300, "", " ", "0", "-1", "yes", "root", "a b", "/", "//", "/a/../b",
	"relative", "cap_kill=eip", "PURE1E", "unlimited", "0027", "08", "A=B", strings.Repeat("x", 300),
	[]any{}, []any{1}, []any{"a"}, []any{"noroot", "noroot"}, []any{"cap_kill", "cap_kill"}, []any{"chown"}, []any{41}, []any{nil}, []any{[]any{}}, map[string]any{}, map[string]any{"soft": 1}, map[string]any{"x": nil},
}

// changes calls try with each change of a document in place, one at a time.
func changes(document any, try func(kind string)) {
	replace := func(set func(any), old any) {
		for _, other := range others {
			set(other)
			try("another value")
		}
		set(old)
		changes(old, try)
	}
	switch d := document.(type) {
	case map[string]any:
		keys := make([]string, 0, len(d))
		for key := range d {
			keys = append(keys, key)
		}
		slices.Sort(keys)
		for _, key := range keys {
			old := d[key]
			replace(func(v any) { d[key] = v }, old)
			delete(d, key)
			try("one less")
			for _, name := range []string{strings.ToUpper(key), key + "s", "x", ""} {
				if _, taken := d[name]; !taken {
					d[name] = old
					try("another key")
					delete(d, name)
				}
			}
			d[key] = old
		}
	case []any:
		for n, old := range d {
			replace(func(v any) { d[n] = v }, old)
		}
	}
}

// TestRandomBytes: on files with random bytes changed, which leads to other
// values than the list above.
func TestRandomBytes(t *testing.T) {
	const rounds = 200
	g := rand.New(rand.NewPCG(1, 2))
	refused := 0
	for path, src := range profiles(t, "ok") {
		if len(src) > 4096 || len(src) == 0 {
			continue
		}
		for range rounds {
			text := slices.Clone(src)
			for range 1 + g.IntN(3) {
				const letters = "0123456789-+.:,[]{}#'\"\n abcxyz_=/~"
				text[g.IntN(len(text))] = letters[g.IntN(len(letters))]
			}
			if err := schemaRefuses(text); err != nil {
				refused++
				if !readerRefuses(path, text) {
					t.Errorf("%s: the schema refuses it and the reader does not: %v\n%s", path, err, text)
				}
			}
		}
	}
	if refused < 100 {
		t.Errorf("the schema refuses %d documents only", refused)
	}
}

// TestValidateSchema: what the reader accepted is validated against the schema.
func TestValidateSchema(t *testing.T) {
	document, _, err := decode([]byte("version: 2\n"))
	if err != nil {
		t.Fatal(err)
	}
	if validateSchema(document.Content[0]) == nil {
		t.Error("the schema accepts version 2")
	}
}
