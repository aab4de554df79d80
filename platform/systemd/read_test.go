package systemd

import (
	"fmt"
	"math/rand/v2"
	"slices"
	"strings"
	"testing"

	"caprun/engine/cred"
	"caprun/platform/declared"
	"caprun/policy"
)

// read reads a unit with one section [Service].
func read(lines string) declared.Result {
	return Read(file("a@b.service", "[Service]\n"+lines), nil, nil)
}

// texts returns findings without their file.
func texts(list []policy.Diagnostic) []string {
	var out []string
	for _, d := range list {
		out = append(out, strings.TrimPrefix(d.String(), d.File+":"))
	}
	return out
}

// TestFindings: what systemd accepts silently, with the position.
func TestFindings(t *testing.T) {
	const start = "ExecStart=/bin/x\n"
	for _, test := range []struct{ lines, want string }{
		{start, ""},
		{start + "Restart=always\nX-Usr=1\nPrivatePIDs=yes\nMemoryPressureWatch=on\nFoo=bar", ""},
		{start + "AmbientCapabilities=CAP_NET_BIND_SERVCE\nUser=web",
			`3:21: error: unknown capability "CAP_NET_BIND_SERVCE": systemd ignores it [platform-unknown-capability]; ` +
				`3:1: warning: AmbientCapabilities= has no known capability, so the set is empty: earlier assignments do not count [declaration-ignored]`},
		{start + "CapabilityBoundingSet=~CAP_X",
			`3:24: error: unknown capability "CAP_X": systemd ignores it [platform-unknown-capability]; ` +
				`3:1: warning: CapabilityBoundingSet= has no known capability, so the set is full: earlier assignments do not count [declaration-ignored]`},
		{start + "CapabilityBoundingSet=CAP_KILL KILL 41 63 64",
			`3:32: error: unknown capability "KILL": systemd ignores it [platform-unknown-capability]; ` +
				`3:37: error: unknown capability "41": no kernel has it [platform-unknown-capability]; ` +
				`3:40: error: unknown capability "63": no kernel has it [platform-unknown-capability]; ` +
				`3:43: error: unknown capability "64": systemd ignores it [platform-unknown-capability]`},
		{start + "User=web\nAmbientCapabilities=CAP_KILL CAP_NET_RAW\nCapabilityBoundingSet=CAP_CHOWN",
			`4:1: warning: CAP_KILL,CAP_NET_RAW are not in the bounding set: systemd does not raise them [ambient-outside-bounding]`},
		{start + "User=web\nAmbientCapabilities=CAP_MKNOD\nPrivateDevices=yes",
			`4:1: warning: CAP_MKNOD is not in the bounding set: systemd does not raise it [ambient-outside-bounding]`},
		{start + "AmbientCapabilities=CAP_KILL",
			`3:1: warning: AmbientCapabilities= adds nothing for root: exec grants uid 0 the bounding set [capability-without-effect]`},
		{start + "AmbientCapabilities=CAP_KILL\nSecureBits=noroot noroot-locked", ""},
		{start + "SecureBits=no-root keep_caps", `3:12: warning: unknown securebit "no-root": systemd ignores it [declaration-ignored]; ` +
			`3:20: warning: unknown securebit "keep_caps": systemd ignores it [declaration-ignored]`},
		{start + "SecureBits=keep-caps", `3:1: warning: keep-caps has no effect on the program: exec clears it [declaration-ignored]`},
		{start + "NoNewPrivileges=maybe", `3:1: warning: systemd ignores NoNewPrivileges=: "maybe" is not a boolean [declaration-ignored]`},
		{start + "NoNewPrivileges=", `3:1: warning: systemd ignores NoNewPrivileges=: "" is not a boolean [declaration-ignored]`},
		{start + "ProtectSystem=stric\nProtectHome=true\nKeyringMode=privat", `3:1: warning: systemd ignores ProtectSystem=: unknown value "stric" [declaration-ignored]; ` +
			`5:1: warning: systemd ignores KeyringMode=: unknown value "privat" [declaration-ignored]`},
		{start + "UMask=u=rwx", `3:1: warning: systemd ignores UMask=: "u=rwx" is not a mode [declaration-ignored]`},
		{start + "LimitNOFILE=", `3:1: warning: systemd ignores LimitNOFILE=: invalid value [declaration-ignored]`},
		{start + "WorkingDirectory=-srv", `3:1: warning: systemd ignores WorkingDirectory=: the path is not absolute [declaration-ignored]`},
		{start + "WorkingDirectory=-/srv/..", `3:1: warning: systemd ignores WorkingDirectory=: the path has ".." [declaration-ignored]`},
		{start + "RestrictNamespaces=net mntt", `3:24: warning: systemd ignores RestrictNamespaces=: unknown namespace "mntt" [declaration-ignored]`},
		{start + "LimitNOFILES=5", `3:1: warning: unknown key "LimitNOFILES": systemd ignores it [declaration-ignored]`},
		{start + "NoNewPrivilege=yes\nuser=web", `3:1: warning: unknown key "NoNewPrivilege": systemd ignores it [declaration-ignored]; ` +
			`4:1: warning: unknown key "user": systemd ignores it [declaration-ignored]`},
		{start + "[Install]\nUser=web", `4:1: warning: User= in [Install]: systemd ignores it [declaration-ignored]`},
		{start + "[service]\nUser=web", `3:1: warning: unknown section [service]: systemd ignores everything in it [declaration-ignored]`},
		{start + "User", `3:1: warning: line without '=' [declaration-ignored]`},
		{start + "=web", `3:1: warning: no key before '=' [declaration-ignored]`},
		{"ExecStart=+/bin/x\nUser=web\nCapabilityBoundingSet=CAP_KILL\nNoNewPrivileges=yes",
			`3:1: warning: User= does not change the user of the command: it has the prefix + [declaration-ignored]; ` +
				`4:1: warning: CapabilityBoundingSet= does not apply to the command: it has the prefix + [declaration-ignored]; ` +
				`5:1: warning: NoNewPrivileges= does not apply to the command: it has the prefix + [declaration-ignored]`},
		{"ExecStart=!/bin/x\nUser=web\nGroup=web", `3:1: warning: User= does not change the user of the command: it has the prefix ! [declaration-ignored]; ` +
			`4:1: warning: Group= does not change the user of the command: it has the prefix ! [declaration-ignored]`},
		{"ExecStart=!!/bin/x\nUser=web", ""},
		{"ExecStart=/usr/bin/sudo x\nUser=web\nNoNewPrivileges=yes", `2:11: warning: sudo is a set-user-ID program, and no_new_privs is set: it does not become root [set-id-under-no-new-privs]`},
		{"ExecStart=/usr/bin/sudo x\nUser=web\nLockPersonality=yes", `2:11: warning: sudo is a set-user-ID program, and no_new_privs is set: it does not become root [set-id-under-no-new-privs]`},
		{"ExecStart=/usr/bin/mount x\nNoNewPrivileges=yes", ""},
		{"ExecStart=/usr/bin/sudo x\nUser=web", ""},
		{start + "DynamicUser=yes", `3:1: info: systemd allocates the user at the start: DynamicUser=yes [identity-not-declared]`},
		{start + "User=%h", `3:1: info: only systemd knows the user [identity-not-declared]`},
		{start + "User=a b", `3:1: info: a profile cannot have the name of the user [identity-not-declared]`},
		{"ExecStart=/bin/x\nExecStartPre=+/bin/y\nExecStopPost=!/bin/z\nUser=web\nNoNewPrivileges=yes",
			`3:14: warning: ExecStartPre= runs as root, without no_new_privs: its prefix is + [command-with-other-privileges]; ` +
				`4:14: warning: ExecStopPost= runs as root: its prefix is ! [command-with-other-privileges]`},
		{"ExecStart=/bin/x\nExecReload=/bin/y\nUser=web\nPermissionsStartOnly=yes\nCapabilityBoundingSet=CAP_KILL",
			`3:12: warning: ExecReload= runs as root, with capabilities that the main command does not have: PermissionsStartOnly=yes [command-with-other-privileges]`},
		{start + "ExecStartPre=+/bin/y", ""},
		{start + `Environment="A=1 B=2`, `3:1: warning: systemd ignores what follows in Environment=: unbalanced quotes [declaration-ignored]`},
		{start + "Environment=A=1 B 9=1", `3:17: warning: systemd ignores the invalid assignment of a variable [declaration-ignored]; ` +
			`3:19: warning: systemd ignores the invalid assignment of a variable [declaration-ignored]`},
		{"ExecStart=-relative/path\nExecStart=/bin/x", `2:11: warning: systemd ignores the command: the path of the program is not absolute [declaration-ignored]`},
		{"ExecStart=/bin/x'\nExecStart=-/bin/x \"\nExecStart=-@/bin/x\nExecStart=/bin/x", `2:1: warning: systemd ignores the command: unbalanced quotes [declaration-ignored]; ` +
			`3:11: warning: systemd ignores the command: unbalanced quotes [declaration-ignored]; ` +
			`4:11: warning: systemd ignores the command: no zeroth argument after the prefix '@' [declaration-ignored]`},
	} {
		r := read(test.lines)
		if len(r.Processes) == 0 {
			t.Errorf("%q: %v", test.lines, r.Findings)
			continue
		}
		got, want := texts(r.Processes[0].Findings), strings.Split(test.want, "; ")
		slices.Sort(got)
		slices.Sort(want)
		if test.want == "" {
			want = nil
		}
		if !slices.Equal(got, want) {
			t.Errorf("%q:\n%s\nwant\n%s", test.lines, strings.Join(got, "\n"), strings.Join(want, "\n"))
		}
		for _, p := range r.Processes[1:] {
			if p.Findings != nil {
				t.Errorf("%s: %v", p.Name, p.Findings)
			}
		}
	}
}

