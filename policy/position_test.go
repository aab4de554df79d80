package policy

import (
	"math"
	"slices"
	"strings"
	"testing"
)

// TestPositions looks up values, keys and words.
func TestPositions(t *testing.T) {
	const src = "version: 1\nuid: 7\ngid: 8 # é\ngroups: [9,\n  10]\ncaps: 'cap_kill=p  cap_chown+p'\n" +
		"iab: \"^cap_kill\\x2ccap_chown\"\nenv: {set: {É: x}}\n"
	ok := strings.ReplaceAll(src, "É", "MODE") + "rlimits: {core: {soft: 0, hard: 1}, cpu: 5}\nkeep_fds:\n- 3\n-   4\n"
	p := accepted(t, ok)
	for path, want := range map[string]Position{
		"uid": {2, 6, 2, 7}, "gid": {3, 6, 3, 7}, "groups": {4, 9, 5, 6}, "groups[0]": {4, 10, 4, 11}, "groups[1]": {5, 3, 5, 5},
		"caps": {6, 7, 6, 32}, "env": {8, 6, 8, 22}, "env.set.MODE": {8, 19, 8, 20},
		"rlimits.core": {9, 17, 9, 35}, "rlimits.core.soft": {9, 24, 9, 25}, "rlimits.cpu.hard": {9, 42, 9, 43}, "rlimits.cpu": {9, 42, 9, 43},
		"keep_fds[1]": {12, 5, 12, 6}, "keep_fds": {11, 1, 12, 6},
		"user": {}, "groups[2]": {}, "": {}, "env.set": {8, 12, 8, 21}, "env.unset": {},
	} {
		if got := p.Position(path); got != want {
			t.Errorf("%s: %v, want %v", path, got, want)
		}
	}
	for path, want := range map[string]Position{
		"uid": {2, 1, 2, 4}, "env.set.MODE": {8, 13, 8, 17}, "rlimits.cpu.soft": {9, 37, 9, 40}, "groups[0]": {}, "user": {},
	} {
		if got := p.KeyPosition(path); got != want {
			t.Errorf("the key %s: %v, want %v", path, got, want)
		}
	}
	whole := p.Position("caps")
	for _, c := range []struct {
		path           string
		offset, length int
		want           Position
	}{
		{"caps", 0, 8, Position{6, 8, 6, 16}}, {"caps", 12, 9, Position{6, 20, 6, 29}}, {"caps", 23, 0, Position{6, 31, 6, 31}},
		{"caps", 24, 0, whole}, {"caps", -1, 1, whole}, {"caps", 20, 9, whole}, {"caps", 1, math.MaxInt, whole},
		{"iab", 1, 8, p.Position("iab")}, {"nothing", 0, 1, Position{}},
	} {
		if got := p.TextPosition(c.path, c.offset, c.length); got != c.want {
			t.Errorf("%s from %d for %d: %v, want %v", c.path, c.offset, c.length, got, c.want)
		}
	}
	var byHand Profile
	if !p.Has("caps") || p.Has("nothing") || byHand.Has("uid") {
		t.Error("Has is wrong")
	}
	if byHand.Position("uid").IsKnown() || byHand.KeyPosition("uid").IsKnown() || byHand.TextPosition("caps", 0, 1).IsKnown() || byHand.Source() != nil {
		t.Error("a profile that Parse did not make has positions")
	}
}

