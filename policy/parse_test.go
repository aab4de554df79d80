package policy

import (
	"encoding/json"
	"errors"
	"fmt"
	"reflect"
	"slices"
	"strings"
	"testing"

	"caprun/cap"

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
		File: "testdata/ok/web.yaml", Name: "web", Description: "HTTP server on port 80. No other privilege, and none can be regained.",
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
		UID:     ptr(uint32(0)), GID: &Group{ID: 4294967294}, Groups: []Group{{ID: 0}, {ID: 33}, {Name: "adm"}, {ID: 4294967294}},
		Caps: caps(t, "cap_kill,cap_chown+ip cap_kill+e cap_net_raw+p-i\n"), IAB: iab(t, "^cap_kill,!cap_chown,%cap_net_raw,!%cap_setuid,40"),
		Mode: ptr(cap.ModePure1EInit), NoNewPrivs: true, Umask: ptr(uint32(0o777)),
		Env:        &Env{KeepAll: true, Set: map[string]string{"A": "", "_b1": "x=y z", "Y": "no"}, Unset: []string{"D"}},
		Rlimits:    []Rlimit{{Name: "as", Soft: Unlimited, Hard: Unlimited}, {Name: "core"}, {Name: "nofile", Soft: 1<<63 - 1, Hard: Unlimited}},
		KeepFDs:    []int{1048575, 3},
		NewSession: true, InheritKeyring: true,
		Ignored: []Ignore{{"kept-descriptors", nil, "the socket, bound by the starter", "2027-01-31"}, {"x", nil, "two words\n", ""}, {"y", []string{"cap_kill", "21", "0", "40"}, "z", ""}},
	}
	empty := Profile{
		File: "testdata/ok/json.yaml", User: "33", GID: &Group{ID: 5}, Groups: []Group{},
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
			if key != "uid" && bad == "٣٣" {
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

func BenchmarkParse(b *testing.B) {
	src := profiles(b, "ok")["testdata/ok/web.yaml"]
	accepted(b, string(src))
	b.ReportAllocs()
	for b.Loop() {
		Parse("web.yaml", src)
	}
}