// TestProfiles: what a unit declares, as lines of the profile. The tests of
// internal/test/platforms compare the same with systemd.
func TestProfiles(t *testing.T) {
	for _, test := range []struct {
		lines      string
		want, lack []string
	}{
		{"LockPersonality=yes", []string{"uid: 0", `caps: "=ep"`, "new_session: true", `umask: "0022"`, "cwd: /"}, []string{"no_new_privs", "chroot", "LOGNAME"}},
		{"LockPersonality=yes\nUser=web", []string{"user: web", "no_new_privs: true"}, []string{"uid"}},
		{"User=web\nRestrictNamespaces=~net\nRestrictNamespaces=net", nil, []string{"no_new_privs"}},
		{"User=web\nRestrictNamespaces=net\nRestrictNamespaces=no", nil, []string{"no_new_privs"}},
		{"User=web\nRestrictNamespaces=cgroup ipc net mnt pid user uts", nil, []string{"no_new_privs"}},
		{"User=web\nRestrictNamespaces=no\nRestrictNamespaces=~net", []string{"no_new_privs: true"}, nil},
		{"User=web\nSystemCallFilter=~@reboot\nSystemCallFilter=@reboot", nil, []string{"no_new_privs"}},
		{"User=web\nRestrictAddressFamilies=none", []string{"no_new_privs: true"}, nil},
		{"User=web\nGroup=root", []string{"gid: 0", "groups: []"}, nil},
		{"User=web\nGroup=extra", []string{"gid: extra"}, []string{"groups:"}},
		{"User=web\nAmbientCapabilities=CAP_KILL CAP_CHOWN\nCapabilityBoundingSet=CAP_KILL", []string{"caps: cap_kill=eip"}, nil},
		{"StateDirectory=z a:link a\nRuntimeDirectory=x", []string{`STATE_DIRECTORY: "/var/lib/a:/var/lib/z"`, "RUNTIME_DIRECTORY: /run/x"}, nil},
		{"PassEnvironment=PATH A\nEnvironment=A=1", []string{"keep: [PATH]", `A: "1"`}, []string{"PATH:"}},
		{"PassEnvironment=A\nPassEnvironment=", []string{"keep: []"}, nil},
		{"User=web\nUnsetEnvironment=USER PATH", []string{"unset: [USER]"}, []string{"PATH:"}},
		{"RootDirectory=/srv/./%i/\nWorkingDirectory=/x//y", []string{"chroot: /srv/b", "cwd: /x/y"}, nil},
		{"RootDirectory=/", nil, []string{"chroot"}},
		{"WorkingDirectory=~", nil, []string{"cwd"}},
		{"KeyringMode=inherit", []string{"keyring: inherit"}, nil},
		{"LimitNICE=-5\nLimitRTPRIO=3\nRestrictRealtime=yes", []string{"nice: 25", "rtprio: 3"}, nil},
		{"SecureBits=noroot noroot-locked\nSecureBits=no-setuid-fixup", []string{"secbits: [no_setuid_fixup]"}, nil},
		{"SecureBits=noroot-locked", nil, []string{"secbits"}},
		{"DynamicUser=yes\nAmbientCapabilities=CAP_KILL", []string{"no_new_privs: true", "iab: "}, []string{"uid", "user", "caps"}},
		{"User=1\nSupplementaryGroups=1 a a 1", []string{"user: 1", "groups: [1, a]"}, nil},
	} {
		p := read("ExecStart=/bin/x\n" + test.lines).Processes[0]
		d, err := p.Document()
		if err != nil {
			t.Fatal(err)
		}
		var text strings.Builder
		for line := range strings.Lines(string(d.Text)) {
			if line = strings.TrimSpace(line); line[0] != '#' {
				text.WriteString("\n" + line)
			}
		}
		for _, want := range test.want {
			if !strings.Contains(text.String(), "\n"+want) {
				t.Errorf("%q: no %q in%s", test.lines, want, text.String())
			}
		}
		for _, lack := range test.lack {
			if strings.Contains(text.String(), "\n"+lack) {
				t.Errorf("%q: %q in%s", test.lines, lack, text.String())
			}
		}
	}
}

