package export

import (
	"encoding/json"
	"errors"
	"slices"
	"strings"
	"testing"
	"unicode/utf8"

	"caprun/engine"
	"caprun/engine/cred"
	"caprun/policy"
)

// compile returns the plan of a profile.
func compile(t testing.TB, text string) *engine.Plan {
	t.Helper()
	p, found := policy.Parse("p.yaml", []byte("version: 1\n"+text))
	if p == nil {
		t.Fatalf("%v\n%s", found, text)
	}
	plan, found := engine.Compile(p, cred.Root(), engine.OrdinaryTarget())
	if plan == nil {
		t.Fatalf("%v\n%s", found, text)
	}
	return plan
}

func TestSystemdText(t *testing.T) {
	plan := compile(t, `name: web
command: [/bin/server, "a b", "$HOME", "100%"]
uid: 33
gid: 33
groups: [4]
caps: cap_net_bind_service=eip
secbits: [noroot, noroot_locked]
no_new_privs: true
chroot: /srv/100%
cwd: /data
umask: "0027"
rlimits: {core: 0, nofile: {soft: 1024, hard: unlimited}}
env: {keep: [TZ], set: {MODE: 'a "b" %h'}}
`)
	r, err := Systemd(plan, "x")
	if err != nil {
		t.Fatal(err)
	}
	want := `# Written by caprun. systemd starts the program with the privileges of the profile.
[Unit]
Description=web

[Service]
Type=exec
ExecStart=:"/bin/server" "a b" "$HOME" "100%%"
User=33
Group=33
SupplementaryGroups=33 4
CapabilityBoundingSet=CAP_NET_BIND_SERVICE
AmbientCapabilities=CAP_NET_BIND_SERVICE
SecureBits=noroot noroot-locked
NoNewPrivileges=yes
RootDirectory=/srv/100%%
MountAPIVFS=no
WorkingDirectory=/data
UMask=0027
LimitCORE=0:0
LimitNOFILE=1024:infinity
Environment="HOME=/"
Environment="MODE=a \"b\" %%h"
PassEnvironment=TZ
UnsetEnvironment=` + "DEBUG_INVOCATION INVOCATION_ID JOURNAL_STREAM LANG LANGUAGE LC_ADDRESS LC_COLLATE LC_CTYPE LC_IDENTIFICATION LC_MEASUREMENT " +
		"LC_MESSAGES LC_MONETARY LC_NAME LC_NUMERIC LC_PAPER LC_TELEPHONE LC_TIME LOGNAME LOG_NAMESPACE MEMORY_PRESSURE_WATCH MEMORY_PRESSURE_WRITE " +
		"PATH SHELL SYSTEMD_EXEC_PID TRIGGER_PATH TRIGGER_UNIT USER\n"
	if string(r.Text) != want {
		t.Errorf("%s", r.Text)
	}
	if len(r.Losses) != 0 {
		t.Errorf("%v", r.Losses)
	}
}

// TestBounding: the unit has the shorter list.
func TestBounding(t *testing.T) {
	for text, want := range map[string]string{
		"uid: 33\ngid: 33\ncaps: \"=\"\n":                          "CapabilityBoundingSet=\n",
		"uid: 33\ngid: 33\ncaps: \"=\"\niab: \"!cap_chown\"\n":     "CapabilityBoundingSet=~CAP_CHOWN\n",
		"uid: 33\ngid: 33\n":                                       "",
		"uid: 33\ngid: 33\ncaps: cap_chown,cap_kill=eip\n":         "CapabilityBoundingSet=CAP_CHOWN CAP_KILL\n",
		"uid: 0\ngid: 0\ncaps: \"=ep cap_sys_admin,cap_bpf-ep\"\n": "CapabilityBoundingSet=~CAP_SYS_ADMIN CAP_BPF\n",
	} {
		r, err := Systemd(compile(t, text), "x")
		if err != nil {
			t.Fatal(err)
		}
		got := ""
		for line := range strings.Lines(string(r.Text)) {
			if strings.HasPrefix(line, "CapabilityBoundingSet") {
				got = line
			}
		}
		if got != want {
			t.Errorf("%s: %q, want %q", text, got, want)
		}
	}
}

