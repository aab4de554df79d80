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
			`3:21: error: unknown capability "CAP_NET_BIND_SERVCE": systemd ignores it [ignored-capability]; ` +
				`3:1: warning: AmbientCapabilities= has no known capability, so the set is empty: earlier assignments do not count [declaration-ignored]`},
		{start + "CapabilityBoundingSet=~CAP_X",
			`3:24: error: unknown capability "CAP_X": systemd ignores it [ignored-capability]; ` +
				`3:1: warning: CapabilityBoundingSet= has no known capability, so the set is full: earlier assignments do not count [declaration-ignored]`},
		{start + "CapabilityBoundingSet=CAP_KILL KILL 41 63 64",
			`3:32: error: unknown capability "KILL": systemd ignores it [ignored-capability]; ` +
				`3:37: error: unknown capability "41": no kernel has it [ignored-capability]; ` +
				`3:40: error: unknown capability "63": no kernel has it [ignored-capability]; ` +
				`3:43: error: unknown capability "64": systemd ignores it [ignored-capability]`},
		{start + "User=web\nAmbientCapabilities=CAP_KILL CAP_NET_RAW\nCapabilityBoundingSet=CAP_CHOWN",
			`4:1: warning: CAP_KILL,CAP_NET_RAW are not in the bounding set: systemd does not raise them [ambient-outside-bounding]`},
		{start + "User=web\nAmbientCapabilities=CAP_MKNOD\nPrivateDevices=yes\nNoNewPrivileges=yes",
			`4:1: warning: CAP_MKNOD is not in the bounding set: systemd does not raise it [ambient-outside-bounding]`},
		{start + "AmbientCapabilities=CAP_KILL",
			`3:1: warning: AmbientCapabilities= adds nothing for root: exec grants uid 0 the bounding set [capability-not-granted]`},
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
		{"ExecStart=!/bin/x\nUser=web\nStateDirectory=x", ""},
		{"ExecStart=!/bin/x\nUser=web\nConfigurationDirectory=x", `3:1: warning: User= does not change the user of the command: it has the prefix ! [declaration-ignored]`},
		{"ExecStart=!!/bin/x\nUser=web", ""},
		{"ExecStart=/usr/bin/sudo x\nUser=web\nNoNewPrivileges=yes", `2:11: warning: sudo is a set-user-ID program, and no_new_privs is set: it does not become root [set-id-without-effect]`},
		{"ExecStart=/usr/bin/sudo x\nUser=web\nLockPersonality=yes", `2:11: warning: sudo is a set-user-ID program, and no_new_privs is set: it does not become root [set-id-without-effect]; ` +
			`4:1: warning: LockPersonality= sets no_new_privs only up to systemd 254 [no-new-privs-implied]`},
		{start + "User=web\nSystemCallFilter=@system-service", `4:1: warning: SystemCallFilter= sets no_new_privs only up to systemd 254 [no-new-privs-implied]`},
		{start + "User=web\nSystemCallFilter=~bogus", `4:1: warning: the profile has no no_new_privs: SystemCallFilter= sets it only up to systemd 254, and only if something remains to filter [no-new-privs-implied]`},
		{start + "User=web\nNoNewPrivileges=yes\nSystemCallFilter=~bogus", ""},
		{start + "SystemCallFilter=@system-service", ""},
		{"ExecStart=+/bin/x\nSystemCallFilter=@system-service", ""},
		{"ExecStart=/usr/bin/mount x\nNoNewPrivileges=yes", ""},
		{"ExecStart=/usr/bin/sudo x\nUser=web", ""},
		{start + "DynamicUser=yes", ""},
		{start + "DynamicUser=yes\nUser=web\nSecureBits=noroot", ""},
		{start + "DynamicUser=yes\nUser=root", `4:1: warning: DynamicUser=yes allocates no user for root: the process is uid 0 [declaration-ignored]`},
		{start + "DynamicUser=yes\nUser=5", `4:1: warning: DynamicUser=yes allocates no user for a number: the process is uid 5 [declaration-ignored]`},
		{start + "DynamicUser=yes\nUser=%h", `4:1: warning: the user depends on the specifier %h: if it is uid 0, the process has every capability [identity-not-declared]`},
		{start + "User=%h", `3:1: warning: the user depends on the specifier %h: if it is uid 0, the process has every capability [identity-not-declared]`},
		{start + "User=%h\nCapabilityBoundingSet=CAP_KILL CAP_CHOWN\nPrivateDevices=yes", `3:1: warning: the user depends on the specifier %h: if it is uid 0, the process has 2 capabilities [identity-not-declared]`},
		{start + "User=%h\nCapabilityBoundingSet=", `3:1: warning: the user depends on the specifier %h: if it is uid 0, the process has no capability, and owns the files of root [identity-not-declared]`},
		{start + "User=%h\nSecureBits=noroot noroot-locked\nAmbientCapabilities=CAP_KILL", `3:1: warning: the user depends on the specifier %h: if it is uid 0, the process has 1 capability [identity-not-declared]`},
		{start + "User=a b", ""},
		{start + "User=web\nGroup=%h", ""},
		{start + "Group=%h", `3:1: warning: the group depends on the specifier %h, and the process is uid 0 [identity-not-declared]`},
		{"ExecStart=/bin/x\nExecStartPre=+/bin/y\nExecStopPost=!/bin/z\nUser=web\nNoNewPrivileges=yes",
			`3:14: warning: ExecStartPre= runs as root, without no_new_privs: its prefix is + [privileged-command]; ` +
				`4:14: warning: ExecStopPost= runs as root: its prefix is ! [privileged-command]`},
		{"ExecStart=/bin/x\nExecReload=/bin/y\nUser=web\nPermissionsStartOnly=yes\nCapabilityBoundingSet=CAP_KILL",
			`3:12: warning: ExecReload= runs as root, with capabilities that the main command does not have: PermissionsStartOnly=yes [privileged-command]`},
		{start + "ExecStartPre=+/bin/y", ""},
		{"Type=oneshot\nExecStart=+/bin/install\nExecStart=/bin/find\nExecStart=/bin/mandb\nUser=man\nGroup=man\nNoNewPrivileges=yes\nCapabilityBoundingSet=CAP_KILL",
			`3:11: warning: ExecStart= runs as root, with capabilities that other commands do not have, without no_new_privs: its prefix is + [privileged-command]`},
		{"Type=oneshot\nExecStart=/bin/a\nExecStart=!/bin/b\nUser=man", `4:11: warning: ExecStart= runs as root: its prefix is ! [privileged-command]`},
		{"ExecStart=+/bin/a\nExecStop=/bin/b\nUser=man", `2:11: warning: ExecStart= runs as root: its prefix is + [privileged-command]`},
		{"ExecStart=+/bin/a\nExecStop=+/bin/b\nUser=man\nSecureBits=noroot", `4:1: warning: User= applies to no command of the unit [declaration-ignored]; ` +
			`5:1: warning: SecureBits= applies to no command of the unit [declaration-ignored]`},
		{"ExecStart=+/bin/a\nExecStop=!/bin/b\nUser=man\nCapabilityBoundingSet=CAP_KILL", `4:1: warning: User= applies to no command of the unit [declaration-ignored]; ` +
			`2:11: warning: ExecStart= runs with capabilities that other commands do not have: its prefix is + [privileged-command]`},
		{"Type=oneshot\nRemainAfterExit=yes\nExecStop=/bin/b\nUser=man\nPermissionsStartOnly=yes", `5:1: warning: User= applies to no command of the unit [declaration-ignored]`},
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

