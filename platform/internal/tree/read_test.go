package tree

import (
	"fmt"
	"strings"
	"testing"
	"time"

	"caprun/internal/test/cputime"
	"caprun/platform/declared"
)

func read(t *testing.T, text string) *Node {
	t.Helper()
	documents, found := Read(declared.File{Name: "f", Text: []byte(text)})
	if len(found) > 0 || len(documents) != 1 {
		t.Fatalf("%d documents, %v", len(documents), found)
	}
	return documents[0]
}

// TestPositions: the position of a value is that of its text, with quotes and brackets.
func TestPositions(t *testing.T) {
	text := "a: b\n" +
		"\"ü k\": 'it''s'\n" +
		"l: [x, \"y\", {z: 1}, ] # c\n" +
		"block:\n  - one\n  - two words\n" +
		"lit: |\n  text\n" +
		"esc: \"a\\\"b\" # c\n" +
		"anchor: &n {k: v}\n" +
		"alias: *n\n"
	n := read(t, text)
	lines := strings.Split(text, "\n")
	for _, test := range []struct{ key, want string }{
		{"a", "b"}, {"ü k", "'it''s'"}, {"l", `[x, "y", {z: 1}, ]`}, {"lit", "|"}, {"esc", `"a\"b"`}, {"alias", "&n {k: v}"},
	} {
		at := n.Get(test.key).At
		got := string([]rune(lines[at.Line-1])[at.Column-1 : at.EndColumn-1])
		if at.EndLine != at.Line || got != test.want {
			t.Errorf("%s: %v: %q, want %q", test.key, at, got, test.want)
		}
	}
	if at := n.Get("block").At; at.Line != 5 || at.Column != 3 || at.EndLine != 6 || at.EndColumn != 14 {
		t.Errorf("block: %+v", at)
	}
	e, _ := n.Entry("a")
	if s := e.Source(); s.Text != "a: b" || s.Line != 1 || s.Column != 4 || e.KeySource().Column != 1 {
		t.Errorf("%+v", s)
	}
}

// TestMerge: explicit keys win, then earlier mappings, as the specification of merge keys
// says.
func TestMerge(t *testing.T) {
	n := read(t, "x: &x {a: 1, b: 2}\ny: &y {b: 3, c: 4}\nm:\n  <<: [*x, *y]\n  a: 0\n")
	got := ""
	for _, e := range n.Get("m").Entries {
		got += e.Key + "=" + e.Value.Value + " "
	}
	if got != "a=0 b=2 c=4 " {
		t.Errorf("%s", got)
	}
}

// TestScalars: only what YAML takes for a boolean or a number is one.
func TestScalars(t *testing.T) {
	n := read(t, "{t: true, y: yes, q: \"true\", n: 10, o: 010, s: '10', z: , tag: !!str 5}")
	if v, ok := n.Get("t").Bool(); !v || !ok {
		t.Error("true")
	}
	if v, ok := n.Get("y").Bool(); !v || !ok {
		t.Error("yes")
	}
	for _, key := range []string{"q", "n", "z"} {
		if _, ok := n.Get(key).Bool(); ok {
			t.Errorf("%s is a boolean", key)
		}
	}
	if v, ok := n.Get("n").Uint(10); v != 10 || !ok {
		t.Error("10")
	}
	for _, key := range []string{"o", "s", "z", "t", "tag"} {
		if _, ok := n.Get(key).Uint(100); ok {
			t.Errorf("%s is a number", key)
		}
	}
	if n.Get("z") != nil || n.Get("none").Path("a", "b") != nil || len(n.Get("none").List()) > 0 {
		t.Error("absent values")
	}
}

// TestRefused: what editors and YAML read differently, and what is ambiguous, is an error
// with its position.
func TestRefused(t *testing.T) {
	for _, test := range []struct {
		text, message string
		line, column  int
	}{
		{"a: 1\nb: 2\na: 3\n", `the key "a" is on line 1, too`, 3, 1},
		{"{\"a\": 1,\n \"a\": 2}", `the key "a" is on line 1, too`, 2, 2},
		{"a: x\rb: y", "a carriage return is not before a line feed", 1, 5},
		{"a: \u2028", "a line break of Unicode is not allowed", 1, 4},
		{"a: \x01", "a control character is not allowed", 1, 4},
		{"a: \xff", "a byte is not UTF-8", 1, 4},
		{"\xff\xfea", "the file is UTF-16", 1, 1},
		{"a: [", "invalid YAML: did not find expected node content", 1, 1},
		{"a: &a\n  b: *a\n", "the alias *a is inside of its own anchor", 2, 6},
		{"a: *none\n", "invalid YAML: unknown anchor 'none' referenced", 1, 1},
		{"{a: b}: c\n", "a key is not a text", 1, 1},
		{"<<: 3\n", "the merge key << needs a mapping", 1, 1},
		{"x: {{ .Values.x }}\n", "a key is not a text", 1, 5},
		{"%TAG ! x\n---\na: b", "%TAG directives are not allowed", 1, 1},
		{strings.Repeat("[", maxDepth+1) + strings.Repeat("]", maxDepth+1), "the file has more than 128 levels", 1, 129},
		{strings.Repeat("x", declared.MaxSize+1), "file exceeds 1024 KiB", 1, 1},
		{strings.Repeat("---\na\n", maxDocuments+1), "invalid YAML: the file has more than 4096 documents", 8193, 1},
	} {
		documents, found := Read(declared.File{Name: "f", Text: []byte(test.text)})
		if len(documents) > 0 || len(found) == 0 || found[0].Message != test.message || found[0].Line != test.line || found[0].Column != test.column {
			t.Errorf("%.40q: %v", test.text, found)
		}
	}
}

