package oci

import (
	"bytes"
	"encoding/json"
	"fmt"
	"strings"
	"testing"

	"caprun/engine"
	"caprun/engine/cred"
	"caprun/platform/declared"
	"caprun/policy"
)

// config returns a config.json with a process.
func config(process string) string {
	return `{"ociVersion": "1.0.2", "root": {"path": "rootfs"}, "process": ` + process + `}`
}

// sets returns capabilities with all five sets.
func sets(bounding, effective, permitted, inheritable, ambient string) string {
	list := func(names string) string {
		var quoted []string
		for name := range strings.FieldsSeq(names) {
			quoted = append(quoted, `"CAP_`+name+`"`)
		}
		return "[" + strings.Join(quoted, ",") + "]"
	}
	return fmt.Sprintf(`"capabilities": {"bounding": %s, "effective": %s, "permitted": %s, "inheritable": %s, "ambient": %s}`,
		list(bounding), list(effective), list(permitted), list(inheritable), list(ambient))
}

// read returns the process, its text and its plan.
func read(t *testing.T, text string) (*declared.Process, string, *engine.Plan) {
	t.Helper()
	res := Read(declared.File{Name: "config.json", Text: []byte(text)})
	if len(res.Processes) != 1 {
		t.Fatalf("%s: %v", text, res.Findings)
	}
	p := res.Processes[0]
	d, err := p.Document()
	if err != nil {
		t.Fatalf("%s: %v", text, err)
	}
	profile, found := policy.Parse("p", d.Text)
	if profile == nil {
		t.Fatalf("%v\n%s", found, d.Text)
	}
	plan, found := engine.Compile(profile, cred.Root(), engine.OrdinaryTarget())
	if plan == nil {
		t.Fatalf("%v\n%s", found, d.Text)
	}
	return p, string(d.Text), plan
}

func TestDocument(t *testing.T) {
	_, text, _ := read(t, `{
 "ociVersion": "1.0.2",
 "hostname": "web-1",
 "process": {
  "user": {"uid": 33, "gid": 33, "umask": 63, "additionalGids": [33, 4]},
  "args": ["/server", "-v"],
  "env": [
   "PATH=/bin",
   "HOME=/"
  ],
  "cwd": "/srv",
  `+sets("NET_BIND_SERVICE", "NET_BIND_SERVICE", "NET_BIND_SERVICE", "NET_BIND_SERVICE", "NET_BIND_SERVICE")+`,
  "rlimits": [{"type": "RLIMIT_NOFILE", "soft": 1024, "hard": 18446744073709551615}],
  "noNewPrivileges": true
 }
}`)
	want := `version: 1
name: web-1
# config.json:6: "args": /server -v
command: [/server, "-v"]
# config.json:5: "uid": 33
uid: 33
# config.json:5: "gid": 33
gid: 33
# config.json:5: "additionalGids"
groups: [33, 4]
# config.json:12: "bounding": cap_net_bind_service
# config.json:12: "inheritable": cap_net_bind_service
# config.json:12: "ambient": cap_net_bind_service
caps: cap_net_bind_service=eip
# config.json:14: "noNewPrivileges": true
no_new_privs: true
# config.json:11: "cwd": "/srv"
cwd: /srv
# config.json:5: "umask": 63
umask: "0077"
# config.json:7: "env"
env:
  keep: []
  set:
    # config.json:9: HOME=/
    HOME: /
    # config.json:8: PATH=/bin
    PATH: /bin
rlimits:
  # config.json:13: "type": "RLIMIT_NOFILE" "soft": 1024 "hard": 18446744073709551615
  nofile: {soft: 1024, hard: unlimited}
new_session: true
`
	if text != want {
		t.Errorf("%s", text)
	}
}