// TestUnknownAccount: the specifiers of an instance have a hint in a template.
func TestUnknownAccount(t *testing.T) {
	for _, test := range []struct{ file, lines, want, hint string }{
		{"user@.service", "User=%i", "the user depends on the specifier %i: if it is uid 0, the process has every capability", "pass an instance, such as user@1000.service"},
		{"user@.service", "Group=%I", "the group depends on the specifier %I, and the process is uid 0", "pass an instance, such as user@1000.service"},
		{"user@.service", "User=%h", "the user depends on the specifier %h: if it is uid 0, the process has every capability", "write a number, such as User=33"},
		{"web.service", "User=%m", "the user depends on the specifier %m: if it is uid 0, the process has every capability", "write a number, such as User=33"},
		{"web.service", "Group=a b", "a profile cannot have the name of the group, and the process is uid 0", "write a number, such as Group=33"},
	} {
		r := Read(declared.File{Name: test.file, Text: []byte("[Service]\nExecStart=/bin/x\n" + test.lines + "\n")}, nil, nil)
		if len(r.Processes) != 1 || len(r.Processes[0].Findings) != 1 {
			t.Fatalf("%s: %v", test.lines, r)
		}
		if f := r.Processes[0].Findings[0]; f.Message != test.want || f.Hint != test.hint {
			t.Errorf("%s: %q, %q", test.lines, f.Message, f.Hint)
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
		{"User=web\nSystemCallFilter=~bogus", nil, []string{"no_new_privs"}},
		{"User=web\nSystemCallFilter=~bogus @bogus keyctl:BOGUS", nil, []string{"no_new_privs"}},
		{"User=web\nSystemCallFilter=~", nil, []string{"no_new_privs"}},
		{"User=web\nSystemCallFilter=bogus", []string{"no_new_privs: true"}, nil}, // also allows @default only
		{"User=web\nSystemCallFilter=~bogus keyctl:EPERM", []string{"no_new_privs: true"}, nil},
		{"User=web\nSystemCallFilter=~keyctl\nSystemCallFilter=@keyring", nil, []string{"no_new_privs"}},
		{"User=web\nSystemCallArchitectures=bogus ~x86", nil, []string{"no_new_privs"}},
		{"User=web\nSystemCallArchitectures=bogus x86-64", []string{"no_new_privs: true"}, nil},
		{"User=web\nRestrictAddressFamilies=~AF_BOGUS", nil, []string{"no_new_privs"}},
		{"User=web\nRestrictAddressFamilies=none\nRestrictAddressFamilies=~AF_BOGUS", nil, []string{"no_new_privs"}},
		{"User=web\nRestrictAddressFamilies=~AF_INET\nRestrictAddressFamilies=none", []string{"no_new_privs: true"}, nil},
		{"User=web\nNoNewPrivileges=no\nLockPersonality=yes", []string{"no_new_privs: true"}, nil},
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
		{"DynamicUser=yes\nUser=root", []string{"no_new_privs: true", "uid: 0", "gid: 0", "groups: []", `caps: "=ep"`}, []string{"HOME"}},
		{"DynamicUser=yes\nUser=7\nSupplementaryGroups=a", []string{"no_new_privs: true", "uid: 7", "gid: 7", "groups: [a]", `caps: "="`, `USER: "7"`}, []string{"HOME"}},
		{"DynamicUser=yes\nUser=7\nGroup=b", []string{"uid: 7", "gid: b", "groups: []"}, nil},
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
	r := Read(file("x.service", "[Service]\nType=oneshot\nExecStartPre=/bin/a\nExecStart=/bin/b 1 ; /bin/c 2\nExecStart=/bin/d\nExecStop=-/bin/e \\; f\nExecStartPre=/bin/g\nUser=web\n"), nil, nil)
	var got []string
	for _, p := range r.Processes {
		text := fmt.Sprintf("%s %d %q %s", p.Name, p.At.Line, p.Profile.Command, p.Profile.User)
		if p.Other {
			text += " other"
		}
		got = append(got, text)
	}
	want := `x 4 ["/bin/b" "1"] web
x-ExecStart-2 4 ["/bin/c" "2"] web
x-ExecStart-3 5 ["/bin/d"] web
x-ExecStartPre 3 ["/bin/a"] web other
x-ExecStartPre-2 7 ["/bin/g"] web other
x-ExecStop 6 ["/bin/e" ";" "f"] web other`
	if s := strings.Join(got, "\n"); s != want {
		t.Errorf("%s\nwant\n%s", s, want)
	}
	if p := read("ExecStart=%h/x\nUser=web").Processes; len(p) != 1 || p[0].Profile.Command != nil || len(p[0].Losses) != 1 {
		t.Errorf("%+v", p)
	}
	only := Read(file("x.service", "[Service]\nType=oneshot\nRemainAfterExit=yes\nExecStop=/bin/e\nUser=web\n"), nil, nil)
	if len(only.Processes) != 1 || only.Processes[0].Name != "x-ExecStop" || !only.Processes[0].Other {
		t.Errorf("%+v", only)
	}
}

// TestLossesOfUnit: losses of the whole unit are those of its first process, although they
// do not apply to it.
func TestLossesOfUnit(t *testing.T) {
	r := read("Type=oneshot\nExecStart=+/bin/install\nExecStart=/bin/mandb\nUser=man\nProtectSystem=strict")
	first, second := r.Processes[0], r.Processes[1]
	if len(second.Losses) != 0 || len(first.Losses) != 3 || first.Losses[2].What != "ProtectSystem=strict makes directories of the system read-only" {
		t.Errorf("%v\n%v", first.Losses, second.Losses)
	}
}

// TestNotRoot: an unknown user who is not root is a loss, and one who may be root a finding.
func TestNotRoot(t *testing.T) {
	for _, test := range []struct {
		lines, lost string
		notRoot     bool
	}{
		{"DynamicUser=yes", "DynamicUser=yes: systemd allocates the user at the start", true},
		{"DynamicUser=yes\nUser=web", "DynamicUser=yes: systemd uses the account web if it exists, and otherwise allocates the user at the start", true},
		{"User=a b", "a profile cannot have the name of the user", true},
		{"User=web\nGroup=%h", "the group depends on the specifier %h", true},
		{"Group=%h", "", false},
		{"User=%h\nLockPersonality=yes", "", false},
	} {
		p := read("ExecStart=/bin/x\n" + test.lines).Processes[0]
		lost := slices.ContainsFunc(p.Losses, func(l declared.Loss) bool { return l.What == test.lost })
		if !p.Sets.UnknownUID || p.Sets.NotRoot != test.notRoot || lost != (test.lost != "") || len(p.Findings) > 0 == test.notRoot {
			t.Errorf("%q: %+v\n%v\n%v", test.lines, p.Sets, p.Findings, p.Losses)
		}
		if p.Profile.NoNewPrivs && !test.notRoot && !strings.Contains(test.lines, "DynamicUser") {
			t.Errorf("%q: no_new_privs is declared, which root does not have", test.lines)
		}
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
