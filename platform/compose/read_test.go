package compose

import (
	"fmt"
	"strings"
	"testing"
	"time"

	"caprun/engine"
	"caprun/engine/cred"
	"caprun/internal/test/cputime"
	"caprun/platform/containers"
	"caprun/platform/declared"
	"caprun/platform/internal/golden"
	"caprun/policy"
)

func read(text string, e containers.Engine) declared.Result {
	return Read(declared.File{Name: "compose.yaml", Text: []byte(text)}, e)
}

// one returns the process of a file with a single service, which has these lines.
func one(t *testing.T, lines string, e containers.Engine) *declared.Process {
	t.Helper()
	r := read("services:\n  web:\n    image: x\n    "+strings.ReplaceAll(lines, "\n", "\n    ")+"\n", e)
	if len(r.Processes) != 1 || len(r.Findings) > 0 {
		t.Fatalf("%s: %d processes, %v", lines, len(r.Processes), r.Findings)
	}
	return r.Processes[0]
}

func text(t *testing.T, p *declared.Process) string {
	t.Helper()
	d, err := p.Document()
	if err != nil {
		t.Fatal(err)
	}
	profile, found := policy.Parse("p", d.Text)
	if profile == nil {
		t.Fatalf("%v\n%s", found, d.Text)
	}
	if plan, found := engine.Compile(profile, cred.Root(), engine.OrdinaryTarget()); plan == nil {
		t.Fatalf("%v\n%s", found, d.Text)
	}
	return string(d.Text)
}

// TestDocument: the profile names the line of each declaration.
func TestDocument(t *testing.T) {
	p := one(t, `user: "33:33"
group_add: [44, video]
cap_drop: [ALL]
cap_add:
- NET_BIND_SERVICE
security_opt: [no-new-privileges:true]
ulimits:
  nofile: {soft: 1024, hard: 2048}
  core: 0
environment:
  MODE: prod
  N: 5
  B: true
  HOME:
working_dir: /srv/
entrypoint: /bin/web -p "80 81"
command: [x, "$$y"]`, containers.Podman)
	want := `version: 1
name: web
# compose.yaml:19: entrypoint: /bin/web -p "80 81"
# compose.yaml:20: command: [x, $$y]
command: [/bin/web, "-p", "80 81", x, "$y"]
# compose.yaml:4: user: 33:33
uid: 33
# compose.yaml:4: user: 33:33
gid: 33
# compose.yaml:5: group_add: 44
# compose.yaml:5: group_add: video
groups: [44, video]
# compose.yaml:8: cap_add: NET_BIND_SERVICE
# compose.yaml:6: cap_drop: ALL
caps: cap_net_bind_service=eip
# compose.yaml:9: security_opt: no-new-privileges:true
no_new_privs: true
# compose.yaml:18: working_dir: /srv/
cwd: /srv
env:
  # compose.yaml:17: HOME:
  keep: [HOME]
  set:
    # compose.yaml:16: B: true
    B: "true"
    # compose.yaml:14: MODE: prod
    MODE: prod
    # compose.yaml:15: N: 5
    "N": "5"
rlimits:
  # compose.yaml:12: core: 0
  core: 0
  # compose.yaml:11: nofile: {soft: 1024, hard: 2048}
  nofile: {soft: 1024, hard: 2048}
`
	if got := text(t, p); got != want {
		t.Errorf("%s", got)
	}
	if len(p.Losses)+len(p.Findings) > 0 {
		t.Errorf("%v %v", p.Losses, p.Findings)
	}
}

// TestEngines: one file means other sets for other engines.
func TestEngines(t *testing.T) {
	lines := "user: 33:33\ncap_add: [net_raw]"
	for e, want := range map[containers.Engine]string{containers.Docker: "caps: \"=\"\n", containers.Podman: "caps: cap_net_raw=eip\n"} {
		if got := text(t, one(t, lines, e)); !strings.Contains(got, want) {
			t.Errorf("%s:\n%s", e, got)
		}
	}
}

