package policy

import (
	"encoding/json"
	"regexp"
	"slices"
	"strings"
	"testing"

	"caprun/schema"
)

// TestTables compares the lists of this package with those of the schema.
func TestTables(t *testing.T) {
	var s struct {
		Properties map[string]struct {
			Properties map[string]any
			Enum       []any
			Items      struct{ Enum []any }
		}
	}
	if err := json.Unmarshal(schema.JSON(), &s); err != nil {
		t.Fatal(err)
	}
	compare := func(what string, got, want []string) {
		t.Helper()
		slices.Sort(got)
		slices.Sort(want)
		if !slices.Equal(got, want) {
			t.Errorf("%s: the reader has %q, the schema %q", what, got, want)
		}
	}
	var properties, limits []string
	for name := range s.Properties {
		properties = append(properties, name)
	}
	for name := range s.Properties["rlimits"].Properties {
		limits = append(limits, name)
	}
	compare("keys", append([]string(nil), keys[:]...), properties)
	compare("limits", append([]string(nil), rlimitNames[:]...), limits)
	texts := func(values []any) (s []string) {
		for _, v := range values {
			s = append(s, v.(string))
		}
		return s
	}
	compare("modes", modeNames(), texts(s.Properties["mode"].Enum))
	secbits := slices.DeleteFunc(allSecbits.Names(), func(name string) bool { return name == "keep_caps" })
	compare("secbits", secbits, texts(s.Properties["secbits"].Items.Enum))
	if !slices.IsSorted(rlimitNames[:]) {
		t.Error("the limits are not sorted")
	}
	for _, name := range keys {
		_, found := Read("x.yaml", []byte(name+": {}\n"))
		for _, d := range found {
			if d.Rule == rules[internalError].Name {
				t.Error(d)
			}
		}
	}
	for _, other := range otherKeys {
		for _, name := range strings.Fields(other.names) {
			if found := otherKeyOf(name); found.names != other.names || slices.Contains(keys[:], name) {
				t.Errorf("%q is never found", name)
			}
		}
		if slices.Contains(keys[:], other.key) == (other.hint != "" || other.hintFor != nil) {
			t.Errorf("%q has either a key or a hint", other.names)
		}
	}
	for _, known := range syntaxProblems {
		if known.message == "" {
			t.Errorf("%q has no message", known.problem)
		}
	}
}

// TestRules: a name is kebab-case and belongs to one rule.
func TestRules(t *testing.T) {
	kebab := regexp.MustCompile(`^[a-z]+(-[a-z]+)+$`)
	seen := map[string]bool{}
	for _, r := range Rules() {
		if !kebab.MatchString(r.Name) || seen[r.Name] || !strings.HasSuffix(r.Summary, ".") || r.Severity != Error {
			t.Errorf("%+v", r)
		}
		seen[r.Name] = true
	}
	Rules()[0].Name = "changed"
	if rules[0].Name == "changed" {
		t.Error("a caller can change the table")
	}
}
