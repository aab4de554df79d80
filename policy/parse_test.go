package policy

import (
	"encoding/json"
	"errors"
	"fmt"
	"math"
	"reflect"
	"regexp"
	"slices"
	"strings"
	"testing"
	"time"

	"caprun/cap"
	"caprun/internal/test/cputime"
	"caprun/schema"

	"gopkg.in/yaml.v3"
)

// accepted parses a profile without errors.
func accepted(t testing.TB, src string) *Profile {
	t.Helper()
	p, diagnostics := Parse("test.yaml", []byte(src))
	if p == nil || len(diagnostics) > 0 {
		t.Fatalf("%s%s", src, listing([]byte(src), diagnostics))
	}
	return p
}

// TestTen: a profile with ten errors has ten diagnostics, each of another rule on
// another line. ten.out has their columns.
func TestTen(t *testing.T) {
	path := "testdata/err/ten.yaml"
	_, diagnostics := Parse(path, profiles(t, "err")[path])
	lines, names := map[int]bool{}, map[string]bool{}
	for _, d := range diagnostics {
		lines[d.Line], names[d.Rule] = true, true
	}
	if len(diagnostics) != 10 || len(lines) != 10 || len(names) != 10 {
		t.Errorf("%d diagnostics of %d rules on %d lines", len(diagnostics), len(names), len(lines))
	}
}

func ptr[T any](v T) *T { return &v }

// TestValues compares profiles with their files.
func TestValues(t *testing.T) {
	web := Profile{
		File: "testdata/ok/web.yaml", Name: "web", Description: "HTTP server on port 80. Nothing else, and no way back.",
		Command: []string{"./server", "--port=80"}, User: "www-data", Caps: caps(t, "cap_net_bind_service=eip"),
		Secbits: ptr(cap.SecbitNoRoot | cap.SecbitNoRootLocked), NoNewPrivs: true,
		Chroot: "/srv/jail", Cwd: "/", Umask: ptr(uint32(0o27)),
		Env:     &Env{Keep: []string{"PATH", "LANG"}, Set: map[string]string{"MODE": "production"}, Unset: []string{}},
		Rlimits: []Rlimit{{Name: "core", Hard: Unlimited}, {Name: "nofile", Soft: 4096, Hard: 4096}},
		KeepFDs: []int{3},
	}
	every := Profile{
		File: "testdata/ok/every_key.yaml", Name: "Web.1_x-y", Description: "Several lines, \"quoted\", with a tab\tand é日.\n\nThe end.\n",
		Command: []string{"/bin/sh", "-c", "exec \"$0\" \"$@\"\n", "", "80", "yes"},
		UID:     ptr(uint32(0)), GID: ptr(uint32(4294967294)), Groups: []uint32{0, 33, 4294967294},
		Caps: caps(t, "cap_kill,cap_chown+ip cap_kill+e cap_net_raw+p-i\n"), IAB: iab(t, "^cap_kill,!cap_chown,%cap_net_raw,!%cap_setuid,40"),
		Mode: ptr(cap.ModePure1EInit), NoNewPrivs: true, Umask: ptr(uint32(0o777)),
		Env:        &Env{KeepAll: true, Set: map[string]string{"A": "", "_b1": "x=y z", "Y": "no"}, Unset: []string{"D"}},
		Rlimits:    []Rlimit{{Name: "as", Soft: Unlimited, Hard: Unlimited}, {Name: "core"}, {Name: "nofile", Soft: 1<<63 - 1, Hard: Unlimited}},
		KeepFDs:    []int{1048575, 3},
		NewSession: true, InheritKeyring: true,
		Ignored: []Ignore{{"kept-descriptors", nil, "the socket, bound by the starter", "2027-01-31"}, {"x", nil, "two words\n", ""}, {"y", []string{"cap_kill", "21", "0", "40"}, "z", ""}},
	}
	empty := Profile{
		File: "testdata/ok/json.yaml", User: "33", GID: ptr(uint32(5)), Groups: []uint32{},
		Secbits: ptr(cap.Secbits(0)), Caps: caps(t, "="), IAB: iab(t, ""), Env: &Env{KeepAll: true},
	}
	files := profiles(t, "ok")
	for _, want := range []Profile{web, every, empty, {File: "testdata/ok/smallest.yaml"}} {
		got, _ := Parse(want.File, files[want.File])
		if got == nil {
			t.Errorf("%s: refused", want.File)
			continue
		}
		if string(got.Source()) != string(files[want.File]) {
			t.Errorf("%s: Source is something else", want.File)
		}
		got.source, got.places = nil, nil
		if !reflect.DeepEqual(*got, want) {
			g, _ := json.MarshalIndent(got, "", " ")
			w, _ := json.MarshalIndent(want, "", " ")
			t.Errorf("%s: got\n%s\nwant\n%s", want.File, g, w)
		}
	}
}

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

