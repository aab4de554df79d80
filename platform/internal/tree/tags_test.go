package tree

import (
	"fmt"
	"testing"

	"caprun/platform/declared"
	"caprun/policy"
)

// TestNumber: whole numbers are those of the reader of Kubernetes.
func TestNumber(t *testing.T) {
	for text, want := range map[string]int64{
		"010": 8, "0o10": 8, "0x10": 16, "1_000": 1000, "+0": 0, "-0": 0, "0b0": 0, `!!int "0"`: 0, "!!int 010": 8,
		"0.0": 0, "1e3": 1000, "1E3": 1000, ".0": 0, "5.": 5, "-1": -1, "!!float 5": 5, "1__0": 10, "&a 7": 7, "0X1f": 31, "08": 8,
	} {
		if v, ok := read(t, "a: "+text).Get("a").Number(); v != want || !ok {
			t.Errorf("%s: %d, %v", text, v, ok)
		}
	}
	for _, text := range []string{"'0'", "!!str 0", "0.5", "_1", "1:30", "1e", "0x", ".inf", ".nan", "1e400", "9007199254740993.0", "x", "[1]", "2001-01-01", "infinity", "0x1p4"} {
		if v, ok := read(t, "a: "+text).Get("a").Number(); ok {
			t.Errorf("%s: %d", text, v)
		}
	}
}

// TestTags: a tag that names the type of the value counts, and any other is an error.
func TestTags(t *testing.T) {
	n := read(t, "{b: !!bool \"true\", v: !<tag:yaml.org,2002:bool> 'on', s: !!str true, z: !!null '', m: !!map {a: b}, l: !!seq [], !!str k: v}")
	if v, ok := n.Get("b").Bool(); !v || !ok {
		t.Error("b")
	}
	if v, ok := n.Get("v").Bool(); !v || !ok {
		t.Error("v")
	}
	if _, ok := n.Get("s").Bool(); ok || n.Get("z") != nil || n.Get("m").Kind != Mapping || n.Get("l").Kind != List || n.Get("k").Text() != "v" {
		t.Error("s, z, m, l, k")
	}
	for text, column := range map[string]int{
		"a: !reset b": 4, "a: !override [b]": 4, "a: !x b": 4, "a: !!binary eA==": 4, "a: !!int x": 4, "a: !!bool x": 4, "a: !!null x": 4,
		"a: !!str [b]": 4, "a: !!map b": 4, "a: !!seq {}": 4, "a: ! \"true\"": 4, "a: &x ! '0'": 4, "a: &x !y {}": 4, "a: !!set {x}": 4,
		"a: &x # c\n  ! '0'": 4, "!!binary YQ==: b": 1, "!x a: b": 1, "a: !!timestamp 2001-01-01": 4, "! 'a': b": 1, "a: !<x> b": 4, "a: [b, !x c]": 8,
		"a: !!float x": 4, "a: !!merge <<": 4, "!!merge <<: {a: b}": 1, "{a: &m <<, b: {*m : {c: d}}}": 16, "{a: &m !!int 5, b: {*m : c}}": 21,
	} {
		documents, found := Read(declared.File{Name: "f", Text: []byte(text)})
		if len(documents) > 0 || len(found) == 0 || found[0].Line != 1 || found[0].Column != column {
			t.Errorf("%s: %v", text, found)
		}
	}
}

// TestComposeTags: !reset removes a key or an item, and !override changes nothing.
func TestComposeTags(t *testing.T) {
	documents, found := ReadCompose(declared.File{Name: "f", Text: []byte(`
user: !reset "33:33"
anchor: &a !reset x
alias: *a
cap_add: !reset [A, B]
list: [a, !reset b, *a, c]
map: !override {a: b}
text: !override true
`)})
	if len(found) > 0 || len(documents) != 1 {
		t.Fatal(found)
	}
	n := documents[0]
	if keys := n.Keys(); len(keys) != 3 || len(n.Get("list").Items) != 2 || n.Path("map", "a").Text() != "b" {
		t.Errorf("%v %v", keys, n.Get("list"))
	}
	if e := n.Get("text"); !e.IsString() || e.Value != "true" {
		t.Errorf("%+v", e)
	}
	for _, text := range []string{"a: !x b", "a: !override [!reset b]", "a: &a !reset b\nc: !override [*a]", "x: &x {u: a}\ny: {<<: *x, u: !reset b}", "<<: !reset {a: b}", "a: !reset a\na: b"} {
		if documents, found := ReadCompose(declared.File{Name: "f", Text: []byte(text)}); len(documents) > 0 || len(found) == 0 {
			t.Errorf("%s: no error", text)
		}
	}
	if documents, found := ReadCompose(declared.File{Name: "f", Text: []byte("!reset {a: b}")}); len(documents)+len(found) > 0 {
		t.Errorf("%v %v", documents, found)
	}
}

// TestMergeOrder: for the reader of Kubernetes, a merge key replaces the keys before it.
func TestMergeOrder(t *testing.T) {
	for _, test := range []struct {
		text, kubernetes, compose string
	}{
		{"x: &x {a: 1}\ny: {<<: *x, a: 2}", "", ""},
		{"x: &x {a: 1}\ny: {b: 2, <<: *x}", "", ""},
		{"x: &x {a: 1}\ny: {a: 2, <<: *x}", `2:11: the key "a" is before the merge key <<, which replaces it for Kubernetes alone`, ""},
		{"x: &x {a: 1}\ny: {a: 2, <<: [{b: 1}, *x]}", `2:11: the key "a" is before the merge key <<, which replaces it for Kubernetes alone`, ""},
		{"x: &x {a: 1}\ny: {<<: *x, <<: {b: 1}}", `2:13: the key "<<" is on line 2, too`, `2:13: the key "<<" is on line 2, too`},
	} {
		for compose, want := range map[bool]string{false: test.kubernetes, true: test.compose} {
			got := ""
			for _, f := range second(readFile(declared.File{Name: "f", Text: []byte(test.text)}, compose)) {
				got += fmt.Sprintf("%d:%d: %s", f.Line, f.Column, f.Message)
			}
			if got != want {
				t.Errorf("%s: %v:\n got %s\nwant %s", test.text, compose, got, want)
			}
		}
	}
}

func second(_ []*Node, found []policy.Diagnostic) []policy.Diagnostic { return found }