// TestRefused: what systemd does not load is an error, and no process.
func TestRefused(t *testing.T) {
	for _, test := range []struct{ text, want string }{
		{"", "1:1: info: no process is declared: there is no section [Service] [no-process]"},
		{"[Socket]\nListenStream=1", "1:1: info: no process is declared: there is no section [Service] [no-process]"},
		{"[Service]\nUser=web", "1:1: info: no process is declared: the service has no command [no-process]"},
		{"[Service]\nExecStart=/bin/x\nExecStart=", "1:1: info: no process is declared: the service has no command [no-process]"},
		{"[Service]\nExecStart=/bin/x\nExecStart=/bin/y", "3:11: error: the service has more than one ExecStart=, and its type is not oneshot: systemd refuses it [refused-by-platform]"},
		{"[Service]\nExecStart=/bin/x ; /bin/y", "2:20: error: the service has more than one ExecStart=, and its type is not oneshot: systemd refuses it [refused-by-platform]"},
		{"[Service]\nType=simple\nExecStop=/bin/x", "1:1: error: the service has no ExecStart=, and its type is not oneshot: systemd refuses it [refused-by-platform]"},
		{"[Service]\nExecStart=bin/x", "2:11: error: the path of the program is not absolute: systemd stops reading the file here [refused-by-platform]"},
		{"[Service]\nExecStart=/bin/", "2:11: error: the program is a directory: systemd stops reading the file here [refused-by-platform]"},
		{"[Service]\nExecStart=@/bin/x", "2:11: error: no zeroth argument after the prefix '@': systemd stops reading the file here [refused-by-platform]"},
		{"[Service]\nExecStart=/bin/x \"y", "2:11: error: unbalanced quotes: systemd stops reading the file here [refused-by-platform]"},
		{"[Service]\nExecStart=/bin/x\nUser=a:b\nUser=web", `3:6: error: invalid name in User=: "a:b": systemd stops reading the file here [refused-by-platform]`},
		{"[Service]\nExecStart=/bin/x\nWorkingDirectory=srv", "3:1: error: the path is not absolute: systemd stops reading the file here [refused-by-platform]"},
		{"[Service]\nExecStart=/bin/x\nRootDirectory=/srv/../a", `3:1: error: the path has "..": systemd stops reading the file here [refused-by-platform]`},
		{"[Service]\nExecStart=/bin/x\nUser=033", `3:6: error: invalid name in User=: "033": systemd stops reading the file here [refused-by-platform]`},
		{"[Service]\nExecStart=/bin/x\nSupplementaryGroups=a b/c", `3:23: error: invalid name in SupplementaryGroups=: "b/c": systemd stops reading the file here [refused-by-platform]`},
	} {
		r := Read(file("a.service", test.text), nil, nil)
		if got := texts(r.Findings); len(r.Processes) > 0 || !slices.Equal(got, []string{test.want}) {
			t.Errorf("%q: %d processes\n%s\nwant\n%s", test.text, len(r.Processes), strings.Join(got, "\n"), test.want)
		}
	}
}