// TestFindings: mistakes, and values that the file does not have.
func TestFindings(t *testing.T) {
	for _, test := range []struct{ lines, want string }{
		{"user: root", ""},
		{"user: 1000", "4:11 refused-by-platform: Compose refuses user: the value is not a text"},
		{"user: root\ncap_add: NET_ADMIN", "5:14 refused-by-platform: Compose refuses cap_add: the value is not a list of texts"},
		{"user: root\ngroup_add: [5, 010]", "5:20 platform-syntax: group_add is not in plain decimal digits: Compose reads 010 as 8, and other readers can differ (write 8)"},
		{"user: root\ngroup_add: [1.0]", "5:17 refused-by-platform: Compose refuses group_add: the value is not a list of texts"},
		{"user: root\nulimits: {nofile: 010, core: '010', nproc: -1}", "5:23 platform-syntax: ulimits.nofile is not in plain decimal digits: Compose reads 010 as 8, and other readers can differ (write 8)"},
		{"user: root\nentrypoint: [a, 5]", "5:21 refused-by-platform: Compose refuses entrypoint: the value is not a list of texts"},
		{"", "2:3 identity-not-declared: the image decides the user: if it is uid 0, the process has 14 capabilities"},
		{"cap_drop: [ALL]", "2:3 identity-not-declared: the image decides the user: if it is uid 0, the process has no capability, and owns the files of root"},
		{"cap_drop: [ALL]\ncap_add: [KILL]", "2:3 identity-not-declared: the image decides the user: if it is uid 0, the process has 1 capability"},
		{"privileged: true", "2:3 identity-not-declared: the image decides the user: if it is uid 0, the process has every capability"},
		{"user: :5", "4:11 identity-not-declared: the image decides the user: if it is uid 0, the process has 14 capabilities"},
		{"user: ${UID}:5", "4:11 identity-not-declared: the value of user has a variable: if it is uid 0, the process has 14 capabilities"},
		{"user: ${UID:-1000}", "4:11 value-not-declared: the value of user has a variable: ${UID:-1000}"},
		{"user: 0:$GID", "4:11 identity-not-declared: the value of user has a variable, and the process is uid 0"},
		{"user: 5:$GID", ""},
		{"user: web", ""},
		{"user: 33:adm", ""},
		{"user: \"33\"", ""},
		{"user: root\ncap_add: [\"${CAPS:-NET_ADMIN}\", NET_RAW]", "5:15 value-not-declared: the value of cap_add has a variable: ${CAPS:-NET_ADMIN}"},
		{"user: root\nprivileged: $P", "5:17 value-not-declared: the value of privileged has a variable: $P"},
		{"user: root\nprivileged: maybe", "5:17 refused-by-platform: Compose refuses privileged: the value is not a boolean"},
		{"user: root\nprivileged: \"true\"", ""},
		{"user: root\ncap_ad: [NET_ADMIN]", `5:5 refused-by-platform: Compose refuses the unknown key "cap_ad" (did you mean cap_add?)`},
		{"user: root\ncap_add: [NET_ADMN]", `5:15 ignored-capability: Docker refuses the unknown capability "NET_ADMN" (write NET_ADMIN)`},
		{"user: 1:1\ncap_add: [NET_ADMIN]", `5:15 capability-not-granted: the process does not get "NET_ADMIN": Docker adds it only to the bounding set for a user other than root`},
		{"user: root\nsecurity_opt: [no-new-privilege:true]", `5:20 refused-by-platform: Docker refuses the unknown security option "no-new-privilege:true" (did you mean no-new-privileges?)`},
		{"user: root\nsecurity_opt: [no-new-privileges:yes]", `5:20 refused-by-platform: Docker refuses the value "yes" of no-new-privileges`},
		{"user: root\nulimits: {nofiles: 5}", `5:24 refused-by-platform: Docker refuses the unknown limit "nofiles" (did you mean nofile?)`},
		{"user: root\nulimits: {nofile: {soft: 5, hard: 4}}", "5:15 refused-by-platform: Docker refuses the limit nofile: the soft limit is above the hard limit"},
		{"user: root\nulimits: {nofile: {soft: 5}}", "5:15 refused-by-platform: Compose refuses ulimits.nofile: the value is not a number, or a mapping with soft and hard"},
		{"user: root\nextends: base", "5:5 value-not-declared: the service has more declarations in the service that it extends"},
		{"user: root\ncommand: a && b", "5:14 declaration-ignored: Compose ignores the end of command, which no shell reads: && b"},
		{"user: root\ncommand: a (b)", "5:14 refused-by-platform: Compose refuses command: its quotes or parentheses are wrong"},
		{"user: 1:1\npost_start: [{command: a, user: root}]", "5:18 privileged-command: post_start runs a command as root"},
		{"user: 1:1\npre_stop: [{command: a, privileged: true}]", "5:16 privileged-command: pre_stop runs a privileged command"},
	} {
		p := one(t, test.lines, containers.Docker)
		var got []string
		for _, f := range p.Findings {
			s := fmt.Sprintf("%d:%d %s: %s", f.Line, f.Column, f.Rule, f.Message)
			if f.Hint != "" && strings.HasSuffix(test.want, "?)") || f.Hint != "" && strings.HasSuffix(test.want, "(write 8)") || strings.HasPrefix(f.Hint, "write NET") {
				s += " (" + f.Hint + ")"
			}
			got = append(got, s)
		}
		if s := strings.Join(got, "; "); s != test.want {
			t.Errorf("%s:\n got %s\nwant %s", test.lines, s, test.want)
		}
		text(t, p)
	}
}

