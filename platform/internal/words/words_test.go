package words

import (
	"bytes"
	"encoding/json"
	"errors"
	"os"
	"os/exec"
	"slices"
	"strings"
	"testing"

	"caprun/internal/test/requires"
)

// TestSplit: the words are those of a shell.
func TestSplit(t *testing.T) {
	sh := requires.Tool(t, "sh")
	for _, text := range []string{
		"a b  c", "a 'b c' \"d e\"", "a\\ b c\\\n d", "# first\n\n  a b # c\n# d", "a '' \"\"", `a "b\"c\\d\$e\f"`, `a 'b\'c`, "a\"b\nc\"d",
		"a b#c", "a\\#b", "a\tb\n", "a=b c=d", "\"a\\\nb\" c", "a '#' b", "é 'ü x'",
	} {
		list, err := Split(text)
		if err != nil {
			t.Errorf("%q: %v", text, err)
			continue
		}
		var got []string
		for _, w := range list {
			got = append(got, w.Text)
		}
		out, err := exec.Command(sh, "-c", "f() { printf '%s\\0' \"$@\"; }\nf "+strings.TrimLeft(strings.ReplaceAll(text, "# first\n\n", ""), " ")).Output()
		if err != nil {
			t.Fatal(err)
		}
		want := strings.Split(string(bytes.TrimSuffix(out, []byte{0})), "\x00")
		if !slices.Equal(got, want) {
			t.Errorf("%q: %q, want %q", text, got, want)
		}
	}
}

// TestPositions: a word knows its bytes, and whether a shell would change it.
func TestPositions(t *testing.T) {
	text := "x  'a b' \"$c\" '$c' \\$d *.go ~/x a~ `e`"
	list, err := Split(text)
	if err != nil {
		t.Fatal(err)
	}
	got := ""
	for _, w := range list {
		got += "<" + text[w.From:w.To] + ">"
		if w.Expands {
			got += "!"
		}
	}
	if got != "<x><'a b'><\"$c\">!<'$c'><\\$d><*.go>!<~/x>!<a~><`e`>!" {
		t.Error(got)
	}
}

// TestErrors: more than one command is an error where it begins.
func TestErrors(t *testing.T) {
	for text, at := range map[string]int{"a; b": 1, "a | b": 2, "a\nb": 2, "a 'b": 2, "a \\": 2, "a > b": 2, "(a)": 0, "a && b": 2, "a \"b": 2} {
		var e *Error
		if _, err := Split(text); !errors.As(err, &e) || e.At != at {
			t.Errorf("%q: %v", text, err)
		}
	}
	if _, err := Split(strings.Repeat("a ", MaxWords+1)); err == nil {
		t.Error("too many words")
	}
}

// TestSplitCompose: an operator of a shell ends the command silently.
func TestSplitCompose(t *testing.T) {
	for _, test := range []struct{ text, words, rest string }{
		{"a b", "a|b", ""},
		{"sh -c 'a && b'", "sh|-c|a && b", ""},
		{"a && b", "a", "&& b"},
		{"a 2> b", "a", "> b"},
		{"a b> c", "a|b", "> c"},
		{`a "b \" c" d\ e`, `a|b " c|d e`, ""},
		{"a '' b", "a||b", ""},
		{"a # b", "a|#|b", ""},
	} {
		list, rest, ok := SplitCompose(test.text)
		if strings.Join(list, "|") != test.words || rest != test.rest || !ok {
			t.Errorf("%q: %q %q %v", test.text, list, rest, ok)
		}
	}
	for _, text := range []string{"a (b)", "a 'b", "a \\", "`a"} {
		if _, _, ok := SplitCompose(text); ok {
			t.Errorf("%q", text)
		}
	}
}

// TestComposeItself: what Compose did with 500 random texts, recorded with version 2.16.2 of
// github.com/compose-spec/compose-go.
func TestComposeItself(t *testing.T) {
	text, err := os.ReadFile("testdata/compose.json")
	if err != nil {
		t.Fatal(err)
	}
	var cases []struct {
		Text    string
		Refused bool
		Words   []string
	}
	if err := json.Unmarshal(text, &cases); err != nil || len(cases) != 500 {
		t.Fatal(len(cases), err)
	}
	for _, test := range cases {
		list, _, ok := SplitCompose(test.Text)
		if ok == test.Refused || ok && strings.Join(list, "\x00") != strings.Join(test.Words, "\x00") {
			t.Errorf("%q: %q %v, want %q %v", test.Text, list, ok, test.Words, !test.Refused)
		}
	}
}

// FuzzSplit: the positions of words are in the text and in order.
func FuzzSplit(f *testing.F) {
	f.Add("a 'b' \"c\\\"\" \\\n# d\n")
	f.Fuzz(func(t *testing.T, text string) {
		SplitCompose(text)
		list, _ := Split(text)
		at := 0
		for _, w := range list {
			if w.From < at || w.To <= w.From || w.To > len(text) {
				t.Fatalf("%q: %+v", text, list)
			}
			at = w.To
		}
	})
}
