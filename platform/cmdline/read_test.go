package cmdline

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

func one(t *testing.T, text string) *declared.Process {
	t.Helper()
	r := Read(declared.File{Name: "line", Text: []byte(text)}, containers.Docker)
	if len(r.Processes) != 1 || len(r.Findings) > 0 {
		t.Fatalf("%s: %v", text, r.Findings)
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

// TestSetpriv: a script with comments and continuation lines; inheritable capabilities
// alone give nothing.
func TestSetpriv(t *testing.T) {
	p := one(t, `#!/bin/sh
# Start the server.
MODE=prod exec setpriv --reuid 33 --regid=33 \
  --groups 33,44 --inh-caps '+net_raw' --no-new-privs \
  --pdeathsig TERM -- /bin/web "a b"
`)
	want := `version: 1
name: setpriv
# line:5: /bin/web
command: [/bin/web, "a b"]
# line:3: --reuid 33
uid: 33
# line:3: --regid=33
gid: 33
# line:4: --groups 33,44
# line:4: --groups 33,44
groups: [33, 44]
# line:4: --inh-caps '+net_raw'
caps: cap_net_raw=i
# line:4: --inh-caps '+net_raw'
iab: cap_net_raw
# line:4: --no-new-privs
no_new_privs: true
env:
  keep: all
  set:
    # line:3: MODE=prod
    MODE: prod
`
	if got := text(t, p); got != want {
		t.Errorf("%s", got)
	}
	if len(p.Losses) != 1 || p.Losses[0].What != "the parent-death signal is TERM" || len(p.Findings) > 0 {
		t.Errorf("%v %v", p.Losses, p.Findings)
	}
}

// TestRun: the forms of the flags of docker run.
func TestRun(t *testing.T) {
	want := text(t, one(t, "docker run --user 5:6 --env A=1 --env B --cap-drop ALL --cap-add NET_ADMIN --workdir /x --entrypoint /e img a"))
	for _, line := range []string{
		"docker run -u5:6 -eA=1 -e B --cap-drop=ALL --cap-add=net_admin -w=/x --entrypoint=/e img a",
		"docker -H tcp://x container run -it -u 5:6 -e A=1 -e B --cap-drop all --cap-add CAP_NET_ADMIN -w /x --entrypoint /e -- img a",
		"docker create -itu 5:6 -dp 80:80 -e A=1 -eB --cap-drop ALL --cap-add NET_ADMIN -w/x --entrypoint /e --rm --privileged=false img a",
	} {
		got := text(t, one(t, line))
		strip := func(s string) (out string) {
			for line := range strings.Lines(s) {
				if !strings.HasPrefix(strings.TrimSpace(line), "#") {
					out += line
				}
			}
			return out
		}
		if strip(got) != strip(want) {
			t.Errorf("%s:\n%s", line, got)
		}
	}
	if !strings.Contains(want, "uid: 5\n") || !strings.Contains(want, "caps: \"=\"\n") || !strings.Contains(want, "command: [/e, a]\n") || !strings.Contains(want, "keep: [B]") {
		t.Errorf("%s", want)
	}
}

// TestEngine: podman makes an added capability ambient, also behind the command docker.
func TestEngine(t *testing.T) {
	for _, test := range []struct {
		line   string
		engine containers.Engine
		caps   string
	}{
		{"podman run -u 5:5 --cap-add net_raw,chown i", containers.Docker, "caps: cap_chown,cap_net_raw=eip\n"},
		{"docker run -u 5:5 --cap-add net_raw i", containers.Podman, "caps: cap_net_raw=eip\n"},
		{"docker run -u 5:5 --cap-add net_raw i", containers.Docker, "caps: \"=\"\n"},
	} {
		r := Read(declared.File{Name: "line", Text: []byte(test.line)}, test.engine)
		if got := text(t, r.Processes[0]); !strings.Contains(got, test.caps) {
			t.Errorf("%s:\n%s", test.line, got)
		}
	}
}

// TestReports: findings and losses with their columns.
func TestReports(t *testing.T) {
	for _, test := range []struct{ line, want string }{
		{"docker run -u 0 i", ""},
		{"docker run i", "1:1 identity-not-declared: the image decides the user: if it is uid 0, the process has 14 capabilities"},
		{"docker run -u 0 i sh", "1:19 the command is passed to the entrypoint of the image"},
		{"docker run -u 0 --entrypoint '' i sh", ""},
		{"docker run -u $U i", "1:12 identity-not-declared: a shell expands the value of --user: if it is uid 0, the process has 14 capabilities"},
		{"docker run -u 5:$G i", "1:12 a shell expands the value of --user"},
		{"docker run -u 0 --cap-add $C i", "1:17 value-not-declared: the value of --cap-add is what a shell expands: $C"},
		{"docker run -u 0 --cap-add NET_ADMN i", `1:17 ignored-capability: Docker refuses the unknown capability "NET_ADMN"`},
		{"docker run -u 1:1 --cap-add NET_ADMIN i", `1:19 capability-not-granted: the process does not get "NET_ADMIN": Docker adds it only to the bounding set for a user other than root`},
		{"docker run -u 0 --security-opt no-new-privileges --security-opt seccomp=x i", "1:50 the seccomp filter is x"},
		{"docker run -u 0 --ulimit nofile=5:4 i", "1:17 refused-by-platform: Docker refuses the limit nofile: the soft limit is above the hard limit"},
		{"docker run -u 0 --pid host -v /:/h:ro --mount type=bind,src=/x,dst=/y --device /dev/x --env-file f --read-only --init i",
			"1:17 the process shares the PID namespace of the host|1:28 / of the host is mounted in the container, read-only|1:39 /x of the host is mounted in the container|1:71 the container has the device /dev/x|1:87 --env-file adds the variables of f|1:100 the root file system is read-only|1:112 an init process with the same privileges starts the program"},
		{"docker run -u 0 --privileged i", "1:17 --privileged gives the container every device of the host, and no seccomp filter, AppArmor profile or masked path"},
		{"podman run -u 0 --umask 0027 --systemd always --userns keep-id i", "1:47 the container has a user namespace: keep-id"},
		{"podman run --userns keep-id:uid=5 --cap-add NET_RAW i", "1:12 identity-not-declared: the user is that of the caller: if it is uid 0, the process has 12 capabilities|1:12 the container has a user namespace: keep-id:uid=5"},
		{"docker run -u 0 --privileged=maybe i", `1:17 refused-by-platform: Docker refuses the value "maybe" of --privileged`},
		{"sudo docker run -u 0 -e 'A B=1' i", `1:1 sudo changes the environment|1:22 a profile cannot have a variable with the name "A B"`},
		{"setpriv --reuid 5 a", "1:1 the process keeps the supplementary groups of the caller"},
		{"setpriv --reuid 5 --regid 5 --init-groups a", "1:1 the process has the groups of uid 5"},
		{"setpriv --reuid daemon --regid daemon --init-groups a", ""},
		{"setpriv --reuid daemon --regid 5 --init-groups a", "1:34 the process also has the primary group of daemon"},
		{"setpriv --reuid daemon --init-groups a", "1:24 the process also has the primary group of daemon"},
		{"setpriv --reuid 0 --init-groups a", "1:1 the process has the groups of uid 0"},
		{"setpriv --ruid 0 --init-groups a", "1:1 the process has the groups of uid 0"},
		{"setpriv --ruid 5 --euid 6 --clear-groups a", "1:18 the real and the effective IDs differ: uid 5 and 6, gid 0 and 0"},
		{"setpriv --ruid 0 --euid 6 --clear-groups a", "1:18 identity-not-declared: the real and the effective IDs differ, and one of the uids is 0|1:18 the real and the effective IDs differ: uid 0 and 6, gid 0 and 0"},
		{"setpriv --nnp a $B", "1:17 the command has a word that a shell expands: $B"},
		{"setpriv --nnp --ambient-caps +chown,+kill a", "1:15 capability-not-granted: setpriv ignores silently that the kernel refuses ambient capabilities that are not inheritable: chown,kill"},
		{"setpriv --bounding-set -all --inh-caps +chown a", "1:29 refused-by-platform: setpriv fails: --inh-caps is not permitted at this point"},
		{"setpriv --inh-caps +cap_chown a", `1:9 ignored-capability: setpriv refuses the unknown capability "cap_chown": its names have no prefix cap_`},
		{"capsh --drop=cap_chwn --", `1:7 ignored-capability: capsh refuses the unknown capability "cap_chwn"`},
		{"capsh --uid=5 --drop=cap_chown --", "1:15 refused-by-platform: capsh fails: --drop is not permitted at this point"},
		{"capsh --user=daemon --", "1:7 capsh sets HOME and USER to the values of the user's entry in /etc/passwd"},
		{"capsh --noenv --user=daemon --", ""},
		{"capsh -+ -c id", "1:7 capsh stays as the parent of the program"},
	} {
		p := one(t, test.line)
		text(t, p)
		var got []string
		for _, f := range p.Findings {
			got = append(got, fmt.Sprintf("%d:%d %s: %s", f.Line, f.Column, f.Rule, f.Message))
		}
		for _, l := range p.Losses {
			got = append(got, fmt.Sprintf("%d:%d %s", l.At.Line, l.At.Column, l.What))
		}
		if s := strings.Join(got, "|"); s != test.want {
			t.Errorf("%s:\n got %s\nwant %s", test.line, s, test.want)
		}
	}
}

// TestErrors: what cannot be read has a position and says why.
func TestErrors(t *testing.T) {
	for _, test := range []struct{ line, want string }{
		{"", "1:1 no command is declared"},
		{"# nothing\n", "1:1 no command is declared"},
		{"ls -l", `1:1 unknown command "ls"`},
		{"setpriv --nnp a; b", "1:16 the text is more than one command: it has ;"},
		{"setpriv --nnp a\n\nsetpriv b", "3:1 a second command begins here"},
		{"setpriv --nnp", "1:1 no program is declared"},
		{"setpriv --nmp a", `1:9 unknown option "--nmp"`},
		{"setpriv --dump", `1:9 setpriv starts no program with the option "--dump"`},
		{"setpriv --nnp=1 a", "1:9 the option --nnp has no value"},
		{"setpriv --groups", "1:9 the option --groups has no value"},
		{"setpriv --re 5 a", `1:9 unknown option "--re"`},
		{"capsh --drop=cap_chown", "1:1 capsh starts no program without --"},
		{"capsh --dorp=cap_chown --", `1:7 unknown option "--dorp=cap_chown"`},
		{"capsh --uid=$U --", "1:7 the value of --uid is what a shell expands"},
		{"docker ps", `1:8 unsupported subcommand "ps"`},
		{"docker", "1:1 no subcommand is declared"},
		{"docker run --rm", "1:1 no image is declared"},
		{"docker run --privilegd i", `1:12 unknown flag "--privilegd"`},
		{"docker run -zu 0 i", `1:12 unknown flag "-z"`},
		{"docker run -u", "1:12 the flag -u has no value"},
		{"docker run $OPTS i", `1:12 a shell expands "$OPTS", which can be flags or the image`},
		{"setpriv 'a", "1:9 missing closing quote"},
		{"setpriv \x1b a", "1:9 a control character is not allowed"},
		{"setpriv \xff a", "1:9 a byte is not UTF-8"},
		{strings.Repeat("a", MaxSize+1), "1:1 the command line exceeds 128 KiB"},
	} {
		r := Read(declared.File{Name: "line", Text: []byte(test.line)}, containers.Docker)
		if len(r.Processes) > 0 || len(r.Findings) != 1 {
			t.Errorf("%.40s: %v", test.line, r.Findings)
			continue
		}
		f := r.Findings[0]
		if got := fmt.Sprintf("%d:%d %s", f.Line, f.Column, f.Message); got != test.want || f.Rule != "platform-syntax" {
			t.Errorf("%.40q:\n got %s\nwant %s", test.line, got, test.want)
		}
	}
}

// TestSubcommands: a subcommand that starts no container has a hint.
func TestSubcommands(t *testing.T) {
	for _, test := range []struct{ line, want string }{
		{"docker ps", `unsupported subcommand "ps"; want docker run or docker create`},
		{"podman container ls", `unsupported subcommand "ls"; want podman run or podman create`},
		{"docker compose up", `unsupported subcommand "compose"; pass the compose file to caprun import`},
	} {
		r := Read(declared.File{Name: "line", Text: []byte(test.line)}, containers.Docker)
		if f := r.Findings; len(f) != 1 || f[0].Message+"; "+f[0].Hint != test.want {
			t.Errorf("%s: %v", test.line, f)
		}
	}
}

// TestHostile: large command lines take little time.
func TestHostile(t *testing.T) {
	for name, text := range map[string]string{
		"words":    "setpriv --nnp " + strings.Repeat("a ", 4000),
		"groups":   "setpriv --groups " + strings.Repeat("1,", 60000) + "1 a",
		"caps":     "setpriv --inh-caps " + strings.Repeat("+chown,", 18000) + "+kill a",
		"unknown":  "setpriv --inh-caps " + strings.Repeat("x,", 60000) + "+kill a",
		"ambient":  "setpriv --ambient-caps " + strings.Repeat("+all,", 20000) + "+kill a",
		"capsh":    "capsh " + strings.Repeat("--drop=all == ", 2000) + " --",
		"env":      "docker run -u 0 " + strings.Repeat("-e A=\"b\" ", 1800) + " i",
		"cap-add":  "docker run -u 0 " + strings.Repeat("--cap-add=x ", 4000) + " i",
		"groups 2": "docker run -u 0 " + strings.Repeat("--group-add=x ", 4000) + " i",
		"modeline": "docker run -u 0 -e 'A=vim:set x: ::error:: $schema' 'vim:x'",
		"lines":    "setpriv --nnp " + strings.Repeat("\\\n", 60000) + "a",
	} {
		begin := cputime.Used(t)
		r := Read(declared.File{Name: "line", Text: []byte(text)}, containers.Docker)
		for _, p := range r.Processes {
			if _, err := p.Document(); err != nil {
				t.Errorf("%s: %v", name, err)
			}
		}
		if took := cputime.Used(t) - begin; took > 5*time.Second {
			t.Errorf("%s: took %v", name, took)
		}
		if incomplete := name == "unknown" || name == "cap-add"; golden.IsIncomplete(r) != incomplete || len(r.Processes) == 0 && !incomplete {
			t.Errorf("%s: %d processes, %.500s", name, len(r.Processes), fmt.Sprint(r.Findings))
		}
	}
}

// FuzzRead: Read never panics; each process has a document, and each finding a position in
// the file.
func FuzzRead(f *testing.F) {
	for _, text := range golden.Files(f, ".sh") {
		f.Add(string(text))
	}
	for _, s := range []string{
		"setpriv --reuid 5 --regid 6 --clear-groups --inh-caps +chown --ambient-caps +all --bounding-set -kill --securebits +noroot --nnp -- a 'b c'",
		"setpriv --ruid 0 --init-groups a",
		"setpriv --reuid daemon --init-groups a",
		"capsh --drop=cap_chown --keep=1 --uid=5 --caps=cap_kill=eip --addamb=cap_kill --iab=^cap_kill --mode=PURE1E --secbits=3 --groups=1,a --user=x --chroot=/x == --noamb -- -c id",
		"docker run -it -u 5:a --cap-add ALL --cap-drop=x --privileged --security-opt no-new-privileges --ulimit nofile=1:2 -e A=b -eC -w /x -v /a:/b --mount type=bind,src=/ --entrypoint e i a",
		"A=b exec sudo podman run --umask 022 --env-host --group-add keep-groups \\\n --pid host # x\n",
	} {
		f.Add(s)
	}
	f.Fuzz(func(t *testing.T, src string) {
		begin := cputime.Used(t)
		r := Read(declared.File{Name: "f", Text: []byte(src)}, containers.Docker)
		lines := strings.Count(src, "\n") + 1
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
