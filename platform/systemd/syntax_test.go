package systemd

import (
	"fmt"
	"strings"
	"testing"

	"caprun/platform/declared"
	"caprun/policy"
)

func file(name, text string) declared.File { return declared.File{Name: name, Text: []byte(text)} }

// TestParse: keys and values have their exact positions, on continued lines too.
func TestParse(t *testing.T) {
	for _, test := range []struct{ name, text, want string }{
		{"plain", "[Service]\nUser=web\n", "2:1-2:5 User 2:6-2:9 web"},
		{"spaces", "[Service]\n\t User =  a b \t\n", "2:3-2:7 User 2:11-2:14 a b"},
		{"crlf", "[Service]\r\nUser=web\r\nGroup=x", "2:1-2:5 User 2:6-2:9 web; 3:1-3:6 Group 3:7-3:8 x"},
		{"byte order mark", "\ufeff[Service]\nUser=web", "2:1-2:5 User 2:6-2:9 web"},
		{"characters", "[Service]\nÄ=öü=", "2:1-2:2 Ä 2:3-2:6 öü="},
		{"continued", "[Service]\nA=b \\\n  c\nD=e", "2:1-2:2 A 2:3-3:4 b    c; 4:1-4:2 D 4:3-4:4 e"},
		{"comment in between", "[Service]\nA=b\\\n# x\\\n;y\nc\nD=e", "2:1-2:2 A 2:3-5:2 b c; 6:1-6:2 D 6:3-6:4 e"},
		{"continued comment", "[Service]\n# x \\\nA=b", "3:1-3:2 A 3:3-3:4 b"},
		{"empty line ends", "[Service]\nA=b \\\n\nC=d", "2:1-2:2 A 2:3-2:4 b; 4:1-4:2 C 4:3-4:4 d"},
		{"escaped backslash", "[Service]\nA=b\\\\\nC=d", `2:1-2:2 A 2:3-2:6 b\\; 3:1-3:2 C 3:3-3:4 d`},
		{"end of file", "[Service]\nA=b\\", "2:1-2:2 A 2:3-2:4 b"},
		{"key continued", "[Service]\nA\\\n=b", "2:1-2:2 A 3:2-3:3 b"},
		{"empty", "[Service]\nA=\nB =", "2:1-2:2 A 2:3-2:3 ; 3:1-3:2 B 3:4-3:4 "},
		{"section", "A=1\n[Unit]\nB=2\n[X-y]\nC=3\n[Serivce]\nD=4\n[Service]\nE=5", "3:1-3:2 B 3:3-3:4 2; 9:1-9:2 E 9:3-9:4 5"},
	} {
		found := &findings{}
		list, ok := parse(file("a.service", test.text), found)
		var got []string
		for _, a := range list {
			got = append(got, fmt.Sprintf("%s %s %s %s", span(a.keyAt), a.key, span(a.position(0, len(a.value))), a.value))
		}
		if s := strings.Join(got, "; "); !ok || s != test.want {
			t.Errorf("%s: %v\n%s\nwant\n%s", test.name, ok, s, test.want)
		}
	}
}

func span(p policy.Position) string {
	return fmt.Sprintf("%d:%d-%d:%d", p.Line, p.Column, p.EndLine, p.EndColumn)
}

// TestParseRefuses: what systemd cannot read, and what ends lines for it and not for an
// editor, is an error with its position.
func TestParseRefuses(t *testing.T) {
	long := "[Service]\n" + strings.Repeat("A=\n", maxAssignments+1)
	for _, test := range []struct{ name, text, want string }{
		{"NUL", "[Service]\nA=\x00", "2:3: error: the file has a NUL byte"},
		{"carriage return", "[Service]\nA=b\rUser=x", "2:4: error: the file has a carriage return that does not belong to a line end"},
		{"encoding", "[Service]\nA=\xff", "2:3: error: the file is not UTF-8"},
		{"section", "[Service\nA=b", "1:1: error: invalid section"},
		{"section with quotes", "[\"Service\"]\nA=b", "1:1: error: invalid section"},
		{"size", strings.Repeat("#", declared.MaxSize+1), "1:1: error: file exceeds 1024 KiB"},
		{"assignments", long, "4098:1: error: the file has more than 4096 assignments"},
	} {
		found := &findings{}
		if _, ok := parse(file("a", test.text), found); ok || len(found.List) == 0 || !strings.HasPrefix(found.List[0].String(), "a:"+test.want) {
			t.Errorf("%s: %v %v", test.name, ok, found.List)
		}
	}
}

// TestWords compares with the examples of systemd's tests of extract_first_word.
func TestWords(t *testing.T) {
	for _, test := range []struct {
		text    string
		options int
		want    string
	}{
		{"foobar waldo", 0, `["foobar" "waldo"]`},
		{`"foobar" 'waldo'`, unquote, `["foobar" "waldo"]`},
		{`foo"bar baz" 'a"b'`, unquote, `["foobar baz" "a\"b"]`},
		{`"" x`, unquote, `["" "x"]`},
		{`"foobar" 'waldo'`, 0, `["\"foobar\"" "'waldo'"]`},
		{`\x41\101\u00e9\U0001F600\s\t`, unquote | unescape, `["AAé😀 \t"]`},
		{`a\ b`, 0, `["a b"]`},
		{`a\qb`, unquote | unescape | relaxed, `["a\\qb"]`},
		{`a\`, unquote | unescape | relaxed, `["a\\"]`},
		{`\x00`, unquote | unescape | relaxed, `["\\x00"]`},
		{"  \t ", unquote, `[]`},
	} {
		list, err := words(test.text, test.options)
		var got []string
		for _, w := range list {
			got = append(got, w.text)
			if w.offset+w.length > len(test.text) {
				t.Errorf("%q: %+v", test.text, w)
			}
		}
		if s := fmt.Sprintf("%q", got); err != nil || s != test.want {
			t.Errorf("%q: %v %s, want %s", test.text, err, s, test.want)
		}
	}
	for text, want := range map[string]error{`"a`: errQuotes, `'a" b`: errQuotes, `a\q`: errEscape, `a\`: errQuotes, `\x0`: errEscape, `\x00`: errEscape, `\400`: errEscape} {
		if _, err := words(text, unquote|unescape); err != want {
			t.Errorf("%q: %v, want %v", text, err, want)
		}
	}
}

// TestPositions: the position of a word is that in the file.
func TestPositions(t *testing.T) {
	text := "[Service]\nExecStart=/bin/x\nCapabilityBoundingSet=~CAP_KILL \\\n# comment\n  CAP_KIL\\\n\tÄ CAP_BPX\n"
	r := Read(file("a.service", text), nil, nil)
	var got []string
	for _, d := range r.Processes[0].Findings {
		got = append(got, span(d.Position)+" "+d.Hint)
	}
	want := "5:3-5:10 write CAP_KILL; 6:2-6:3 write a name of capabilities(7), such as CAP_NET_BIND_SERVICE; 6:4-6:11 write CAP_BPF"
	if s := strings.Join(got, "; "); s != want {
		t.Errorf("%s\nwant\n%s", s, want)
	}
}
