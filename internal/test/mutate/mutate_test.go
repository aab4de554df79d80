package main

import (
	"go/parser"
	"go/token"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"

	"caprun/internal/test/requires"
)

// operations are the parts of the model and of the code generators. The rule of each mutant begins with one.
var operations = []string{
	"capset:", "drop from bounding:", "raise ambient:", "lower ambient:", "clear ambient:",
	"securebits:", "keep-caps:", "no_new_privs:", "chroot:",
	"setuid:", "setreuid:", "setresuid:", "setfsuid:", "sets after a change of uids:",
	"setgid:", "setregid:", "setresgid:", "setfsgid:", "setgroups:",
	"new user namespace:",
	"exec, set-id bits:", "exec, file capabilities:", "exec, root:", "exec, unsafe:",
	"exec, changed ids:", "exec, the new state:", "exec, AT_SECURE:",
	"versions:",
	"amd64, numbers:", "amd64, encodings:", "amd64, operations:", "amd64, jumps:",
	"arm64, numbers:", "arm64, encodings:", "arm64, operations:", "arm64, branches:",
}

// TestTable: each mutant matches the model, and results in valid Go.
func TestTable(t *testing.T) {
	table, err := readTable()
	if err != nil {
		t.Fatal(err)
	}
	if len(table) < 25 {
		t.Errorf("%d mutants, want at least 25", len(table))
	}
	for _, name := range operations {
		if !slices.ContainsFunc(table, func(m mutant) bool { return strings.HasPrefix(m.rule, name) }) {
			t.Errorf("no mutant of %q", name)
		}
	}
	changes := map[string]string{}
	for _, m := range table {
		source, err := os.ReadFile(filepath.Join(root, m.file))
		if err != nil {
			t.Errorf("%s: %v", m.rule, err)
			continue
		}
		changed, err := m.apply(source)
		if err != nil {
			t.Error(err)
			continue
		}
		if _, err := parser.ParseFile(token.NewFileSet(), m.file, changed, parser.SkipObjectResolution); err != nil {
			t.Errorf("%s: %v", m.rule, err)
		}
		if first, again := changes[string(changed)]; again {
			t.Errorf("%q and %q make the same change", first, m.rule)
		}
		changes[string(changed)] = m.rule
	}
}

func TestParseTable(t *testing.T) {
	got, err := parseTable("# a comment\n\n== a.go\n\nx: one\n-\told\n+\tnew\n \tcontext\n\nx: two\n+new\n after\n")
	want := []mutant{
		{"x: one", "a.go", []string{"old", "context"}, []string{"new", "context"}},
		{"x: two", "a.go", []string{"after"}, []string{"new", "after"}},
	}
	same := func(a, b mutant) bool {
		return a.rule == b.rule && a.file == b.file && slices.Equal(a.old, b.old) && slices.Equal(a.new, b.new)
	}
	if err != nil || !slices.EqualFunc(got, want, same) {
		t.Errorf("%q, %v", got, err)
	}
	for text, problem := range map[string]string{
		"x: one\n-old":                            "before the first file",
		"== a.go\n-old":                           "without a rule",
		"== a.go\nx: one\n\n-old":                 "without a rule",
		"== a.go\nx: one\n-old\nold":              "neither",
		"== a.go\nx: one\n-old\n\nx: one\n-older": "second rule",
		"== a.go\nx: one":                         "changes nothing",
		"== a.go\nx: one\n-same\n+same":           "changes nothing",
		"== a.go\nx: one\n+only new":              "changes nothing",
	} {
		if _, err := parseTable(text); err == nil || !strings.Contains(err.Error(), problem) {
			t.Errorf("%q: %v, want %q", text, err, problem)
		}
	}
}

func TestApply(t *testing.T) {
	m := mutant{rule: "x", file: "a.go", old: []string{"old", "}"}, new: []string{"new", "}"}}
	for source, want := range map[string]string{
		"\tif {\n\t\told\n\t}\nend": "\tif {\nnew\n}\nend",
		"old\n}":                    "new\n}",
		"old\n":                     "", // missing
		"":                          "",
		"old\n}\nold\n}":            "", // twice
	} {
		got, err := m.apply([]byte(source))
		if string(got) != want || (err != nil) != (want == "") {
			t.Errorf("%q: %q, %v", source, got, err)
		}
	}
}

// TestTry has a mutant that the tests kill, one that changes nothing, and two without
// a result.
func TestTry(t *testing.T) {
	requires.Tool(t, "go")
	l, err := newLab(t.Context(), 100)
	if err != nil {
		t.Fatal(err)
	}
	defer l.close()
	table, err := readTable()
	if err != nil {
		t.Fatal(err)
	}
	i := slices.IndexFunc(table, func(m mutant) bool { return m.rule == "capset: permitted never grows" })
	if i < 0 {
		t.Fatal("the rule is gone")
	}
	if v, out, err := l.try(t.Context(), table[i]); err != nil || v != byKernel && v != byUnit {
		t.Errorf("%v, %v\n%s", v, err, out)
	}

	m := table[i]
	m.new = []string{"if true && !p.SubsetOf(c.Permitted) {"}
	short := l
	short.sequences = 1
	if v, out, err := short.try(t.Context(), m); err != nil || v != survived {
		t.Errorf("a change without effect: %v, %v\n%s", v, err, out)
	}
	m.new = []string{"if nonsense {"}
	if v, _, err := l.try(t.Context(), m); v != broken || err == nil || !strings.Contains(err.Error(), "nonsense") {
		t.Errorf("a mutant that does not compile: %v, %v", v, err)
	}
	m.old = []string{"nonsense"}
	if v, _, err := l.try(t.Context(), m); v != broken || err == nil || !strings.Contains(err.Error(), "0 times") {
		t.Errorf("a mutant whose old lines are missing: %v, %v", v, err)
	}
}
