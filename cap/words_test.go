package cap

import (
	"fmt"
	"reflect"
	"strings"
	"testing"
)

func TestReadText(t *testing.T) {
	all := lowBits(41)
	for _, c := range []struct {
		text string
		want []Clause
	}{
		{"", nil},
		{" \t", nil},
		{"=", []Clause{{Text: "=", Actions: []Action{{'=', ""}}}}},
		{"  all=ep-i", []Clause{{Text: "all=ep-i", Offset: 2, List: "all", Names: []Name{{"all", 2, all}}, Actions: []Action{{'=', "ep"}, {'-', "i"}}}}},
		{"cap_kill,5=ee\u00a063+p ", []Clause{
			{Text: "cap_kill,5=ee", List: "cap_kill,5", Names: []Name{{"cap_kill", 0, 1 << KILL}, {"5", 9, 1 << KILL}}, Actions: []Action{{'=', "ee"}}},
			{Text: "63+p", Offset: 15, List: "63", Names: []Name{{"63", 15, 1 << 63}}, Actions: []Action{{'+', "p"}}},
		}},
	} {
		if _, got, _ := ReadText(c.text, 41); !reflect.DeepEqual(got, c.want) {
			t.Errorf("%q has the clauses\n%+v, want\n%+v", c.text, got, c.want)
		}
	}
	// Every fault is found, and every word around it.
	set, clauses, err := ReadText("cap_kil,,all=x,p cap_kill cap_kill=p 41+q", 41)
	var got strings.Builder
	for _, c := range clauses {
		fmt.Fprintf(&got, "%q", c.Text)
		for _, n := range c.Names {
			fmt.Fprintf(&got, " %q is %v", n.Text, n.Caps)
		}
		fmt.Fprintf(&got, "; %d actions; %v\n", len(c.Actions), c.Err)
	}
	const want = `"cap_kil,,all=x,p" "cap_kil" is none "" is none "all" is none; 1 actions; bad text: "cap_kil" at byte 0: unknown capability
"cap_kill" "cap_kill" is cap_kill; 0 actions; bad text: "cap_kill" at byte 17: missing operator and flags after it, such as "=eip"
"cap_kill=p" "cap_kill" is cap_kill; 1 actions; <nil>
"41+q" "41" is 41; 1 actions; bad text: "q" at byte 40: unknown flag: want e, i or p
`
	if got.String() != want || set != nil || err != error(clauses[0].Err) {
		t.Errorf("got\n%s\n%v, %v; want\n%s", got.String(), set, err, want)
	}
}

func TestReadIAB(t *testing.T) {
	for _, c := range []struct {
		text string
		want []Field
		ok   bool
	}{
		{"", nil, true},
		{"!%cap_kill,40", []Field{{"!%", Name{"cap_kill", 2, 1 << KILL}}, {"", Name{"40", 11, 1 << 40}}}, true},
		{",^cap_kil,all,!", []Field{{"", Name{"", 0, 0}}, {"^", Name{"cap_kil", 2, 0}}, {"", Name{"all", 10, 0}}, {"!", Name{"", 15, 0}}}, false},
		{"5,", []Field{{"", Name{"5", 0, 1 << KILL}}, {"", Name{"", 2, 0}}}, false},
	} {
		tuple, got, err := ReadIAB(c.text)
		if !reflect.DeepEqual(got, c.want) || (err == nil) != c.ok || (tuple != nil) != c.ok {
			t.Errorf("%q has the fields %+v, %v; want %+v", c.text, got, err, c.want)
		}
	}
}

// checkWords checks that ReadText returns the set and the error of ParseText, and words
// that make up the text.
func checkWords(t testing.TB, text string, bits Value) {
	t.Helper()
	want, wantErr := ParseText(text, bits)
	got, clauses, err := ReadText(text, bits)
	if fmt.Sprint(err) != fmt.Sprint(wantErr) || (got == nil) != (want == nil) || got != nil && got.flags != want.flags {
		t.Fatalf("ReadText(%q, %d) is %v, %v, and ParseText %v, %v", text, bits, got, err, want, wantErr)
	}
	rest := 0
	for _, c := range clauses {
		joined := c.List
		for _, a := range c.Actions {
			joined += string(a.Op) + a.Flags
		}
		var names []string
		for _, n := range c.Names {
			checkName(t, text, n)
			names = append(names, n.Text)
		}
		if strings.TrimSpace(text[rest:c.Offset]) != "" || !strings.HasPrefix(text[c.Offset:], c.Text) || joined != c.Text || strings.Join(names, ",") != c.List {
			t.Fatalf("%q has the clause %+v", text, c)
		}
		rest = c.Offset + len(c.Text)
	}
	if strings.TrimSpace(text[rest:]) != "" {
		t.Fatalf("%q has no clause after byte %d", text, rest)
	}
}

func checkName(t testing.TB, text string, n Name) {
	t.Helper()
	v, err := FromName(n.Text)
	if !strings.HasPrefix(text[n.Offset:], n.Text) || err == nil && n.Caps != 1<<v || err != nil && n.Caps != 0 && n.Text != "all" {
		t.Fatalf("%q has the name %+v", text, n)
	}
}

// checkFields checks that the fields of a tuple make up the text.
func checkFields(t testing.TB, text string) {
	t.Helper()
	tuple, fields, err := ReadIAB(text)
	if want, wantErr := ParseIAB(text); fmt.Sprint(tuple, err) != fmt.Sprint(want, wantErr) {
		t.Fatalf("ReadIAB(%q) is %v, %v, and ParseIAB %v, %v", text, tuple, err, want, wantErr)
	}
	var words []string
	for _, f := range fields {
		checkName(t, text, f.Name)
		words = append(words, f.Marks+f.Name.Text)
	}
	if strings.Join(words, ",") != text {
		t.Fatalf("%q has the fields %q", text, words)
	}
}