// TestStates: the states in which runc 1.1.5 and crun 1.8.1 start a program.
func TestStates(t *testing.T) {
	for _, test := range []struct {
		name, process string
		after         string // effective, permitted, inheritable, ambient and bounding
		finding       string
	}{
		{"no capabilities", `{"user": {"uid": 33, "gid": 33}}`, "none none none none none", ""},
		{"null", `{"capabilities": null, "user": null}`, "none none none none none", ""},
		{"no user", `{` + sets("KILL", "KILL", "KILL", "", "") + `}`, "cap_kill cap_kill none none cap_kill", ""},
		{"another user", `{"user": {"uid": 33}, ` + sets("KILL", "KILL", "KILL", "", "") + `}`, "none none none none cap_kill",
			"permitted or effective has cap_kill, which exec removes from uid 33: only ambient capabilities stay"},
		{"ambient and not inheritable", `{"user": {"uid": 33}, ` + sets("KILL", "", "KILL", "", "KILL") + `}`, "none none none none cap_kill",
			"ambient has cap_kill, which is not both inheritable and permitted: the process does not get it"},
		{"ambient and not permitted", `{"user": {"uid": 33}, ` + sets("KILL", "", "", "KILL", "KILL") + `}`, "none none cap_kill none cap_kill",
			"ambient has cap_kill, which is not both inheritable and permitted: the process does not get it"},
		{"root, permitted is less", `{` + sets("KILL CHOWN", "KILL", "KILL", "", "") + `}`, "cap_chown,cap_kill cap_chown,cap_kill none none cap_chown,cap_kill",
			"permitted lacks cap_chown, which bounding has: exec grants it to uid 0"},
		{"root, no_new_privs, permitted is less", `{"noNewPrivileges": true, ` + sets("KILL CHOWN", "KILL", "KILL", "", "") + `}`,
			"cap_kill cap_kill none none cap_chown,cap_kill", ""},
		{"root, permitted is more", `{` + sets("KILL", "KILL", "KILL CHOWN", "", "") + `}`, "cap_kill cap_kill none none cap_kill",
			"permitted has cap_chown, which bounding lacks: exec removes it"},
		{"inheritable", `{"user": {"uid": 33}, ` + sets("KILL", "", "", "KILL", "") + `}`, "none none cap_kill none cap_kill", ""},
		{"unknown", `{"capabilities": {"bounding": ["CAP_FOO"]}}`, "none none none none none", `unknown capability "CAP_FOO" in bounding: the runtimes ignore it`},
		{"without CAP_", `{"capabilities": {"bounding": ["KILL"]}}`, "none none none none none", `unknown capability "KILL" in bounding: the runtimes ignore it`},
		{"number", `{"capabilities": {"bounding": ["5"]}}`, "cap_kill cap_kill none none cap_kill", `unknown capability "5" in bounding: runc ignores it, and crun grants cap_kill`},
		{"lower case", `{"capabilities": {"bounding": ["cap_kill"], "permitted": ["cap_kill"], "effective": ["cap_kill"]}}`, "cap_kill cap_kill none none cap_kill",
			`unknown capability "cap_kill" in bounding: runc ignores it, and crun grants cap_kill`},
		{"misspelt key", `{"noNewPrivilege": true}`, "none none none none none", `unknown key "noNewPrivilege": the runtime ignores it`},
	} {
		t.Run(test.name, func(t *testing.T) {
			p, _, plan := read(t, config(test.process))
			a := plan.AfterExec
			got := fmt.Sprint(a.Effective, a.Permitted, a.Inheritable, a.Ambient, a.Bounding)
			if got != test.after {
				t.Errorf("%s, want %s", got, test.after)
			}
			found := ""
			if len(p.Findings) > 0 {
				found = p.Findings[0].Message
			}
			if found != test.finding {
				t.Errorf("%q, want %q", found, test.finding)
			}
		})
	}
}

