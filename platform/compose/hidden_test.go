package compose

import (
	"fmt"
	"strings"
	"testing"

	"caprun/platform/containers"
	"caprun/policy"
)

// messages returns findings in one line.
func messages(found []policy.Diagnostic) string {
	var list []string
	for _, f := range found {
		list = append(list, fmt.Sprintf("%d:%d %s: %s", f.Line, f.Column, f.Rule, f.Message))
	}
	return strings.Join(list, "; ")
}

// TestTags: !reset removes a key, and !override changes nothing. Other tags are errors.
func TestTags(t *testing.T) {
	p := one(t, "user: !reset \"33:33\"\ncap_drop: !reset [ALL]\ncap_add: !override [NET_ADMIN]\nprivileged: !!bool \"false\"", containers.Docker)
	if p.Profile.UID != nil || p.Sets.Bounding.Len() != 15 || messages(p.Findings) != "2:3 identity-not-declared: the image decides the user: if it is uid 0, the process has 15 capabilities" {
		t.Errorf("%v %d %s", p.Profile.UID, p.Sets.Bounding.Len(), messages(p.Findings))
	}
	if p := one(t, "user: \"0\"\nprivileged: !override true", containers.Docker); p.Sets.Bounding.Len() != 41 || len(p.Findings) > 0 {
		t.Errorf("%s", messages(p.Findings))
	}
	for _, tag := range []string{"!x", "!!binary", "!"} {
		r := read("services: {a: {user: "+tag+" '33:33'}}", containers.Docker)
		if got := messages(r.Findings); len(r.Processes) > 0 || !strings.HasPrefix(got, "1:22 platform-syntax: the tag "+tag+" is unknown here") {
			t.Errorf("%s: %s", tag, got)
		}
	}
}

// TestNumbers: a number is what Compose takes it for.
func TestNumbers(t *testing.T) {
	got := text(t, one(t, "user: \"0\"\ngroup_add: [010, !!int '0x10', '010']\nulimits: {nofile: 010, core: {soft: 0b1, hard: 1_0}, nproc: '010'}", containers.Docker))
	for _, want := range []string{"groups: [8, 16, 10]", "nofile: 8\n", "core: {soft: 1, hard: 10}", "nproc: 10\n"} {
		if !strings.Contains(got, want) {
			t.Errorf("%s:\n%s", want, got)
		}
	}
}

// TestDefaults: a variable with a default has it, and is reported nevertheless.
func TestDefaults(t *testing.T) {
	const found = "value-not-declared: the value of "
	for _, test := range []struct {
		lines, want, findings string
		bounding              int
	}{
		{`user: "${U:-0}"`, "uid: 0", found + "user has a variable: ${U:-0}", 14},
		{`user: "${U-33}:${G:-${H:-5}}"`, "gid: 5", found + "user has a variable", 14},
		{"user: \"0\"\nprivileged: ${P:-true}", "uid: 0", found + "privileged has a variable", 41},
		{"user: \"0\"\nprivileged: ${P-false}", "uid: 0", found + "privileged has a variable", 14},
		{"user: \"0\"\ncap_add: [\"${C:-NET_ADMIN}\"]", "uid: 0", found + "cap_add has a variable", 15},
		{"user: \"0\"\ncap_add: [\"${C:-NET}_${D-ADMIN}\"]", "uid: 0", found + "cap_add has a variable", 15},
		{"user: \"0\"\nsecurity_opt: [\"${S:-no-new-privileges:true}\"]", "no_new_privs: true", found + "security_opt has a variable", 14},
	} {
		p := one(t, test.lines, containers.Docker)
		if got := text(t, p); !strings.Contains(got, test.want) || p.Sets.Bounding.Len() != test.bounding {
			t.Errorf("%s: %d\n%s", test.lines, p.Sets.Bounding.Len(), got)
		}
		if got := messages(p.Findings); strings.Count(got, test.findings) != 1 {
			t.Errorf("%s: %s", test.lines, got)
		}
	}
	for _, user := range []string{"${U}", "$U", "${U:?no}", "${U?no}", "${U:+0}", "${U+0}", "${U:-${V}}", "${U:-{a}}", "${U:-0", "${:-0}", "${0:-0}", "${U:0}", strings.Repeat("${U:-", 20) + strings.Repeat("}", 20)} {
		p := one(t, "user: '"+user+"'", containers.Docker)
		if got := messages(p.Findings); p.Profile.UID != nil || p.Profile.User != "" || !strings.Contains(got, "identity-not-declared: the value of user has a variable") {
			t.Errorf("%s: %s", user, got)
		}
	}
}