// TestIdentity: names stay names, and nothing adds a group that the profile does not have.
func TestIdentity(t *testing.T) {
	for text, want := range map[string]string{
		"user: www\n":                           "User=www\n",
		"user: www\ngroups: [4]\n":              "User=www\nSupplementaryGroups=4\n",
		"user: www\ngid: staff\n":               "User=www\nGroup=staff\n",
		"user: www\ngid: 5\ngroups: [adm, 5]\n": "User=www\nGroup=5\nSupplementaryGroups=5 adm\n",
		"user: 33\n":                            "User=33\n",
		"user: root\n":                          "User=0\nSupplementaryGroups=0\n",
		"uid: 33\ngid: staff\n":                 "User=33\nGroup=staff\nSupplementaryGroups=staff\n",
		"uid: 33\ngid: 0\ngroups: []\n":         "User=33\nGroup=0\nSupplementaryGroups=0\n",
		"":                                      "",
	} {
		r, err := Systemd(compile(t, text+"caps: \"=\"\n"), "x")
		if err != nil {
			t.Fatal(err)
		}
		got := ""
		for line := range strings.Lines(string(r.Text)) {
			if strings.HasPrefix(line, "User=") || strings.HasPrefix(line, "Group=") || strings.HasPrefix(line, "SupplementaryGroups=") {
				got += line
			}
		}
		if got != want {
			t.Errorf("%s: %q, want %q", text, got, want)
		}
	}
}

// TestLosses: what a platform cannot express has a loss with the key and the position.
func TestLosses(t *testing.T) {
	for _, test := range []struct {
		text    string
		systemd []string // key and field of each loss
		oci     []string
	}{
		{"uid: 33\ngid: 33\ncaps: cap_kill=eip\n", nil, nil},
		{"uid: 33\ngid: 33\ncaps: cap_kill=i\n", []string{"caps Inheritable"}, nil},
		{"uid: 33\ngid: 33\ncaps: cap_kill=eip\nsecbits: [noroot]\n", nil, []string{"secbits Securebits"}},
		{"uid: 33\ngid: 33\ncaps: \"=\"\nsecbits: [no_cap_ambient_raise]\n", []string{"secbits Securebits"}, []string{"secbits Securebits"}},
		{"uid: 33\ngid: 33\ncaps: \"=\"\nkeep_fds: [3]\n", []string{"keep_fds "}, []string{"keep_fds "}},
		{"uid: 33\ngid: 33\ncaps: \"=\"\nkeyring: inherit\n", nil, []string{"keyring "}},
		{"uid: 33\ngid: 33\ncaps: \"=\"\nrlimits: {core: {soft: 0}}\n", []string{"rlimits.core "}, []string{"rlimits.core "}},
		{"uid: 33\ngid: 33\ncaps: \"=\"\nrlimits: {cpu: 9223372036854775807, nice: 41, rttime: 9223372036854775807}\n", []string{"rlimits.cpu ", "rlimits.nice "}, nil},
		{"uid: 33\ngid: 33\ncaps: \"=\"\nenv: {keep: [TZ], set: {a.b: x}}\n", []string{"env.set "}, []string{"env.keep "}},
		{"uid: 33\ngid: 33\ncaps: \"=\"\nenv: {keep: [], unset: [HOME]}\n", nil, []string{"env "}},
		{"user: www\ngroups: [4]\ncaps: \"=\"\n", []string{"groups "}, []string{"error user"}},
		{"user: \"a+b\"\ncaps: \"=\"\n", []string{"error user"}, []string{"error user"}},
		{"uid: 33\ngid: staff\ncaps: \"=\"\n", nil, []string{"error gid"}},
		{"uid: 33\ngid: 33\ngroups: [\"a+b\"]\ncaps: \"=\"\n", []string{"error groups"}, []string{"error groups"}},
		{"caps: \"=\"\ncommand: [a/b]\n", []string{"command "}, nil},
		{"caps: \"=\"\ncommand: [\"+sh\"]\n", []string{"command "}, nil},
		{"caps: \"=\"\ncommand: [\"!sh\"]\n", []string{"command "}, nil},
		{"caps: \"=\"\ncommand: [\"-sh\"]\n", []string{"command "}, nil},
		{"caps: \"=\"\ncommand: ['/a\"b']\n", []string{"command "}, nil},
		{"caps: \"=\"\ncommand: [/a, \"\\uFDD0\"]\n", []string{"command "}, nil},
		{"caps: \"=\"\nchroot: '/a\\'\n", []string{"error chroot"}, nil},
		{"caps: \"=\"\ncwd: '/a '\n", []string{"cwd "}, nil},
		{"caps: \"=\"\niab: \"\"\nno_new_privs: true\n", []string{"iab Bounding"}, nil},
		{"mode: PURE1E\niab: \"\"\n", []string{"mode Securebits"}, []string{"iab Bounding", "mode Securebits"}},
	} {
		plan := compile(t, test.text)
		for name, want := range map[string][]string{"systemd": test.systemd, "oci": test.oci} {
			r, err := map[string]func(*engine.Plan, string) (*Result, error){
				"systemd": Systemd, "oci": func(p *engine.Plan, _ string) (*Result, error) { return OCI(p) },
			}[name](plan, "x")
			var got []string
			var refused *Error
			if errors.As(err, &refused) {
				got = []string{"error " + refused.Key}
				if !refused.IsKnown() {
					t.Errorf("%s: %s has no position", test.text, refused)
				}
			} else if err != nil {
				t.Fatal(err)
			} else {
				for _, l := range r.Losses {
					got = append(got, l.Key+" "+l.Field)
					if !l.IsKnown() && l.Key != "" && plan.Profile.Has(l.Key) {
						t.Errorf("%s: %s has no position", test.text, l.Key)
					}
				}
			}
			slices.Sort(got)
			if !slices.Equal(got, want) {
				t.Errorf("%s: %s: %q, want %q", test.text, name, got, want)
			}
		}
	}
}