// TestNotRoot: an unknown user who is not root is a loss.
func TestNotRoot(t *testing.T) {
	for _, test := range []struct {
		lines, lost string
		sets        declared.Sets // without those of capabilities
	}{
		{"user: 5:$GID", "the value of user has a variable", declared.Sets{UnknownUID: true, NotRoot: true}},
		{"user: $UID", "", declared.Sets{UnknownUID: true}},
		{"user: web", `the image decides which number the user "web" has`, declared.Sets{}},
		{"user: 33:adm", `the image decides which number the group "adm" has`, declared.Sets{}},
	} {
		p := one(t, test.lines, containers.Docker)
		var lost string
		for _, l := range p.Losses {
			lost += l.What
		}
		if lost != test.lost || p.Sets.UnknownUID != test.sets.UnknownUID || p.Sets.NotRoot != test.sets.NotRoot {
			t.Errorf("%s: %q %+v", test.lines, lost, p.Sets)
		}
	}
}

// TestLosses: what a profile cannot say.
func TestLosses(t *testing.T) {
	p := one(t, `user: "0"
privileged: true
pid: host
network_mode: service:vpn
userns_mode: host
read_only: true
init: true
devices: [/dev/net/tun:/dev/net/tun, {source: /dev/x}]
security_opt: [seccomp=unconfined, apparmor:x, label=disable]
sysctls: {net.x: 1}
volumes: [/etc:/host:ro, data:/x, ./conf:/c, "/var/run/docker.sock:/s", "${D}:/d", {type: bind, source: /y, read_only: true}]
env_file: .env
environment: [A=$B, "bad name=1", C]
command: run $X
working_dir: rel`, containers.Docker)
	var got []string
	for _, l := range p.Losses {
		got = append(got, fmt.Sprintf("%d %s", l.At.Line, l.What))
	}
	want := `12 the seccomp filter is unconfined
12 the AppArmor profile is x
12 SELinux has the label option disable
5 privileged gives the container every device of the host, and no seccomp filter, AppArmor profile or masked path
15 env_file adds variables of other files
16 the variable A has the value of a variable: $B
16 a profile cannot have a variable with the name "bad name"
17 command has variables
18 a profile cannot have the working directory "rel"
6 the process shares the PID namespace of the host
7 the process shares the network of another: service:vpn
8 the process shares the user namespace of the host
9 the root file system is read-only
10 an init process with the same privileges starts the program
11 the container has the device /dev/net/tun:/dev/net/tun
11 the container has the device /dev/x
13 the container sets net.x=1
14 /etc of the host is mounted in the container, read-only
14 ./conf of the host is mounted in the container
14 /var/run/docker.sock of the host is mounted in the container; its engine starts containers with every privilege
14 a volume has a variable: ${D}:/d
14 /y of the host is mounted in the container, read-only`
	if strings.Join(got, "\n") != want {
		t.Errorf("%s", strings.Join(got, "\n"))
	}
}