// TestTemplate: a template is named as such, wherever YAML fails because of it.
func TestTemplate(t *testing.T) {
	for _, text := range []string{"x: {{ .Values.x }}\n", "{{- if .Values.x }}\nx: y\n{{- end }}\n"} {
		if _, found := Read(declared.File{Name: "f", Text: []byte(text)}); len(found) == 0 || !strings.HasPrefix(found[0].Hint, "render the template") {
			t.Errorf("%q: %+v", text, found)
		}
	}
}

// TestHostile: aliases, merge keys and nesting do not multiply the work.
func TestHostile(t *testing.T) {
	laughs := func() string {
		var b strings.Builder
		b.WriteString("a0: &a0 [x, x]\n")
		for n := 1; n < 60; n++ {
			fmt.Fprintf(&b, "a%d: &a%d [*a%d, *a%d, *a%d]\n", n, n, n-1, n-1, n-1)
		}
		return b.String()
	}
	merges := func() string {
		var b strings.Builder
		b.WriteString("m: &m\n")
		for n := range 20000 {
			fmt.Fprintf(&b, "  k%d: v\n", n)
		}
		for n := range 20000 {
			fmt.Fprintf(&b, "x%d: {<<: *m}\n", n)
		}
		return b.String()
	}
	fill := func(s string) string { return strings.Repeat(s, declared.MaxSize/len(s)) }
	for name, text := range map[string]string{
		"laughs": laughs(), "merges": merges(), "brackets": fill("["), "braces": fill("{"), "empty lists": "[" + fill("[],")[:declared.MaxSize-4] + "]",
		"keys": fill("a:\n"), "questions": fill("? "), "dashes": fill("- "), "comments": fill("# a\n"), "trailing comments": fill("- a # b\n"),
		"documents": fill("---\n"), "anchors": fill("- &a a\n"), "line": "\"" + fill("ü")[:declared.MaxSize-2] + "\"", "quotes": fill("'"),
		"anchored key": "a: &m" + strings.Repeat("\n", declared.MaxSize/2) + "  k\nb:\n" + strings.Repeat("- *m : b\n", declared.MaxSize/2/9-4),
		"tags":         fill("%TAG !a! b\n"), "many": fill("- a\n"), "aliases": "- &a x\n" + fill("- *a\n")[:declared.MaxSize-10], "wide": "a: {" + fill("ü,")[:declared.MaxSize-10] + "}",
	} {
		begin := cputime.Used(t)
		documents, found := Read(declared.File{Name: "f", Text: []byte(text)})
		if took := cputime.Used(t) - begin; took > 5*time.Second {
			t.Errorf("%s: took %v", name, took)
		}
		if refused := len(found) > 0; refused != (name == "laughs" || name == "merges") && strings.Contains("laughs merges aliases", name) {
			t.Errorf("%s: %v", name, found)
		}
		if (len(documents) > 0) == (len(found) > 0) && name != "documents" && name != "comments" {
			t.Errorf("%s: %d documents, %v", name, len(documents), found)
		}
	}
}

// FuzzRead: Read never panics; its nodes are bounded and have positions in the file.
func FuzzRead(f *testing.F) {
	for _, s := range []string{"a: b\n", "x: &x {a: 1}\ny: {<<: *x}\n", "[\"\\u00fc\", 'a', |\n x\n]", "- a # c\n- {b: [c]}\n---\n\"d\"", "? a\n: b\n", "!a b: !!str c", "a: &x # c\n  !!bool \"on\"\nb: ! '0'\nc: !!int 0_1"} {
		f.Add([]byte(s))
	}
	f.Fuzz(func(t *testing.T, text []byte) {
		documents, found := Read(declared.File{Name: "f", Text: text})
		if len(documents) > 0 && len(found) > 0 {
			t.Fatal("documents and findings")
		}
		lines := strings.Count(string(text), "\n") + 1
		for _, d := range found {
			if d.Line < 1 || d.Line > lines || d.File != "f" || d.Message == "" {
				t.Fatalf("%+v", d)
			}
		}
		nodes := 0
		var walk func(n *Node)
		walk = func(n *Node) {
			if nodes++; nodes > MaxNodes {
				t.Fatal("too many nodes")
			}
			at := n.At
			if at.Line < 1 || at.EndLine > lines || at.EndLine < at.Line || at.EndLine == at.Line && at.EndColumn < at.Column {
				t.Fatalf("%+v", n)
			}
			for _, e := range n.Entries {
				walk(e.Value)
			}
			for _, i := range n.Items {
				walk(i)
			}
		}
		for _, d := range documents {
			walk(d)
		}
	})
}