// TestContained: a platform without a securebit, or that does not lower the permitted set,
// never leaves more capabilities than the plan.
func TestContained(t *testing.T) {
	for _, text := range []string{
		"mode: PURE1E\niab: \"\"\n", "caps: \"=\"\niab: \"\"\nno_new_privs: true\n", "uid: 0\ngid: 0\ncaps: \"=i\"\nsecbits: [noroot]\niab: \"%cap_kill\"\n",
		"uid: 0\ngid: 0\ncaps: cap_kill=eip\nsecbits: [noroot]\niab: \"^cap_kill\"\n",
	} {
		p, _ := policy.Parse("p.yaml", []byte("version: 1\n"+text))
		if p == nil {
			continue
		}
		plan, _ := engine.Compile(p, cred.Root(), engine.OrdinaryTarget())
		if plan == nil {
			continue
		}
		w := &writer{Plan: plan}
		u := &unit{writer: *w}
		for name, before := range map[string]cred.Cred{"oci": w.ociState(), "systemd": u.unitState()} {
			after := w.exec(before)
			if !after.Permitted.SubsetOf(plan.AfterExec.Permitted) || !after.Bounding.SubsetOf(plan.AfterExec.Bounding) || !after.Inheritable.SubsetOf(plan.AfterExec.Inheritable) {
				t.Errorf("%s: %s: permitted %s, bounding %s", text, name, after.Permitted, after.Bounding)
			}
		}
	}
}

func TestRecipeText(t *testing.T) {
	plan := compile(t, "name: Web_1\ncommand: [/server, \"$HOME\", \"a \\\"b\\\" # c\"]\nuid: 33\ngid: 33\ncaps: cap_net_bind_service=eip\nno_new_privs: true\nrlimits: {core: 0, as: 5, nproc: unlimited}\n")
	r, err := Compose(plan, "x")
	if err != nil {
		t.Fatal(err)
	}
	want := `# The container starts as root, and its entrypoint is a sealed launcher, which
# sets the user and the privileges of the profile: Docker adds capabilities for
# root only. In the stage build of the Dockerfile, which has caprun and the
# profile:
#
#     RUN caprun seal -o /out/web-1 p.yaml
#
# In the last stage:
#
#     COPY --from=build /out/web-1 /web-1
#     ENTRYPOINT ["/web-1"]
#
services:
  web-1:
    image: web-1
    entrypoint: ["/web-1"]
    command: ["/server", "$$HOME", "a \"b\" # c"]
    user: "0:0"
    cap_drop: [ALL]
    # SETUID, SETGID and SETPCAP are for the launcher, which drops them; the
    # profile grants NET_BIND_SERVICE.
    # With init: true, add KILL.
    cap_add: [SETUID, SETGID, SETPCAP, NET_BIND_SERVICE]
    security_opt: ["no-new-privileges:true"]
    # In a container of Docker every process can bind low ports. With this
    # setting it needs the capability.
    sysctls: ["net.ipv4.ip_unprivileged_port_start=1024"]
    ulimits: {core: 0, nproc: -1}
`
	if string(r.Text) != want {
		t.Errorf("%s", r.Text)
	}
}