// TestEveryCapabilityIgnored: an entry can list each capability, and all of them, by
// name, by number, and by number in quotes. The schema agrees.
func TestEveryCapabilityIgnored(t *testing.T) {
	for _, format := range []string{"%v", "%d", "\"%d\""} {
		var list []string
		for v := range cap.Value(cap.NamedCount) {
			list = append(list, fmt.Sprintf(format, v))
		}
		p := accepted(t, "version: 1\nlint: {ignore: [{rule: a, reason: x, caps: ["+strings.Join(list, ", ")+"]}]}\n")
		if got := p.Ignored[0].Caps; len(got) != cap.NamedCount || got[40] != strings.Trim(list[40], `"`) {
			t.Errorf("%q", got)
		}
	}
}

// TestSourceIsKept: a caller can reuse its buffer.
func TestSourceIsKept(t *testing.T) {
	src := []byte("version: 1\nname: web\n")
	p, _ := Parse("x", src)
	clear(src)
	if string(p.Source()) != "version: 1\nname: web\n" {
		t.Errorf("Source is %q", p.Source())
	}
}

// TestIDs: only a plain number becomes an ID, and only the number 0 becomes 0.
func TestIDs(t *testing.T) {
	for _, bad := range []string{
		"-1", "4294967295", "4294967296", "18446744073709551616", `""`, "''", ":33", "033", "+33", `" 33"`, `"33 "`, `"33"`, "3 3",
		"0.5", "-0.5", "1.5", "33.0", "1e3", "0x21", "0o41", "0b1", "1_000", "~", "null", "", "true", "yes", "no", ".inf", ".nan",
		"[33]", "{a: 33}", "!!int 33", "! 33", "&a 33", "٣٣", "00", "-0", "+0", "0_0", "0x0", "|\n 33", "'0'",
	} {
		for _, key := range []string{"user", "uid", "gid", "groups"} {
			src := "version: 1\nuid: 5\ngid: 5\n" + key + ": " + bad + "\n"
			switch key {
			case "user":
				src = "version: 1\nuser: " + bad + "\n"
			case "uid":
				src = "version: 1\ngid: 5\nuid: " + bad + "\n"
			case "gid":
				src = "version: 1\nuid: 5\ngid: " + bad + "\n"
			case "groups":
				src = "version: 1\nuid: 5\ngid: 5\ngroups:\n- " + bad + "\n"
			}
			if key == "user" && bad == "٣٣" {
				continue // letters of another script are a name
			}
			p, diagnostics := Parse("x", []byte(src))
			if p != nil || len(diagnostics) != 1 {
				t.Errorf("%s: %v", src, diagnostics)
			}
		}
	}
	for _, good := range []string{"0", "33", "4294967294"} {
		p := accepted(t, "version: 1\nuid: "+good+"\ngid: "+good+"\ngroups: ["+good+"]\n")
		if got := fmt.Sprint(*p.UID, *p.GID, p.Groups); got != good+" "+good+" ["+good+"]" {
			t.Errorf("%s became %s", good, got)
		}
		if p := accepted(t, "version: 1\nuser: "+good+"\n"); p.User != good {
			t.Errorf("user %s became %q", good, p.User)
		}
	}
	if p := accepted(t, "version: 1\nuser: root\n"); p.User != "root" {
		t.Errorf("root became %q", p.User)
	}
}

// TestMisread: Parse refuses what yaml.v3 would misread when it decodes into structs or
// reads only the first document.
func TestMisread(t *testing.T) {
	for _, src := range []string{
		"version: 1\nuid: -0.5\ngid: 1\n", "version: 1\nno_new_privs: \"yes\"\n", "version: 1\nno_new_privs: ~\n", "version: 1\nname: a\nname: b\n",
		"version: 1\n---\nversion: 1\n", "\ufeffversion: 1\n", "v\x00e\x00r\x00", "version: 1\u0085name: x\n", "version: 1\u2028name: x\n",
		"version: 1\nname: \"a\\0\"\n", "version: 1\ndescription: \"\\u202e\"\n", "version: 1\ndescription: \u2066\n", "version: 1 # \u200f\n",
		"version: 1\ndescription: \"\\P\"\n", "version: 1\rname: x\n", "version: 1\ncommand: [a, \"\\x7f\"]\n", "version: 1\n\"\\x01\": x\n",
		"version: 1\nenv: {set: {<<: {A: b}}}\n",
	} {
		if p, diagnostics := Parse("x", []byte(src)); p != nil || !HasErrors(diagnostics) {
			t.Errorf("accepted: %q", src)
		}
	}
}