// TestAnchors: fragments, merge keys and extension fields.
func TestAnchors(t *testing.T) {
	r := read(`x-hard: &hard
  user: "0"
  cap_drop: [ALL]
  security_opt: ["no-new-privileges"]
services:
  x-none: {}
  a: {<<: *hard, cap_add: [CHOWN]}
  b:
    <<: [*hard, {read_only: true}]
    user: 5:5
include: [other.yaml]
`, containers.Docker)
	if len(r.Processes) != 2 || len(r.Findings) != 1 || r.Findings[0].Rule != "value-not-declared" {
		t.Fatalf("%v %v", r.Processes, r.Findings)
	}
	if got := text(t, r.Processes[0]); !strings.Contains(got, "# compose.yaml:3: cap_drop: ALL\ncaps: cap_chown=ep\n") || !strings.Contains(got, "no_new_privs: true") {
		t.Error(got)
	}
	if got := text(t, r.Processes[1]); !strings.Contains(got, "uid: 5") || len(r.Processes[1].Losses) != 1 {
		t.Error(got)
	}
}

// TestJobs: jobs are like services; hooks before the start have a container of their own.
func TestJobs(t *testing.T) {
	r := read("services:\n  a: {user: \"1:1\", umask: 0027, pre_start: [{user: root}]}\njobs:\n  b: {user: \"0\", triggers: {manual: true}, umask: \"0o77\"}\n", containers.Docker)
	if len(r.Processes) != 2 || len(r.Findings) > 0 {
		t.Fatalf("%v %v", r.Processes, r.Findings)
	}
	if got := text(t, r.Processes[0]); !strings.Contains(got, `umask: "0027"`) || len(r.Processes[0].Findings) != 1 {
		t.Errorf("%s%v", got, r.Processes[0].Findings)
	}
	if got := text(t, r.Processes[1]); !strings.Contains(got, `umask: "0077"`) || len(r.Processes[1].Findings) > 0 {
		t.Errorf("%s%v", got, r.Processes[1].Findings)
	}
}

// TestRefused: a file without services has no processes.
func TestRefused(t *testing.T) {
	for text, want := range map[string]string{
		"":                         "no service is declared",
		"name: x":                  "no service is declared",
		"- a":                      "the document is not a mapping",
		"services: [a]":            "services is not a mapping",
		"services: {a: b}":         `the service "a" is not a mapping`,
		"service: {a: {}}":         `unknown key "service"`,
		"services: {a: {}, a: 1}":  `the key "a" is on line 1, too`,
		"services:\n" + many(1025): "the file has more than 1024 services",
	} {
		r := read(text, containers.Docker)
		nothing := strings.HasPrefix(want, "no service")
		if len(r.Processes) > 0 || len(r.Findings) == 0 || r.Findings[0].Message != want || (r.Findings[0].Severity == policy.Error) == nothing {
			t.Errorf("%.30q: %v", text, r.Findings)
		}
	}
	if r := read("services:\n"+many(1024), containers.Docker); len(r.Processes) != 1024 {
		t.Error(r.Findings)
	}
}

func many(n int) string {
	var b strings.Builder
	for i := range n {
		fmt.Fprintf(&b, "  s%d: {user: \"0\"}\n", i)
	}
	return b.String()
}