// TestRecipeProfile: the command in the recipe names the file of the profile, and has
// nothing that a shell or a builder of images interprets.
func TestRecipeProfile(t *testing.T) {
	for file, want := range map[string]string{
		"deploy/web.yaml": "deploy/web.yaml", "/etc/caprun/web-1.yaml": "/etc/caprun/web-1.yaml", "builtin:web": "builtin:web", "../a@b+c_d.yml": "../a@b+c_d.yml",
		"": "PROFILE", "-": "PROFILE", "-o": "PROFILE", "<stdin>": "PROFILE", "a b": "PROFILE", "a;b": "PROFILE", "$(id)": "PROFILE", "a\nb": "PROFILE", "a\\": "PROFILE",
		"'": "PROFILE", "vim:x": "PROFILE", "\u00e9": "PROFILE", "\u202e": "PROFILE", "\xff": "PROFILE", strings.Repeat("a", 300): "PROFILE",
	} {
		plan := compile(t, "user: www\ncaps: cap_kill=eip\n")
		plan.Profile.File = file
		r, err := Compose(plan, "x")
		if err != nil {
			t.Fatal(err)
		}
		if !strings.Contains(string(r.Text), "#     COPY --from=base /etc/passwd /etc/group /rootfs/etc/\n#     RUN caprun seal -root /rootfs -o /out/x "+want+"\n") {
			t.Errorf("%q:\n%s", file, r.Text)
		}
	}
}

// TestFilled: a profile that Go code filled can have values that the reader of profiles
// refuses. They do not become settings of a unit.
func TestFilled(t *testing.T) {
	zero := uint32(0)
	for _, text := range []string{"a\rUser=root", "a\x00b", "a\x0bb", "a\xffb", "a\u0085b", "/a\nUser=root"} {
		p := &policy.Profile{
			Command: []string{"/bin/x", text}, UID: &zero, GID: &policy.Group{}, Cwd: "/" + text, Name: text,
			Env: &policy.Env{Set: map[string]string{"A": text, text: "x"}, Keep: []string{text}, Unset: []string{text + "x"}},
		}
		plan, found := engine.Compile(p, cred.Root(), engine.OrdinaryTarget())
		if plan == nil {
			t.Fatal(found)
		}
		r, err := Systemd(plan, text)
		if err != nil {
			t.Fatal(err)
		}
		for line := range strings.FieldsFuncSeq(string(r.Text), func(c rune) bool { return c < ' ' || c == 0x85 }) {
			if line == "User=root" || strings.Contains(line, "a\xff") {
				t.Errorf("%q:\n%s", text, r.Text)
			}
		}
		if r, err := OCI(plan); err == nil && !json.Valid(r.Text) || err == nil && !utf8.ValidString(text) {
			t.Errorf("%q: %v", text, err)
		}
	}
}

func TestOCIText(t *testing.T) {
	r, err := OCI(compile(t, "command: [/server, \"<&>\"]\nuid: 33\ngid: 5\ncaps: cap_kill=eip\nno_new_privs: true\numask: \"0027\"\nrlimits: {core: 0, nofile: {soft: 1, hard: unlimited}}\nchroot: /srv/web\ncwd: /data\n"))
	if err != nil {
		t.Fatal(err)
	}
	text, _, _ := strings.Cut(string(r.Text), `  "mounts"`)
	want := `{
  "ociVersion": "1.0.2",
  "root": {
    "path": "/srv/web"
  },
  "process": {
    "user": {
      "uid": 33,
      "gid": 5,
      "umask": 23,
      "additionalGids": [
        5
      ]
    },
    "args": [
      "/server",
      "<&>"
    ],
    "env": [
      "HOME=/"
    ],
    "cwd": "/data",
    "capabilities": {
      "bounding": [
        "CAP_KILL"
      ],
      "effective": [
        "CAP_KILL"
      ],
      "permitted": [
        "CAP_KILL"
      ],
      "inheritable": [
        "CAP_KILL"
      ],
      "ambient": [
        "CAP_KILL"
      ]
    },
    "rlimits": [
      {
        "type": "RLIMIT_CORE",
        "soft": 0,
        "hard": 0
      },
      {
        "type": "RLIMIT_NOFILE",
        "soft": 1,
        "hard": 18446744073709551615
      }
    ],
    "noNewPrivileges": true
  },
`
	if text != want {
		t.Errorf("%s", r.Text)
	}
}