// TestIgnoredPositions: each entry and each of its values has a position.
func TestIgnoredPositions(t *testing.T) {
	p := accepted(t, "version: 1\nlint:\n  ignore:\n    - {rule: a-b, reason: x, until: 2027-01-31}\n    - rule: c\n      reason: two\n        lines\n      caps: [cap_kill, \"21\"]\nname: x\n")
	for path, want := range map[string]Position{
		"lint.ignore[0]": {4, 7, 4, 48}, "lint.ignore[0].rule": {4, 14, 4, 17}, "lint.ignore[0].reason": {4, 27, 4, 28}, "lint.ignore[0].until": {4, 37, 4, 47},
		"lint.ignore[1]": {5, 7, 8, 29}, "lint.ignore[1].rule": {5, 13, 5, 14}, "lint.ignore[1].reason": {6, 15, 7, 14}, "lint.ignore[1].until": {},
		"lint.ignore[1].caps": {8, 13, 8, 29}, "lint.ignore[1].caps[0]": {8, 14, 8, 22}, "lint.ignore[1].caps[1]": {8, 24, 8, 28}, "lint.ignore[1].caps[2]": {},
		"lint": {3, 3, 8, 29},
	} {
		if got := p.Position(path); got != want {
			t.Errorf("%s: %v, want %v", path, got, want)
		}
	}
	if want := []Ignore{{"a-b", nil, "x", "2027-01-31"}, {"c", []string{"cap_kill", "21"}, "two lines", ""}}; !slices.EqualFunc(p.Ignored, want, Ignore.Equal) {
		t.Errorf("%q", p.Ignored)
	}
}

// TestBlockScalarEnds: an entry whose last value is a block scalar ends with it.
func TestBlockScalarEnds(t *testing.T) {
	p := accepted(t, "version: 1\nlint:\n  ignore:\n  - rule: a\n    reason: >\n      two\n\n      é\n\n  - rule: b\n    reason: |2-\n        x\n      y\nname: x\n")
	for path, want := range map[string]Position{
		"lint.ignore[0]": {4, 5, 8, 8}, "lint.ignore[1]": {10, 5, 13, 8}, "lint.ignore": {4, 3, 13, 8}, "lint": {3, 3, 13, 8},
	} {
		if got := p.Position(path); got != want {
			t.Errorf("%s: %v, want %v", path, got, want)
		}
	}
}

// TestLongSyntax: in a long file a syntax error has a line but no column, which would
// take too long to find.
func TestLongSyntax(t *testing.T) {
	for src, want := range map[string]Position{
		strings.Repeat("# a line\n", 1000) + "name: 'x\n":             {1001, 1, 1001, 9},
		"version: 1\r\ncommand: " + strings.Repeat("[", 300) + "\r\n": {2, 1, 2, 310},
	} {
		_, diagnostics := Parse("x", []byte(src))
		if len(diagnostics) != 1 || diagnostics[0].Rule != rules[badSyntax].Name || diagnostics[0].Position != want {
			t.Errorf("%v", diagnostics)
		}
	}
}

// TestOneWord: each text has one error, whose position must be that of its words, even
// after characters of several bytes.
func TestOneWord(t *testing.T) {
	for src, want := range map[string]string{
		"caps: é cap_kill=p":                        "é",
		"caps: \"é\u00a0cap_kill=p\"":               "é",
		"caps: '  cap_kil=p'":                       "cap_kil",
		"caps: \"cap_kill=p cap_kil+p\"":            "cap_kil",
		"caps: cap_kill=p   cap_kil+p":              "cap_kil",
		"caps: cap_kill=p\n  cap_kil+p":             "cap_kill=p\n  cap_kil+p",
		"caps: \"cap_kil=\\x70\"":                   "\"cap_kil=\\x70\"",
		"description: é日\niab: 'cap_kill,^cap_kil'": "cap_kil",
		"env: {set: {\"é\": x}}":                    "\"é\"",
		"command: [é, \"日\", 5]":                    "5",
		"umask: '08'":                               "'08'",
	} {
		src = "version: 1\n" + src + "\n"
		_, diagnostics := Parse("x", []byte(src))
		if len(diagnostics) != 1 {
			t.Errorf("%s%s", src, listing([]byte(src), diagnostics))
			continue
		}
		d := diagnostics[0]
		got := src[offsetIn([]byte(src), d.Line, d.Column):offsetIn([]byte(src), d.EndLine, d.EndColumn)]
		if got != want {
			t.Errorf("%sgot %q, want %q", src, got, want)
		}
	}
}