// TestHostile: large and hostile files take little time, and their profiles can be written.
func TestHostile(t *testing.T) {
	list := func(key, item string, n int) string {
		return "services: {a: {" + key + ": [" + strings.Repeat(item+",", n) + "]}}"
	}
	for name, text := range map[string]string{
		"capabilities": list("cap_add", "x", 400000)[:declared.MaxSize/2],
		"environment":  list("environment", "A=\\u001b", 40000),
		"escapes":      list("environment", `"A=\x1b[2J"`, 1000),
		"volumes":      list("volumes", "/a:/b", 100000),
		"command":      list("entrypoint", "a", 100000),
		"string":       "services: {a: {command: '" + strings.Repeat("a ", 300000) + "'}}",
		"dollars":      "services: {a: {user: '" + strings.Repeat("$$", 300000) + "'}}",
		"modeline":     "services: {\"vim:set x: \": {user: \"0\", environment: {A: \"::error::x\\n$schema\"}}}",
		"names":        "services: {\"" + strings.Repeat("ü", 1000) + "\": {user: \"" + strings.Repeat("u", 1000) + "\"}}",
	} {
		begin := cputime.Used(t)
		r := read(text, containers.Podman)
		for _, p := range r.Processes {
			if _, err := p.Document(); err != nil {
				t.Errorf("%s: %v", name, err)
			}
		}
		if took := cputime.Used(t) - begin; took > 5*time.Second {
			t.Errorf("%s: took %v", name, took)
		}
		if len(r.Processes) == 0 && name != "capabilities" && !golden.IsIncomplete(r) {
			t.Errorf("%s: %v", name, r.Findings)
		}
	}
}

// FuzzRead: Read never panics; each process has a document, and each finding a position in
// the file.
func FuzzRead(f *testing.F) {
	for _, text := range golden.Files(f, ".yaml") {
		f.Add(text, true)
	}
	f.Add([]byte("services:\n  a:\n    user: \"1:2\"\n    cap_add: [NET_ADMIN]\n    cap_drop: [ALL]\n    security_opt: [no-new-privileges]\n    ulimits: {nofile: {soft: 1, hard: 2}}\n    environment: [A=b, C]\n    entrypoint: a 'b c'\n    command: [d]\n    volumes: [/a:/b]\n"), false)
	f.Add([]byte("x: &x {privileged: true, group_add: [1, a]}\nservices: {a: {<<: *x, environment: {A: 1.5, B: }, post_start: [{user: root}], pid: host, working_dir: /x}}"), true)
	f.Add([]byte("x: &x !override {privileged: \"${P:-true}\", user: !reset '1'}\nservices: {a: {<<: *x, build: {privileged: true, entitlements: [security.insecure]}, develop: {watch: [{exec: {user: \"${U-0}\"}}]}}}\n---\nservices: {a: {}}"), false)
	f.Fuzz(func(t *testing.T, src []byte, podman bool) {
		e := containers.Docker
		if podman {
			e = containers.Podman
		}
		begin := cputime.Used(t)
		r := Read(declared.File{Name: "f", Text: src}, e)
		lines := strings.Count(string(src), "\n") + 1
		check := func(list []policy.Diagnostic) {
			for _, d := range list {
				if d.Line < 1 || d.Line > lines || d.File != "f" || d.Rule == "" {
					t.Fatalf("%+v", d)
				}
			}
		}
		check(r.Findings)
		if has := len(r.Processes) > 0; has && policy.HasErrors(r.Findings) || !has && len(r.Findings) == 0 {
			t.Fatalf("%d processes, %v", len(r.Processes), r.Findings)
		}
		for _, p := range r.Processes {
			check(p.Findings)
			golden.CheckIdentity(t, p, p.Findings)
			if _, err := p.Document(); err != nil {
				t.Fatalf("%s: %v", p.Name, err)
			}
		}
		if took := cputime.Used(t) - begin; took > 5*time.Second {
			t.Errorf("took %v", took)
		}
	})
}