// TestVolumeDefaults: the path of the host can be in a default.
func TestVolumeDefaults(t *testing.T) {
	p := one(t, "user: \"0\"\nvolumes: [\"${S:-/run/docker.sock}:/s\", {type: bind, source: \"${D-/etc}\"}]", containers.Docker)
	var got []string
	for _, l := range p.Losses {
		got = append(got, l.What)
	}
	want := `a volume has a variable: ${S:-/run/docker.sock}:/s; /run/docker.sock of the host is mounted in the container; its engine starts containers with every privilege; /etc of the host is mounted in the container`
	if s := strings.Join(got, "; "); s != want {
		t.Errorf("%s", s)
	}
}

// TestOtherCommands: commands that have more privileges than the service.
func TestOtherCommands(t *testing.T) {
	for lines, want := range map[string]string{
		"develop: {watch: [{path: a, exec: {command: b, privileged: true}}]}":  "5:39 privileged-command: develop.watch runs a privileged command",
		"develop: {watch: [{path: a, exec: {command: b, user: root}}]}":        "5:39 privileged-command: develop.watch runs a command as root",
		"develop: {watch: [{path: a, exec: {command: b, user: \"00:5\"}}]}":    "5:39 privileged-command: develop.watch runs a command as root",
		"develop: {watch: [{path: a, exec: {command: b}}]}":                    "",
		"post_start: [{command: a, privileged: \"true\"}]":                     "5:18 privileged-command: post_start runs a privileged command",
		"post_start: [{command: a, privileged: \"${P:-true}\"}]":               "5:43 value-not-declared: the value of post_start.privileged has a variable: ${P:-true}; 5:18 privileged-command: post_start runs a privileged command",
		"post_start: [{command: a, privileged: \"${P}\"}]":                     "5:43 value-not-declared: the value of post_start.privileged has a variable: ${P}",
		"post_start: [{command: a, user: \"${U}\"}]":                           "5:37 value-not-declared: the value of post_start.user has a variable: ${U}",
		"build: {context: ., privileged: true}":                                "5:37 privileged-command: build runs privileged commands",
		"build: {context: ., privileged: \"true\"}":                            "5:37 privileged-command: build runs privileged commands",
		"build: {context: ., privileged: false}":                               "",
		"build: {context: ., entitlements: [network.host, security.insecure]}": "5:54 privileged-command: build runs privileged commands: security.insecure",
		"build: .": "",
	} {
		p := one(t, "user: \"1:1\"\n"+lines, containers.Docker)
		if got := messages(p.Findings); got != want {
			t.Errorf("%s:\n got %s\nwant %s", lines, got, want)
		}
	}
}

// TestNotations: JSON, flow style, indented keys and a byte order mark mean the same.
func TestNotations(t *testing.T) {
	for _, text := range []string{
		`{"services": {"a": {"user": "0", "privileged": true}}}`,
		"\ufeff{\n\t\"services\": {\n\t\t\"a\": {\"user\": \"0\", \"privileged\": true}}}\n",
		"\ufeffservices: {a: {user: '0', privileged: true}}",
		"  services:\r\n    a: {user: '0', privileged: true}\r\n",
		"{services: {a: {user: '0', privileged: true}}}",
		"--- {services: {a: {user: '0', privileged: true}}}\n...\n",
		"? services\n: a: {user: '0', privileged: true}",
	} {
		r := read(text, containers.Docker)
		if len(r.Processes) != 1 || r.Processes[0].Sets.Bounding.Len() != 41 {
			t.Errorf("%q: %v", text, r.Findings)
		}
	}
}

// TestDocuments: Docker merges the documents of a file, and caprun does not.
func TestDocuments(t *testing.T) {
	r := read("services: {a: {user: '33:33'}}\n---\nservices: {a: {user: !reset null}}", containers.Docker)
	if got := messages(r.Findings); len(r.Processes) > 0 || got != `3:12 platform-syntax: the service "a" is in another document, too, and engines merge the two` {
		t.Errorf("%s", got)
	}
	if r := read("services: {a: {user: '33:33'}}\n---\nservices: {b: {user: '1:1'}}", containers.Docker); len(r.Processes) != 2 {
		t.Errorf("%v", r.Findings)
	}
}