// TestProcesses: each command is a process, the main one first.
func TestProcesses(t *testing.T) {
	r := Read(file("x.service", "[Service]\nType=oneshot\nExecStartPre=/bin/a\nExecStart=/bin/b 1 ; /bin/c 2\nExecStart=/bin/d\nExecStop=-/bin/e \\; f\nUser=web\n"), nil, nil)
	var got []string
	for _, p := range r.Processes {
		got = append(got, fmt.Sprintf("%s %d %q %s", p.Name, p.At.Line, p.Profile.Command, p.Profile.User))
	}
	want := `x 4 ["/bin/b" "1"] web
x-2 4 ["/bin/c" "2"] web
x-3 5 ["/bin/d"] web
x-ExecStartPre 3 ["/bin/a"] web
x-ExecStop 6 ["/bin/e" ";" "f"] web`
	if s := strings.Join(got, "\n"); s != want {
		t.Errorf("%s\nwant\n%s", s, want)
	}
	if p := read("ExecStart=%h/x\nUser=web").Processes; len(p) != 1 || p[0].Profile.Command != nil || len(p[0].Losses) != 1 {
		t.Errorf("%+v", p)
	}
	only := Read(file("x.service", "[Service]\nType=oneshot\nRemainAfterExit=yes\nExecStop=/bin/e\nUser=web\n"), nil, nil)
	if len(only.Processes) != 1 || only.Processes[0].Name != "x-ExecStop" {
		t.Errorf("%+v", only)
	}
}

