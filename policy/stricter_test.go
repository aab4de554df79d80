package policy

import (
	"maps"
	"math/rand/v2"
	"slices"
	"strings"
	"testing"

	"caprun/internal/test/requires"
	"caprun/schema"

	"gopkg.in/yaml.v3"
)

// The reader must refuse what the schema refuses, because only the reader reports where
// an error is, and why. FuzzReaderIsStricter searches documents that the reader accepts
// for one that the schema refuses. The tests in this file begin with documents that
// the schema refuses. In both, the schema gets what yaml.v3 decodes.

// schemaRefuses returns why the schema refuses a document, and nil if it does not or
// if yaml.v3 does not decode it.
func schemaRefuses(src []byte) error {
	var document any
	if yaml.Unmarshal(src, &document) != nil {
		return nil
	}
	return schema.Validate(jsonOf(&testing.T{}, document))
}

// readerRefuses reports whether the reader refuses a document without the schema.
func readerRefuses(name string, src []byte) bool {
	p, _ := Read(name, src)
	return p == nil
}

// TestReaderRefusesWhatTheSchemaRefuses tries the files with errors, and every valid
// file with one value replaced by each of others, one key renamed, or one removed.
func TestReaderRefusesWhatTheSchemaRefuses(t *testing.T) {
	refused := map[string]int{}
	compare := func(kind, name string, src []byte) {
		if err := schemaRefuses(src); err != nil {
			refused[kind]++
			if !readerRefuses(name, src) {
				t.Errorf("%s, %s: the schema refuses it, but the reader does not: %v\n%s", name, kind, err, src)
			}
		}
	}
	for path, src := range profiles(t, "err") {
		compare("as it is", path, src)
	}
	count := 0
	valid := profiles(t, "ok")
	for _, path := range slices.Sorted(maps.Keys(valid)) {
		src := valid[path]
		var document any
		if len(src) > 4096 || yaml.Unmarshal(src, &document) != nil {
			continue
		}
		changes(document, func(kind string) {
			// The number of values is no multiple of 5: each is tried.
			if count++; count%requires.Rounds(5, 1) != 0 {
				return
			}
			text, err := yaml.Marshal(document)
			if err != nil {
				t.Fatal(err)
			}
			compare(kind, path, text)
		})
	}
	for kind, atLeast := range map[string]int{"as it is": 50, "another value": 500, "another key": 20, "one less": 5} {
		if refused[kind] < atLeast {
			t.Errorf("%s: the schema refuses only %d documents", kind, refused[kind])
		}
	}
	t.Log(refused)
}

// others are values that few keys accept.
var others = [...]any{
	nil, true, false, 0, 1, 2, -1, 65536, int64(4294967295), int64(1 << 40), 0.5, 1e300, "", " ", "0", "-1", "yes", "root", "a b", "/", "//", "/a/../b",
	"relative", "cap_kill=eip", "PURE1E", "unlimited", "0027", "08", "A=B", strings.Repeat("x", 300),
	[]any{}, []any{1}, []any{"a"}, []any{"noroot", "noroot"}, []any{"cap_kill", "cap_kill"}, []any{"chown"}, []any{41}, []any{nil}, []any{[]any{}}, map[string]any{}, map[string]any{"soft": 1}, map[string]any{"x": nil},
}

// changes makes each change of a document in place, one at a time, and calls try.
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

// TestRandomBytes tries valid files with random bytes changed, for values that others
// does not have.
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
					t.Errorf("%s: the schema refuses it, but the reader does not: %v\n%s", path, err, text)
				}
			}
		}
	}
	if refused < 100 {
		t.Errorf("the schema refuses only %d documents", refused)
	}
}

// TestValidateSchema: validateSchema refuses what the schema refuses.
func TestValidateSchema(t *testing.T) {
	document, _, err := decode([]byte("version: 2\n"))
	if err != nil {
		t.Fatal(err)
	}
	if validateSchema(document.Content[0]) == nil {
		t.Error("the schema accepts version 2")
	}
}
