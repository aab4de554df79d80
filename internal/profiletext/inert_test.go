package profiletext

import (
	"strings"
	"testing"

	"caprun/policy"
)

func TestInert(t *testing.T) {
	for _, test := range []struct{ text, want string }{
		{"openat", "openat"},
		{"a\nb\tc\x1b[2J", "a?b c?[2J"},
		{"\u00e9\u202e\u2028", "???"},
		{"\xff", "?"},
		{"::error::x", "?:error::x"},
		{"a ::error::x", "a ?:error::x"},
		{"[::1]:80", "[::1]:80"},
		{"vim:set x:", "vim?set x:"},
		{"# vim600: set x:", "# vim600? set x:"},
		{" vi:x", " vi?x"},
		{"a ex: x", "a ex? x"},
		{"index: ex:", "index: ex?"},
		{"nvim:x", "nvim:x"},
		{"-*- mode: c -*-", "-?- mode: c -?-"},
		{"-*-*-*-*-", "-?-?-?-?-"},
		{"yaml-language-server: $schema=x", "yaml-language-server: ?schema=x"},
		{"##[command]x", "##?command]x"},
		{strings.Repeat("a", 40), strings.Repeat("a", 40)},
		{strings.Repeat("a", 41), strings.Repeat("a", 37) + "..."},
		{strings.Repeat("\u00e9", 5000), strings.Repeat("?", 37) + "..."},
	} {
		if got := Inert(test.text, 40); got != test.want {
			t.Errorf("%q: %q, want %q", test.text, got, test.want)
		}
	}
}

// TestComments: a comment that joins two texts has no modeline either, such as the name of a
// file and what it declares.
func TestComments(t *testing.T) {
	p, _ := policy.Read("p", []byte("version: 1\nuid: 33\ngid: 33\n"))
	text, _, err := Write(p, func(key string) []string {
		if key != "uid" {
			return nil
		}
		return []string{"vim:2: User=x"}
	})
	if err != nil || !strings.Contains(string(text), "# vim?2: User=x\nuid: 33\n") {
		t.Errorf("%v\n%s", err, text)
	}
}