// TestCrunCapability: what crun 1.8.1 was seen to grant.
func TestCrunCapability(t *testing.T) {
	for text, want := range map[string]string{
		"7": "cap_setuid", "07": "cap_setuid", "0x7": "cap_setuid", "010": "cap_setpcap", "7abc": "cap_setuid", "7 8": "cap_setuid", "09": "cap_chown", "0x": "cap_chown",
		"CAP_KILL foo": "cap_kill", "CAP_KILL,CAP_CHOWN": "cap_kill", "CAP_KILL-x": "cap_kill", "Cap_Kill": "cap_kill",
		" CAP_KILL": "", "+7": "", "CAP_KILLx": "", "63": "", "64": "", "99999999999999999999": "", "CAP_8": "", "cap_8": "", "KILL": "", "": "",
	} {
		got := ""
		if n, ok := crunCapability(text); ok {
			got = n.String()
		}
		if got != want {
			t.Errorf("%q: %q, want %q", text, got, want)
		}
	}
}

// TestRefused: a file that the runtimes read differently, or not at all, has no process.
func TestRefused(t *testing.T) {
	for _, test := range []struct{ text, want string }{
		{`[]`, "c:1:1: error: config.json must be an object, not an array [platform-syntax]"},
		{`{}`, "c:1:1: info: no process is declared [no-process]"},
		{`{"process": []}`, "c:1:13: error: process must be an object, not an array [platform-syntax]"},
		{`{"Process": {}}`, `c:1:2: error: unknown key "Process": runc reads it as process, and crun ignores it [platform-syntax]`},
		{config(`{"Capabilities": {}}`), `c:1:65: error: unknown key "Capabilities": runc reads it as capabilities, and crun ignores it [platform-syntax]`},
		{config(`{"user": {"uid": "33"}}`), `c:1:81: error: uid must be a number, not a string: crun reads it as 0 [platform-syntax]`},
		{config(`{"user": {"uid": 33.0}}`), `c:1:81: error: invalid uid "33.0": want a whole number of at most 32 bits [platform-syntax]`},
		{config(`{"user": {"uid": -1}}`), `c:1:81: error: invalid uid "-1": want a whole number of at most 32 bits [platform-syntax]`},
		{config(`{"user": {"gid": 4294967295}}`), `c:1:81: error: invalid gid 4294967295: to the kernel it means no change [platform-syntax]`},
		{config(`{"noNewPrivileges": "true"}`), `c:1:84: error: noNewPrivileges must be a boolean, not a string [platform-syntax]`},
		{config(`{"args": [1]}`), `c:1:74: error: args must have strings only, not a number [platform-syntax]`},
		{`{"process": {}, "process": {}}`, `c:1:17: error: key "process" is repeated [platform-syntax]`},
		{strings.Repeat(" ", declared.MaxSize) + "{}", "c:1:1: error: file exceeds 1024 KiB [platform-syntax]"},
	} {
		res := Read(declared.File{Name: "c", Text: []byte(test.text)})
		if len(res.Processes) != 0 || len(res.Findings) == 0 || res.Findings[0].String() != test.want {
			t.Errorf("%.60s: %v, want %s", test.text, res.Findings, test.want)
		}
	}
}