// TestDropIns: drop-ins count in the order of their names, and of two with one name, the
// one in the directory with the higher precedence.
func TestDropIns(t *testing.T) {
	unit := file("/lib/systemd/system/foo-bar.service", "[Service]\nExecStart=/bin/x\nEnvironment=V=unit\n")
	drop := func(path, value string) declared.File {
		return file(path, "[Service]\nEnvironment=V="+value+"\n")
	}
	for _, test := range []struct {
		files []declared.File
		want  string
	}{
		{nil, "unit"},
		{[]declared.File{drop("/etc/systemd/system/foo-bar.service.d/10-a.conf", "etc"), drop("/lib/systemd/system/foo-bar.service.d/20-b.conf", "lib")}, "lib"},
		{[]declared.File{drop("/lib/systemd/system/foo-bar.service.d/a.conf", "lib"), drop("/etc/systemd/system/foo-bar.service.d/a.conf", "etc")}, "etc"},
		{[]declared.File{drop("/usr/lib/systemd/system/foo-bar.service.d/a.conf", "lib"), drop("/usr/local/lib/systemd/system/foo-bar.service.d/a.conf", "local")}, "local"},
		{[]declared.File{drop("/run/systemd/system/foo-bar.service.d/a.conf", "run"), drop("/lib/systemd/system/foo-bar.service.d/a.conf", "lib")}, "run"},
		{[]declared.File{drop("/etc/systemd/system/foo-.service.d/a.conf", "prefix"), drop("/etc/systemd/system/foo-bar.service.d/a.conf", "whole")}, "whole"},
		{[]declared.File{drop("/etc/systemd/system/service.d/a.conf", "all"), drop("/lib/systemd/system/foo-bar.service.d/a.conf", "lib")}, "lib"},
		{[]declared.File{drop("a.conf.bak", "bak")}, "unit"},
	} {
		for range 2 {
			r := Read(unit, test.files, nil)
			if got := r.Processes[0].Profile.Env.Set["V"]; got != test.want {
				t.Errorf("%v: %s, want %s", names(test.files), got, test.want)
			}
			slices.Reverse(test.files)
		}
	}
}

func names(files []declared.File) (list []string) {
	for _, f := range files {
		list = append(list, f.Name)
	}
	return list
}

