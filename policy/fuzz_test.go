package policy

import (
	"encoding/json"
	"fmt"
	"math"
	"slices"
	"strings"
	"testing"
	"time"

	"caprun/internal/test/cputime"
	"caprun/schema"

	"gopkg.in/yaml.v3"
)

func addProfiles(f *testing.F) {
	for _, dir := range []string{"ok", "err", "real"} {
		for _, src := range profiles(f, dir) {
			if len(src) < 4096 {
				f.Add(src)
			}
		}
	}
}

// FuzzParse: Parse never panics and is fast. It returns a profile if and only if there
// is no error. Diagnostics are sorted, and have known rules and positions in the file.
func FuzzParse(f *testing.F) {
	addProfiles(f)
	names := map[string]bool{}
	for _, r := range Rules() {
		names[r.Name] = true
	}
	delete(names, rules[internalError].Name)
	f.Fuzz(func(t *testing.T, src []byte) {
		begin := cputime.Used(t)
		p, diagnostics := Parse("fuzz.yaml", src)
		if took := cputime.Used(t) - begin; took > 5*time.Second {
			t.Errorf("took %v", took)
		}
		if (p == nil) != HasErrors(diagnostics) {
			t.Fatalf("profile %v, diagnostics %v", p != nil, diagnostics)
		}
		sorted := slices.Clone(diagnostics)
		Sort(sorted)
		if !slices.Equal(sorted, diagnostics) {
			t.Error("not sorted")
		}
		if len(slices.Compact(sorted)) < len(diagnostics) {
			t.Errorf("duplicate diagnostic: %v", diagnostics)
		}
		if _, again := Parse("fuzz.yaml", src); !slices.Equal(again, diagnostics) {
			t.Errorf("different diagnostics for one file:\n%v\n%v", diagnostics, again)
		}
		for _, d := range diagnostics {
			if !names[d.Rule] || d.Message == "" || d.File != "fuzz.yaml" {
				t.Errorf("%+v", d)
			}
			if text := d.Message + d.Hint; strings.ContainsFunc(text, isForbidden) || len(text) > 16*maxMessageLength {
				t.Errorf("cannot be printed: %q", text)
			}
			if !isIn(src, d.Position) {
				t.Errorf("%v is not in the file: %s", d.Position, d)
			}
		}
		if p == nil {
			return
		}
		for path, place := range p.places {
			value, key := p.Position(path), p.KeyPosition(path)
			if !isIn(src, value) || (key.IsKnown() || place.key != extent{}) && !isIn(src, key) {
				t.Errorf("%s is at %v, its key at %v", path, value, key)
			}
		}
	})
}

// isIn reports whether a position is in a file, its end after its beginning.
func isIn(src []byte, p Position) bool {
	in := func(line, column int) bool {
		if line < 1 || column < 1 {
			return false
		}
		lines := 1
		columns := map[int]int{1: 1}
		for _, c := range string(src) {
			columns[lines]++
			if c == '\n' {
				lines++
				columns[lines] = 1
			}
		}
		return line <= lines && column <= columns[line]
	}
	return in(p.Line, p.Column) && in(p.EndLine, p.EndColumn) && (p.EndLine > p.Line || p.EndLine == p.Line && p.EndColumn >= p.Column)
}

// FuzzReaderIsStricter: the reader refuses what the schema refuses. So Read and Parse
// return the same. The schema gets what yaml.v3 decodes, which the reader never uses.
func FuzzReaderIsStricter(f *testing.F) {
	addProfiles(f)
	f.Fuzz(func(t *testing.T, src []byte) {
		p, _ := Read("fuzz.yaml", src)
		if p == nil {
			return
		}
		var document any
		if err := yaml.Unmarshal(src, &document); err != nil {
			t.Fatalf("yaml.v3 does not decode it: %v", err)
		}
		document = jsonOf(t, document)
		if err := schema.Validate(document); err != nil {
			t.Errorf("the reader accepts it, but the schema does not: %v", err)
		}
		first, _, err := decode(src)
		if err != nil {
			t.Fatal(err)
		}
		compareTrees(t, first.Content[0], document)
	})
}

// jsonOf converts what yaml.v3 decodes to the types that the schema takes.
func jsonOf(t *testing.T, v any) any {
	switch v := v.(type) {
	case map[string]any:
		for key, value := range v {
			v[key] = jsonOf(t, value)
		}
		return v
	case map[any]any:
		m := map[string]any{}
		for key, value := range v {
			m[fmt.Sprint(key)] = jsonOf(t, value)
		}
		return m
	case []any:
		for i, value := range v {
			v[i] = jsonOf(t, value)
		}
		return v
	case int, int64, uint64:
		return json.Number(fmt.Sprint(v))
	case float64:
		if math.IsNaN(v) || math.IsInf(v, 0) {
			t.Errorf("the reader accepts the number %v", v)
		}
		return v
	case time.Time:
		// A day without quotes; YAML 1.2 has no dates.
		if v.Equal(v.Truncate(24 * time.Hour)) {
			return v.Format(time.DateOnly)
		}
		return v.String()
	}
	return v
}