// TestCharacters: each forbidden character is reported once, raw and as each of its
// escapes. Other characters are not reported.
func TestCharacters(t *testing.T) {
	bad := []rune{0x85, 0x61c, 0x200e, 0x200f, 0x2028, 0x2029, 0x202a, 0x202b, 0x202c, 0x202d, 0x202e, 0x2066, 0x2067, 0x2068, 0x2069, 0xfeff, 0xfffe, 0xffff, 0x1ffff}
	for c := range rune(0xa0) {
		if c < 0x20 && c != '\t' && c != '\n' || c >= 0x7f && c != 0x85 {
			bad = append(bad, c)
		}
	}
	letters := map[rune]string{0: "0", '\a': "a", '\b': "b", '\v': "v", '\f': "f", '\r': "r", 0x1b: "e", 0x85: "N", 0x2028: "L", 0x2029: "P"}
	for _, c := range bad {
		spellings := []string{fmt.Sprintf("\\U%08x", c)}
		if c < 0x100 {
			spellings = append(spellings, fmt.Sprintf("\\x%02X", c))
		}
		if c < 0x10000 {
			spellings = append(spellings, string(c), fmt.Sprintf("\\u%04x", c))
		}
		if letter := letters[c]; letter != "" {
			spellings = append(spellings, "\\"+letter)
		}
		for _, spelling := range spellings {
			src := "version: 1\ndescription: \"é\\\"" + spelling + "x\"\n"
			p, diagnostics := Parse("x", []byte(src))
			want := Position{2, 18, 2, 18 + len([]rune(spelling))}
			if p != nil || len(diagnostics) != 1 || diagnostics[0].Rule != rules[badCharacter].Name || diagnostics[0].Position != want {
				t.Errorf("U+%04X as %q: %v", c, spelling, diagnostics)
			}
		}
	}
	accepted(t, "version: 1\ndescription: \"\\t\\n\\\\\\ \\_\\x41\\u00e9\\U0001f600 é日😀\u200b\\\n  x\"\n")
	for _, bad := range []string{"\\xZZ", "\\u12", "\\U0011ffff", "\\ud800"} {
		src := "version: 1\ndescription: \"" + bad + "\"\n"
		if p, diagnostics := Parse("x", []byte(src)); p != nil || len(diagnostics) == 0 {
			t.Errorf("accepted: %s", src)
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

// TestTextIsLibcaps: caps accepts what cap.ParseText accepts, except clauses that a
// later one discards and numbers without a name.
func TestTextIsLibcaps(t *testing.T) {
	for _, text := range []string{
		"=", "all=", "all+eip", "=ep-e", "=ip cap_setpcap-p+e", "cap_chown,cap_setuid=ip cap_setuid+e", "cap_kill=eip-e+p-i",
		"0,40=p", "cap_kill+p\tcap_kill-p", "\u00a0cap_kill=p\u2003", "= cap_kill+p",
	} {
		if _, err := cap.ParseText(text, cap.NamedCount); err != nil {
			t.Fatalf("%q is not a libcap text: %v", text, err)
		}
		quoted, _ := json.Marshal(text)
		p := accepted(t, "version: 1\ncaps: "+string(quoted)+"\n")
		if p.Caps.Text != text {
			t.Errorf("%q became %q", text, p.Caps.Text)
		}
	}
	for text, rule := range map[string]rule{
		"cap_kill=eip cap_net_raw=eip": discardedClause, "=p cap_kill=p": discardedClause, "cap_kill+p =": discardedClause,
		"41=p": unknownCapability, "63+p": unknownCapability, "64+p": unknownCapability, "all,cap_kill=p": unknownCapability, "CAP_KILL=p": unknownCapability,
		"cap_kill": badCaps, "cap_kill=P": badCaps, "cap_kill,=p": badCaps, "07=p": badCaps, "==p": badCaps, " ": badCaps,
	} {
		quoted, _ := json.Marshal(text)
		_, diagnostics := Parse("x", []byte("version: 1\ncaps: "+string(quoted)+"\n"))
		if len(diagnostics) != 1 || diagnostics[0].Rule != rules[rule].Name {
			t.Errorf("%q: %v", text, diagnostics)
		}
	}
}

// TestSuggestions: similar words have a suggestion, others have none.
func TestSuggestions(t *testing.T) {
	for word, want := range map[string]string{
		"cap_net_bind_servce": "cap_net_bind_service", "net_bind_service": "cap_net_bind_service", "CAP_NET_BIND_SERVICE": "cap_net_bind_service",
		"NET_RAW": "cap_net_raw", "cap-net-raw": "cap_net_raw", "cap_net_wra": "cap_net_raw", "cap_net_bind": "cap_net_bind_service",
		"cap_sysadmin": "cap_sys_admin", "chwon": "cap_chown", "cap_zzz": "", "cap_": "", "x": "", "cap_audit": "", strings.Repeat("cap_kill", 100): "",
	} {
		if got := capabilityHint(word, nil); got != didYouMean(want) {
			t.Errorf("%q: %q, want %q", word, got, want)
		}
	}
	for word, want := range map[string]string{
		"nmae": "name", "Version": "version", "verison": "version", "no-new-privs": "no_new_privs", "NoNewPrivileges": "no_new_privs",
		"Capabilities": "caps", "capS": "caps", "securebits": "secbits", "workdir": "cwd", "rlimit": "rlimits", "keepfds": "keep_fds",
		"xyz": "", "": "", "1": "", "seccomp": "",
	} {
		if got := suggestKey(word); got != want {
			t.Errorf("%q: %q, want %q", word, got, want)
		}
	}
}

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
	for _, other := range otherNames {
		if other[0] != plainName(other[0]) || !slices.Contains(keys[:], other[1]) {
			t.Errorf("%q can never be suggested", other)
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

// TestInternalError: a refusal by the schema is reported as a bug of caprun.
func TestInternalError(t *testing.T) {
	src := []byte("version: 1\nname: web\nno_new_privs: true\n")
	p, diagnostics := parse("x.yaml", src, func(root *yaml.Node) error {
		if got := words(root); !slices.Equal(got, []string{"version", "1", "name", "web", "no_new_privs", "true"}) {
			t.Errorf("the schema gets %v", got)
		}
		return errors.New("no reason")
	})
	if p != nil || len(diagnostics) != 1 {
		t.Fatalf("%v", diagnostics)
	}
	const want = "x.yaml:1:1: error: the reader accepts the profile, but the schema does not: no reason [internal-error]"
	if got := diagnostics[0]; got.String() != want || !strings.Contains(got.Hint, "bug of caprun") {
		t.Errorf("%s\n%s", got, got.Hint)
	}
}

// words returns the scalars below a node.
func words(n *yaml.Node) []string {
	if n.Kind == yaml.ScalarNode {
		return []string{n.Value}
	}
	var list []string
	for _, child := range n.Content {
		list = append(list, words(child)...)
	}
	return list
}

// TestPanicIsAnError: a panic of yaml.v3 becomes a diagnostic.
func TestPanicIsAnError(t *testing.T) {
	r := &reader{file: "x.yaml", profile: &Profile{}}
	r.source = newSource([]byte("version: 1\n"))
	r.reportSyntax(r.source.text, recovered(func() error { panic("out of range") }))
	if len(r.found) != 1 || r.found[0].Severity != Error || !strings.Contains(r.found[0].Message, "out of range") {
		t.Errorf("%v", r.found)
	}
}

// TestHostile: no file of the allowed size takes long. The limit is far above what each
// takes.
func TestHostile(t *testing.T) {
	lines := func(format string, n int) string {
		var b strings.Builder
		for i := range n {
			fmt.Fprintf(&b, format, i)
		}
		return b.String()
	}
	for name, src := range map[string]string{
		"brackets": strings.Repeat("[", MaxSize), "braces": strings.Repeat("{a: ", MaxSize/4), "closed": strings.Repeat("[", 9000) + strings.Repeat("]", 9000),
		"dashes": strings.Repeat("- ", MaxSize/2), "questions": strings.Repeat("? ", MaxSize/2), "colons": strings.Repeat(": ", MaxSize/2),
		"small brackets": strings.Repeat("[", maxSearched), "small braces": strings.Repeat("{a: ", maxSearched/4),
		"small keys": lines("k%d: 1\n", 900) + ":",
		"keys":       lines("k%d: 1\n", 7000), "same key": strings.Repeat("name: a\n", 8000), "long keys": lines("%060d: 1\n", 1000),
		"near keys": lines("descriptio%d: 1\n", 3500), "flow keys": "{" + lines("versio%d: 1, ", 4000) + "}",
		"anchors": lines("k%d: &a 1\n", 4000), "many anchors": lines("k%d: &a 1\n", 6000), "aliases": "a: &a 1\n" + lines("k%d: *a\n", 4000),
		"laughs": "a: &a [x,x,x,x,x,x,x,x,x]\nb: &b [*a,*a,*a,*a,*a,*a,*a,*a,*a]\nc: &c [*b,*b,*b,*b,*b,*b,*b,*b,*b]\nd: &d [*c,*c,*c,*c,*c,*c,*c,*c,*c]\n",
		"tags":   lines("k%d: !a 1\n", 4000),
		"items":  "groups: [" + strings.Repeat("1,", 30000) + "]",
		"wide é": "groups: [" + strings.Repeat("é,", 8000) + "]", "one line é": "{" + strings.Repeat("é: é, ", 3000) + "}",
		"names": "caps: " + strings.Repeat("cap_kil,", 500) + "=p", "clauses": "caps: " + strings.Repeat("cap_kill=p ", 360),
		"elements": "iab: " + strings.Repeat("^cap_kil,", 450),
		"scalar":   "description: " + strings.Repeat("x", 65000), "quoted": "description: \"" + strings.Repeat("\\u0001", 10000) + "\"",
		"lines": "description: \"" + strings.Repeat("\n", 65000) + "\"", "comments": strings.Repeat("#\n", MaxSize/2), "inline comments": lines("k%d: #c\n", 5000),
		"directives": strings.Repeat("%YAML 1.1\n", 6000), "documents": strings.Repeat("---\n", MaxSize/4), "controls": strings.Repeat("\x01", MaxSize),
		"bidi": strings.Repeat("\u202e", MaxSize/3), "nulls": lines("k%d:\n", 7000), "number": "uid: " + strings.Repeat("9", 65000), "env": "env:\n set:\n" + lines("  A%d: yes\n", 4000),
		"unset": "env: {set: {" + lines("A%d: b, ", 1000) + "}, unset: [" + lines("A%d, ", 1000) + "]}",
	} {
		if len(src) > MaxSize {
			src = src[:MaxSize]
		}
		begin := cputime.Used(t)
		p, diagnostics := Parse("x", []byte(src))
		if took := cputime.Used(t) - begin; took > 3*time.Second {
			t.Errorf("%s took %v", name, took)
		} else {
			t.Logf("%-16s %4d diagnostics %v", name, len(diagnostics), took)
		}
		if p != nil || len(diagnostics) == 0 {
			t.Errorf("%s was accepted", name)
		}
	}
	if _, diagnostics := Parse("x", make([]byte, 64<<20)); len(diagnostics) != 1 || diagnostics[0].Rule != rules[fileTooLarge].Name {
		t.Error("64 MiB were read")
	}
}

// TestSort: the order is file, position, rule, message. Unknown positions come first.
func TestSort(t *testing.T) {
	at := func(line, column int) Position { return Position{line, column, line, column} }
	want := []Diagnostic{
		{File: "a", Position: at(2, 1)}, {File: "b"}, {File: "b", Position: at(1, 9)}, {File: "b", Position: at(2, 1), Rule: "a-b", Message: "z"},
		{File: "b", Position: at(2, 1), Rule: "b-a", Message: "x"}, {File: "b", Position: at(2, 1), Rule: "b-a", Message: "y"}, {File: "b", Position: at(10, 1)},
	}
	got := slices.Clone(want)
	slices.Reverse(got)
	Sort(got)
	if !slices.Equal(got, want) {
		t.Errorf("%v", got)
	}
}

// TestStrings checks the texts of diagnostics and severities.
func TestStrings(t *testing.T) {
	d := Diagnostic{File: "a/b.yaml", Position: Position{3, 7, 3, 9}, Severity: Warning, Rule: "some-rule", Message: "what is wrong", Hint: "not shown"}
	if got := d.String(); got != "a/b.yaml:3:7: warning: what is wrong [some-rule]" {
		t.Error(got)
	}
	d.Position, d.Severity = Position{}, Info
	if got := d.String(); got != "a/b.yaml: info: what is wrong [some-rule]" {
		t.Error(got)
	}
	if got := Severity(9).String(); got != "unknown severity" {
		t.Error(got)
	}
	if HasErrors([]Diagnostic{d}) || !HasErrors([]Diagnostic{d, {Severity: Error}}) {
		t.Error("HasErrors")
	}
}

func BenchmarkParse(b *testing.B) {
	src := profiles(b, "ok")["testdata/ok/web.yaml"]
	accepted(b, string(src))
	b.ReportAllocs()
	for b.Loop() {
		Parse("web.yaml", src)
	}
}