// TestSockets: each Listen line of the sockets is a descriptor.
func TestSockets(t *testing.T) {
	for _, test := range []struct{ service, socket, want string }{
		{"", "ListenStream=80\nListenDatagram=[::]:53\nListenFIFO=/x", "[3 4 5]"},
		{"", "ListenStream=80\nListenStream=\nListenStream=81", "[3]"},
		{"", "ListenStream=80\nListenStream=81\nAccept=yes", "[3]"},
		{"", "ListenStream=80\nAccept=yes\nAccept=no", "[3]"},
		{"StandardInput=socket", "ListenStream=80", "[]"},
		{"", "ListenStream=80\nService=other.service", "[]"},
		{"Sockets=z.socket a.socket", "ListenStream=80\nService=other.service", "[3]"},
		{"", "ListenStream=80\nService=a.service", "[3]"},
	} {
		r := Read(file("a.service", "[Service]\nExecStart=/bin/x\nExecStop=/bin/y\n"+test.service), nil, []declared.File{file("a.socket", "[Socket]\n"+test.socket)})
		p := r.Processes[0].Profile
		if got := fmt.Sprint(p.KeepFDs); got != test.want || (len(p.KeepFDs) > 0) != slices.Contains(p.Env.Keep, "LISTEN_PID") {
			t.Errorf("%q %q: %s %v", test.service, test.socket, got, p.Env.Keep)
		}
		if r.Processes[1].Profile.KeepFDs != nil {
			t.Errorf("%q: ExecStop has descriptors", test.socket)
		}
	}
}

// TestAccumulation compares random lists of capabilities with another description of the
// rule: a line in words of systemd.exec(5), with what config_parse_capability_set adds.
func TestAccumulation(t *testing.T) {
	random := rand.New(rand.NewPCG(5, 6))
	all := cred.FirstCaps(41)
	for range 3000 {
		var text strings.Builder
		set := all
		assigned := false
		for range 1 + random.IntN(4) {
			var line cred.Caps
			words := []string{}
			for range random.IntN(3) {
				n := random.IntN(41)
				line = line.With(n)
				words = append(words, strings.ToUpper(cred.CapsOf(n).String()))
			}
			inverted := random.IntN(2) == 0
			switch {
			case line == 0 && inverted, !assigned && inverted, set == all && inverted:
				set = all.Minus(line)
			case line == 0, !assigned, set == all:
				// With the full set from lines, systemd 252 replaces too: only "everything" is
				// the initial value, and a union can reach it.
				set = line
			case inverted:
				set = set.Minus(line)
			default:
				set = set.Union(line)
			}
			assigned = true
			tilde := ""
			if inverted {
				tilde = "~"
			}
			fmt.Fprintf(&text, "CapabilityBoundingSet=%s%s\n", tilde, strings.Join(words, " "))
		}
		r := read("ExecStart=/bin/x\n" + text.String())
		if got := r.Processes[0].Sets.Bounding; got != set {
			t.Fatalf("%s%v, want %v", text.String(), got, set)
		}
	}
}

// TestOrder: assignments to different keys can be in any order.
func TestOrder(t *testing.T) {
	lines := []string{
		"ExecStart=/bin/x $A", "User=web", "Group=extra", "CapabilityBoundingSet=CAP_KILL CAP_MKNOD", "AmbientCapabilities=CAP_KILL",
		"PrivateDevices=yes", "Environment=A=1", "UnsetEnvironment=B", "LimitNOFILE=5", "UMask=0077", "SecureBits=noroot noroot-locked",
		"WorkingDirectory=/srv", "StateDirectory=x", "RestrictNamespaces=yes", "PassEnvironment=C", "ExecStartPre=+/bin/y",
	}
	random := rand.New(rand.NewPCG(7, 8))
	state := func() string {
		r := read(strings.Join(lines, "\n"))
		var b strings.Builder
		for _, p := range r.Processes {
			p.Origins = nil
			d, err := p.Document()
			if err != nil {
				t.Fatal(err)
			}
			b.Write(d.Text)
		}
		return b.String()
	}
	want := state()
	for range 200 {
		random.Shuffle(len(lines), func(i, j int) { lines[i], lines[j] = lines[j], lines[i] })
		if got := state(); got != want {
			t.Fatalf("%q:\n%s\nwant\n%s", lines, got, want)
		}
	}
}