// TestValues: values that a profile refuses are losses, and mistakes are findings.
func TestValues(t *testing.T) {
	for _, test := range []struct{ process, want string }{
		{`{"env": ["A=x\u0007"]}`, `a profile cannot have the variable "A" with this value`},
		{`{"env": ["1A=x"]}`, `a profile cannot have the variable "1A" with this value`},
		{`{"env": ["A=1", "A=2"]}`, `variable "A" is set twice: the runtimes pass the last value`},
		{`{"env": ["A"]}`, `invalid variable "A": runc refuses to start, and crun passes it on`},
		{`{"cwd": "srv"}`, "cwd is a relative path: runc refuses to start"},
		{`{"cwd": "/a/../b"}`, "a profile cannot have this cwd"},
		{`{"args": ["a\u0000b"]}`, "a profile cannot have this command"},
		{`{"rlimits": [{"type": "RLIMIT_FOO"}]}`, `unknown limit "RLIMIT_FOO": the runtimes refuse to start`},
		{`{"rlimits": [{"type": "nofile"}]}`, `unknown limit "nofile": the runtimes refuse to start`},
		{`{"rlimits": [{"type": "RLIMIT_CORE", "soft": 2, "hard": 1}]}`, `soft limit 2 is above hard limit 1: the runtimes refuse to start`},
		{`{"rlimits": [{"type": "RLIMIT_CORE", "hard": 1}, {"type": "RLIMIT_CORE"}]}`, `limit RLIMIT_CORE is set twice: the runtimes apply both, and the last stays`},
		{`{"rlimits": [{"type": "RLIMIT_CORE", "hard": 9223372036854775808}]}`, `a profile cannot have the limit RLIMIT_CORE`},
		{`{"user": {"uid": 5, "gid": 5}}`, "the supplementary groups lack the gid 5, which a launch with the profile adds"},
		{`{"seccomp": {}, "apparmorProfile": "x"}`, "AppArmor confines the process"},
		{`{"user": {"username": "x"}}`, "username has no effect on Linux"},
		{`{` + sets("KILL", "", "", "CHOWN", "") + `}`, "inheritable has cap_chown, which bounding lacks: the runtimes refuse to start"},
		{`{` + sets("KILL", "CHOWN", "", "", "") + `}`, "effective has cap_chown, which permitted lacks: the runtimes refuse to start"},
	} {
		p, _, _ := read(t, config(test.process))
		var all []string
		for _, f := range p.Findings {
			all = append(all, f.Message)
		}
		for _, l := range p.Losses {
			all = append(all, l.What)
		}
		if !strings.Contains(strings.Join(all, "\n"), test.want) {
			t.Errorf("%s: %q, want %q", test.process, all, test.want)
		}
	}
}

// TestLarge: a process that exceeds the limits of profiles has a document.
func TestLarge(t *testing.T) {
	var variables, groups, args []string
	for n := range 1000 {
		variables = append(variables, fmt.Sprintf(`"V%d=%s"`, n, strings.Repeat("x", 100)))
		groups = append(groups, fmt.Sprint(n))
		args = append(args, `"`+strings.Repeat("y", 30)+`"`)
	}
	p, _, _ := read(t, config(`{"env": [`+strings.Join(variables, ",")+`], "args": [`+strings.Join(args, ",")+`], "user": {"additionalGids": [`+strings.Join(groups, ",")+`]}}`))
	if p.Profile.Env != nil || p.Profile.Command == nil || len(p.Profile.Groups) != 1000 {
		t.Errorf("%v %d", p.Profile.Command, len(p.Profile.Groups))
	}
}

// FuzzRead: every process has a document, which compiles unless the sets are those with
// which the runtimes refuse to start.
func FuzzRead(f *testing.F) {
	f.Add([]byte(config(`{"user": {"uid": 33, "gid": 33, "additionalGids": [33]}, "env": ["A=1", "HOME=/"], "args": ["/x"], "cwd": "/", ` +
		sets("KILL CHOWN", "KILL", "KILL", "KILL", "KILL") + `, "rlimits": [{"type": "RLIMIT_CORE", "soft": 0, "hard": 1}]}`)))
	f.Add([]byte(config(`{"noNewPrivileges": true, ` + sets("KILL CHOWN", "KILL", "KILL", "", "") + `}`)))
	f.Add([]byte(`{"process": {"env": ["A"], "user": {"uid": 4294967295}}, "linux": {"namespaces": [{"type": "user"}]}, "hooks": {"prestart": [{"path": "/x"}]}}`))
	f.Fuzz(func(t *testing.T, text []byte) {
		res := Read(declared.File{Name: "config.json", Text: text})
		if len(res.Processes) == 0 {
			if len(res.Findings) == 0 {
				t.Fatal("no process and no finding")
			}
			return
		}
		if !json.Valid(text) {
			t.Fatal("package json refuses the text")
		}
		d, err := res.Processes[0].Document()
		if err != nil {
			t.Fatal(err)
		}
		p, found := policy.Parse("p", d.Text)
		if p == nil {
			t.Fatalf("%v\n%s", found, d.Text)
		}
		if !bytes.Equal(bytes.ToValidUTF8(d.Text, nil), d.Text) {
			t.Fatal("the document is not UTF-8")
		}
	})
}
