//go:build linux

package platforms

import (
	"context"
	"fmt"
	"path"
	"slices"
	"strings"
	"testing"
	"time"

	"caprun/internal/test/requires"
	"caprun/platform/declared"
	"caprun/platform/systemd"
)

// testAccounts has a user with a group of its own and one more, and a user whose group is
// that of root.
var testAccounts = accounts{
	passwd: "root:x:0:0:root:/root:/bin/bash\n" +
		"nobody:x:65534:65534:nobody:/nonexistent:/usr/sbin/nologin\n" +
		"web:x:2001:2001::/srv/web:/bin/sh\n" +
		"plain:x:2002:2002::/:/usr/sbin/nologin\n" +
		"admin:x:2003:0::/root:/bin/sh\n",
	group: "root:x:0:\nnogroup:x:65534:\nweb:x:2001:\nplain:x:2002:\nlogs:x:2101:web,admin\nextra:x:2102:\nmore:x:2103:\n",
}

// A unitTest is a unit that runs below systemd, and is imported.
type unitTest struct {
	name    string // of the unit; one@two.service is an instance
	text    string // below [Service]; %s is the command
	dropIns map[string]string

	// other is the key whose command prints the state, if it is not ExecStart.
	other string

	// sockets are the socket units, which start before the service, by name.
	sockets map[string]string

	// groups are the groups of the process where the profile does not know them, which
	// is a loss.
	groups string
}

// unitTests has one rule of systemd each. What is surprising is in a comment.
var unitTests = []unitTest{
	{name: "plain", text: "ExecStart=%s"},
	{name: "user", text: "User=web\nExecStart=%s"},
	{name: "user-number", text: "User=2001\nExecStart=%s"},
	{name: "user-root", text: "User=root\nExecStart=%s"},
	{name: "user-zero", text: "User=0\nGroup=0\nExecStart=%s"},
	{name: "user-nobody", text: "User=nobody\nExecStart=%s"},
	{name: "user-reset", text: "User=web\nUser=\nExecStart=%s"},
	{name: "group-alone", text: "Group=extra\nExecStart=%s"},
	// The user is a member of its groups, but no longer of its primary group.
	{name: "group-other", text: "User=web\nGroup=extra\nExecStart=%s"},
	{name: "group-number", text: "User=plain\nGroup=2102\nExecStart=%s"},
	// For gid 0, systemd does not look up the groups of the user.
	{name: "group-root", text: "User=web\nGroup=root\nExecStart=%s"},
	{name: "supplementary", text: "User=plain\nSupplementaryGroups=extra\nSupplementaryGroups=more 2101\nExecStart=%s"},
	{name: "supplementary-root", text: "SupplementaryGroups=extra\nExecStart=%s"},
	{name: "supplementary-reset", text: "User=web\nSupplementaryGroups=extra\nSupplementaryGroups=\nExecStart=%s"},
	{name: "specifier@web", text: "User=%%i\nEnvironment=A=%%n B=%%N C=%%p D=%%i E=%%I F=%%%% G=%%j\nExecStart=%s"},
	{name: "escaped@a-b\\x2dc", text: "Environment=I=%%i \"J=%%I\"\nExecStart=%s"},
	{name: "bounding", text: "CapabilityBoundingSet=CAP_CHOWN CAP_KILL\nCapabilityBoundingSet=cap_net_raw\nExecStart=%s"},
	{name: "bounding-empty", text: "CapabilityBoundingSet=\nExecStart=%s"},
	{name: "bounding-inverted", text: "CapabilityBoundingSet=~CAP_SYS_ADMIN CAP_SYS_PTRACE\nCapabilityBoundingSet=~CAP_KILL\nExecStart=%s"},
	{name: "bounding-add-remove", text: "CapabilityBoundingSet=CAP_CHOWN CAP_KILL CAP_SETUID\nCapabilityBoundingSet=~CAP_KILL\nCapabilityBoundingSet=CAP_FOWNER\nExecStart=%s"},
	{name: "bounding-reset", text: "CapabilityBoundingSet=CAP_CHOWN\nCapabilityBoundingSet=\nCapabilityBoundingSet=CAP_KILL\nExecStart=%s"},
	{name: "bounding-tilde", text: "CapabilityBoundingSet=CAP_CHOWN\nCapabilityBoundingSet=~\nExecStart=%s"},
	{name: "bounding-number", text: "CapabilityBoundingSet=5 0x6 CAP_chown\nExecStart=%s"},
	{name: "bounding-user", text: "User=web\nCapabilityBoundingSet=CAP_CHOWN\nExecStart=%s"},
	// A misspelt capability alone empties the set, and forgets the lines before it.
	{name: "bounding-misspelt", text: "CapabilityBoundingSet=CAP_CHOWN\nCapabilityBoundingSet=CAP_KIL\nExecStart=%s"},
	// A misspelt capability after '~' makes the set full again.
	{name: "bounding-misspelt-inverted", text: "CapabilityBoundingSet=CAP_CHOWN\nCapabilityBoundingSet=~CAP_KIL\nExecStart=%s"},
	{name: "bounding-one-misspelt", text: "CapabilityBoundingSet=CAP_CHOWN CAP_KIL NET_RAW\nExecStart=%s"},
	{name: "ambient", text: "User=web\nAmbientCapabilities=CAP_NET_BIND_SERVICE\nCapabilityBoundingSet=CAP_NET_BIND_SERVICE\nExecStart=%s"},
	{name: "ambient-outside", text: "User=web\nAmbientCapabilities=CAP_NET_RAW CAP_KILL\nCapabilityBoundingSet=CAP_KILL\nExecStart=%s"},
	{name: "ambient-inverted", text: "User=web\nAmbientCapabilities=~CAP_NET_RAW\nExecStart=%s"},
	{name: "ambient-remove", text: "User=web\nAmbientCapabilities=CAP_NET_RAW CAP_KILL\nAmbientCapabilities=~CAP_NET_RAW\nExecStart=%s"},
	// Removing the last one makes the set initial again: the next '~' means all others.
	{name: "ambient-removed-all", text: "User=web\nAmbientCapabilities=CAP_KILL\nAmbientCapabilities=~CAP_KILL\nAmbientCapabilities=~CAP_CHOWN\nExecStart=%s"},
	{name: "ambient-root", text: "AmbientCapabilities=CAP_NET_RAW\nCapabilityBoundingSet=CAP_NET_RAW CAP_KILL\nExecStart=%s"},
	{name: "private-devices", text: "User=web\nPrivateDevices=yes\nAmbientCapabilities=CAP_MKNOD CAP_KILL\nExecStart=%s"},
	{name: "protect-clock", text: "ProtectClock=yes\nProtectKernelModules=yes\nProtectKernelLogs=yes\nExecStart=%s"},
	{name: "secure-bits", text: "User=web\nSecureBits=noroot noroot-locked\nAmbientCapabilities=CAP_KILL\nExecStart=%s"},
	// systemd.exec(5) says that assignments add up.
	{name: "secure-bits-twice", text: "SecureBits=noroot noroot-locked\nSecureBits=no-setuid-fixup keep-caps\nExecStart=%s"},
	{name: "secure-bits-root", text: "SecureBits=noroot noroot-locked no-setuid-fixup no-setuid-fixup-locked keep-caps-locked\nAmbientCapabilities=CAP_KILL\nExecStart=%s"},
	{name: "secure-bits-misspelt", text: "SecureBits=no-root\nExecStart=%s"},
	{name: "new-privileges", text: "User=web\nNoNewPrivileges=yes\nExecStart=%s"},
	{name: "new-privileges-invalid", text: "User=web\nNoNewPrivileges=yes\nNoNewPrivileges=maybe\nNoNewPrivileges=\nExecStart=%s"},
	{name: "new-privileges-root", text: "NoNewPrivileges=on\nExecStart=%s"},
	{name: "implied", text: "User=web\nLockPersonality=yes\nExecStart=%s"},
	{name: "implied-filter", text: "User=web\nSystemCallFilter=~@reboot\nExecStart=%s"},
	{name: "implied-architectures", text: "User=web\nSystemCallArchitectures=native\nExecStart=%s"},
	{name: "implied-families", text: "User=web\nRestrictAddressFamilies=AF_UNIX AF_INET\nExecStart=%s"},
	{name: "implied-namespaces", text: "User=web\nRestrictNamespaces=yes\nExecStart=%s"},
	{name: "implied-namespaces-no", text: "User=web\nRestrictNamespaces=no\nExecStart=%s"},
	{name: "implied-hostname", text: "User=web\nProtectHostname=yes\nExecStart=%s"},
	{name: "implied-reset", text: "User=web\nSystemCallFilter=~@reboot\nSystemCallFilter=\nExecStart=%s"},
	// systemd ignores unknown names, so that no filter is left.
	{name: "implied-unknown", text: "User=web\nSystemCallFilter=~bogus @bogus\nSystemCallArchitectures=bogus ~x86\nSystemCallLog=~bogus\nRestrictAddressFamilies=~AF_BOGUS\nNoNewPrivileges=no\nExecStart=%s"},
	{name: "implied-no", text: "User=web\nLockPersonality=yes\nNoNewPrivileges=no\nExecStart=%s"},
	{name: "implied-call", text: "User=web\nSystemCallFilter=~bogus keyctl:EPERM\nExecStart=%s"},
	{name: "implied-group", text: "User=web\nSystemCallLog=~@keyring\nExecStart=%s"},
	{name: "implied-allow", text: "User=web\nSystemCallFilter=@known\nSystemCallFilter=~bogus\nExecStart=%s"},
	{name: "implied-family", text: "User=web\nRestrictAddressFamilies=~AF_BOGUS AF_ALG\nExecStart=%s"},
	{name: "implied-removed", text: "User=web\nRestrictAddressFamilies=~AF_ALG\nRestrictAddressFamilies=AF_ALG\nSystemCallFilter=~keyctl\nSystemCallFilter=@keyring\nExecStart=%s"},
	{name: "implied-none", text: "User=web\nRestrictAddressFamilies=none\nRestrictAddressFamilies=~AF_BOGUS\nExecStart=%s"},
	{name: "implied-none-last", text: "User=web\nRestrictAddressFamilies=~AF_BOGUS\nRestrictAddressFamilies=none\nExecStart=%s"},
	{name: "implied-architecture", text: "User=web\nSystemCallArchitectures=bogus x86-64\nExecStart=%s"},
	// Root keeps CAP_SYS_ADMIN while it installs filters, with any bounding set.
	{name: "implied-root", text: "LockPersonality=yes\nSystemCallFilter=~@reboot\nCapabilityBoundingSet=CAP_KILL\nExecStart=%s"},
	{name: "not-implied", text: "User=web\nProtectSystem=strict\nPrivateTmp=yes\nProtectHome=yes\nReadWritePaths=/platform\nExecStart=%s"},
	{name: "ambient-implied", text: "User=web\nAmbientCapabilities=CAP_SYS_ADMIN\nRestrictRealtime=yes\nExecStart=%s"},
	// DynamicUser=yes allocates no user for a name or a number that exists.
	{name: "dynamic-root", text: "DynamicUser=yes\nUser=root\nExecStart=%s"},
	{name: "dynamic-zero", text: "DynamicUser=yes\nUser=0\nExecStart=%s"},
	{name: "dynamic-number", text: "DynamicUser=yes\nUser=2001\nExecStart=%s"},
	{name: "dynamic-number-group", text: "DynamicUser=yes\nUser=7\nGroup=extra\nSupplementaryGroups=logs\nExecStart=%s"},
	{name: "dynamic-plus-name", text: "DynamicUser=yes\nUser=web\nExecStart=+%s", groups: "2001 2101"},
	{name: "dynamic-plus-five", text: "DynamicUser=yes\nUser=5\nExecStart=+%s"},
	{name: "dynamic-plus-group", text: "DynamicUser=yes\nUser=8\nGroup=extra\nExecStart=!%s"},
	{name: "dynamic-plus", text: "DynamicUser=yes\nUser=0\nExecStart=+%s"},
	{name: "dynamic-root-group", text: "DynamicUser=yes\nUser=root\nGroup=extra\nSupplementaryGroups=logs\nExecStart=%s"},
	{name: "root", text: "DynamicUser=yes\nExecStart=%s"},
	{name: "prefix-plus", text: "User=plain\nNoNewPrivileges=yes\nCapabilityBoundingSet=CAP_KILL\nLimitCORE=5\nSecureBits=noroot\nUMask=0077\nExecStart=+%s", groups: "2002"},
	// The user does not count, and its groups do.
	{name: "prefix-groups", text: "User=web\nExecStart=!%s", groups: "2001 2101"},
	{name: "supplementary-members", text: "User=web\nSupplementaryGroups=extra\nExecStart=%s", groups: "2001 2101 2102"},
	{name: "prefix-exclamation", text: "User=root\nNoNewPrivileges=yes\nCapabilityBoundingSet=CAP_KILL\nLimitCORE=5\nExecStart=!%s"},
	{name: "prefix-double", text: "User=web\nAmbientCapabilities=CAP_KILL\nExecStart=!!%s"},
	{name: "prefix-others", text: "User=web\nExecStart=-@:/platform/creds name -x $HOME"},
	{name: "start-only", text: "User=web\nPermissionsStartOnly=yes\nCapabilityBoundingSet=CAP_KILL\nExecStartPre=%s\nExecStart=/bin/true", other: "ExecStartPre", groups: "2001 2101"},
	{name: "pre-plus", text: "User=plain\nGroup=root\nNoNewPrivileges=yes\nExecStartPre=+%s\nExecStart=/bin/true", other: "ExecStartPre"},
	{name: "post", text: "User=web\nNoNewPrivileges=yes\nAmbientCapabilities=CAP_KILL\nExecStart=/bin/true\nExecStartPost=%s", other: "ExecStartPost"},
	{name: "stop", text: "User=web\nCapabilityBoundingSet=CAP_KILL\nRemainAfterExit=no\nExecStart=/bin/true\nExecStopPost=%s", other: "ExecStopPost"},
	{name: "limits", text: "User=web\nLimitNOFILE=100:200\nLimitCORE=1M\nLimitCPU=1min 30s\nLimitRTTIME=5\nLimitFSIZE=infinity\nLimitSTACK=8M:64M\nLimitDATA=1G\nLimitNICE=+5\nLimitMEMLOCK=64K\nExecStart=%s"},
	{name: "limits-invalid", text: "LimitNOFILE=100\nLimitNOFILE=\nLimitNOFILE=9:3\nLimitCORE=3x\nLimitSIGPENDING=0x10\nLimitLOCKS=5\nLimitMSGQUEUE=1.5K\nExecStart=%s"},
	{name: "realtime", text: "RestrictRealtime=yes\nExecStart=%s"},
	{name: "umask", text: "UMask=0027\nUMask=9\nExecStart=%s"},
	{name: "umask-high", text: "UMask=7077\nExecStart=%s"},
	{name: "directory", text: "User=web\nWorkingDirectory=/usr/./lib/\nExecStart=%s"},
	{name: "directory-dots", text: "WorkingDirectory=/usr/lib\nWorkingDirectory=-/usr/../etc\nExecStart=%s"},
	{name: "directory-missing", text: "WorkingDirectory=/usr/lib\nWorkingDirectory=\nExecStart=%s"},
	{name: "environment", text: "Environment=A=1 \"B=two words\" 'C=x\"y' D=\\x41\\t E=a=b\nEnvironment=A=2\nEnvironment=9X=1 NOVALUE F=\nEnvironment=\"G=%%%%\" PATH=/bin\nExecStart=%s"},
	{name: "environment-reset", text: "Environment=A=1\nEnvironment=\nEnvironment=B=1\nExecStart=%s"},
	{name: "environment-quotes", text: "Environment=A=1 \"B=2\nEnvironment=C=\\q D=1\nExecStart=%s"},
	{name: "environment-unset", text: "User=web\nEnvironment=A=1 B=2 C=3\nUnsetEnvironment=A B=2 C=4 HOME PATH\nExecStart=%s"},
	{name: "environment-pass", text: "PassEnvironment=MARK OTHER\nEnvironment=OTHER=1\nExecStart=%s"},
	{name: "directories", text: "User=web\nRuntimeDirectory=zz aa\nStateDirectory=s/t\nCacheDirectory=c\nLogsDirectory=l\nConfigurationDirectory=k\nExecStart=%s"},
	{name: "search-path", text: "ExecSearchPath=/nowhere:/platform\nExecStart=creds -exec /bin/cat /proc/self/limits"},
	{name: "words", text: "Environment=ONE=1 \"TWO=a 'b c'\"\nExecStart=/platform/creds \"a b\" c\\x20d 'e\"f' \"\" $ONE ${TWO}x $TWO $$ONE $NONE ${NONE} a$ONE \\; %%%% %%n ${ONE:-x}"},
	{name: "words-ignored", text: "ExecStart=/bin/t'rue\nExecStart=-bin/false ; /bin/false\nExecStart=-/bin/false \"\nExecStart=%s"},
	{name: "words-literal", text: "Environment=ONE=1\nExecStart=:/platform/creds $ONE ${ONE} $$"},
	{name: "continued", text: "User=web\nCapabilityBoundingSet=CAP_KILL \\\n# comment\n  CAP_CHOWN \\\n\nUMask=0077\nExecStart=%s"},
	{name: "dropped", text: "User=plain\nUMask=0077\nExecStart=/bin/false",
		dropIns: map[string]string{"20-b.conf": "UMask=0007\nExecStart=\nExecStart=%s", "10-a.conf": "User=web\nUMask=0000"}},
	{name: "keyring", text: "User=web\nKeyringMode=inherit\nExecStart=%s"},
	{name: "chroot", text: "User=plain\nRootDirectory=/platform/root\nAmbientCapabilities=CAP_KILL\nExecStart=/creds"},
	{name: "variables", text: "PIDFile=x/y.pid\nSetCredential=a:secret\nUser=web\nExecStart=%s"},
	{name: "terminal", text: "StandardInput=tty\nTTYPath=/dev/console\nUser=web\nExecStart=%s"},
	{name: "private-users", text: "User=plain\nPrivateUsers=yes\nCapabilityBoundingSet=CAP_KILL\nExecStart=%s"},
	{name: "private-users-root", text: "PrivateUsers=yes\nCapabilityBoundingSet=CAP_KILL CAP_CHOWN\nExecStart=%s"},
	{name: "sockets", text: "Sockets=one.socket two.socket\nUser=web\nExecStart=%s", sockets: map[string]string{
		"one.socket": "ListenStream=/run/a\nListenDatagram=/run/b\nService=sockets.service",
		"two.socket": "ListenFIFO=/run/c\nListenStream=\nListenStream=/run/d\nListenSequentialPacket=/run/e\nService=sockets.service",
	}},
	{name: "socket-stdin", text: "Sockets=three.socket\nStandardInput=socket\nExecStart=%s", sockets: map[string]string{
		"three.socket": "ListenStream=/run/f\nService=socket-stdin.service",
	}},
	{name: "wrong-section", text: "ExecStart=%s\n[Install]\nUser=web\n[service]\nUser=plain\n[X-Y]\nUser=web"},
	{name: "misspelt", text: "user=web\nNoNewPrivilege=yes\nExecStart=%s"},
}

// TestUnits: the processes of units below systemd have the state that the imported profiles
// declare.
func TestUnits(t *testing.T) {
	requires.Root(t)
	requires.Tool(t, Manager)
	program := buildCreds(t)
	system := System{
		Units: map[string]string{},
		Files: map[string]File{
			creds: program, "/platform/root/creds": program,
			"/etc/passwd": {[]byte(testAccounts.passwd), 0o644}, "/etc/group": {[]byte(testAccounts.group), 0o644},
			"/etc/nsswitch.conf": {[]byte("passwd: files\ngroup: files\n"), 0o644},
		},
	}
	for _, u := range unitTests {
		system.Start = append(system.Start, u.name+".service")
		text := "[Unit]\nDefaultDependencies=no\n[Service]\nType=oneshot\nTimeoutStartSec=30\nStandardOutput=append:" + Output + "/" + outputOf(u.name) + "\n" + u.text + "\n"
		for name, text := range u.sockets {
			system.Units[name] = "[Unit]\nDefaultDependencies=no\n[Socket]\n" + text + "\n"
		}
		system.Units[u.name+".service"] = strings.ReplaceAll(format(text), unitCommand, report)
		for name, text := range u.dropIns {
			system.Units[u.name+".service.d/"+name] = "[Service]\n" + strings.ReplaceAll(format(text), unitCommand, report)
		}
	}
	ctx, cancel := context.WithTimeout(t.Context(), 2*time.Minute)
	defer cancel()
	run, err := Boot(ctx, system)
	if err != nil {
		t.Fatalf("%v\n%s", err, run.Log)
	}
	manager := managerCaps(t)
	for _, u := range unitTests {
		t.Run(u.name, func(t *testing.T) {
			output, ok := run.Files[outputOf(u.name)]
			if !ok || !strings.Contains(output, "uids:") {
				t.Fatalf("no output %q\n%s", output, run.Log)
			}
			p := readProcess(t, system, u)
			made, err := plan(p, testAccounts)
			if err != nil {
				t.Fatal(err)
			}
			got := parseState(output)
			if u.groups != "" {
				if got.values["groups"] != u.groups || !slices.ContainsFunc(p.Losses, func(l declared.Loss) bool { return strings.Contains(l.What, "groups of") }) {
					t.Errorf("groups: want %s and a loss, got %s, %v", u.groups, got.values["groups"], p.Losses)
				}
				made.AfterExec.Groups = nil
				got.values["groups"] = "none"
			}
			for _, d := range got.differences(made, manager) {
				t.Error(d)
			}
			if want := p.Profile.Command; want != nil && !losesCommand(p) || u.name == "words" {
				arguments := append([]string{want[0]}, want[1:]...)
				if i := slices.Index(arguments, "-exec"); i < 0 && fmt.Sprintf("%q", arguments) != got.values["args"] {
					t.Errorf("command: profile %q, process %s", arguments, got.values["args"])
				}
			}
			descriptors := "0 1 2"
			for _, fd := range p.Profile.KeepFDs {
				descriptors += fmt.Sprint(" ", fd)
			}
			if descriptors != got.values["descriptors"] {
				t.Errorf("descriptors: profile %s, process %s", descriptors, got.values["descriptors"])
			}
			if t.Failed() {
				document, _ := p.Document()
				t.Logf("%s\n%s\n%s", system.Units[u.name+".service"], document.Text, output)
			}
		})
	}
}

// losesCommand reports whether the profile may not have the command as the unit does.
func losesCommand(p *declared.Process) bool {
	return slices.ContainsFunc(p.Losses, func(l declared.Loss) bool {
		return !strings.HasPrefix(l.What, "systemd gives the process a new session keyring") && !strings.HasSuffix(l.What, "is opened as root")
	})
}

// TestRefusedUnits: systemd does not load what the import refuses. A drop-in counts until the
// line that it refuses.
func TestRefusedUnits(t *testing.T) {
	requires.Root(t)
	requires.Tool(t, Manager)
	refused := []string{
		"ExecStart=%s\nUser=a:b\nUser=root", "ExecStart=%s\nUser=00", "ExecStart=%s\nGroup=65535", "ExecStart=%s\nSupplementaryGroups=root a/b",
		"ExecStart=%s\nWorkingDirectory=srv", "ExecStart=%s\nWorkingDirectory=/usr/..", "ExecStart=%s\nRootDirectory=srv",
		"Type=simple\nExecStart=%s\nExecStart=%s", "Type=exec\nExecStop=%s", "ExecStart=%s\nExecStart=bin/true", "ExecStart=%s\nExecStart=/bin/",
		"ExecStart=%s\nExecStart=@/bin/true", "ExecStart=%s\nExecStart=/bin/true \"", "ExecStart=%s\n[Service",
		"ExecStart=%s\nExecStart=",
	}
	system := System{Units: map[string]string{}, Files: map[string]File{creds: buildCreds(t)}, Start: []string{"drop.service"}}
	for n, text := range refused {
		name := fmt.Sprintf("refused-%d.service", n)
		system.Start = append(system.Start, name)
		system.Units[name] = "[Unit]\nDefaultDependencies=no\n[Service]\nType=oneshot\nStandardOutput=append:" + Output + "/" + name + "\n" +
			strings.ReplaceAll(format(text), unitCommand, creds) + "\n"
		if r := systemd.Read(declared.File{Name: name, Text: []byte(system.Units[name])}, nil, nil); len(r.Processes) != 0 {
			t.Errorf("%q is not refused", text)
		}
	}
	system.Units["drop.service"] = "[Unit]\nDefaultDependencies=no\n[Service]\nType=oneshot\nStandardOutput=append:" + Output + "/drop\nExecStart=" + creds + "\n"
	system.Units["drop.service.d/a.conf"] = "[Service]\nUMask=0070\nUser=a:b\nUMask=0000\n"
	ctx, cancel := context.WithTimeout(t.Context(), time.Minute)
	defer cancel()
	run, err := Boot(ctx, system)
	if err != nil {
		t.Fatalf("%v\n%s", err, run.Log)
	}
	for name, text := range run.Files {
		if strings.HasPrefix(name, "refused") {
			t.Errorf("systemd starts %q", system.Units[name]+text)
		}
	}
	if got := parseState(run.Files["drop"]).values["umask"]; got != "0070" {
		t.Errorf("umask %q\n%s", got, run.Log)
	}
}

// unitCommand stands for the command that prints the state.
const unitCommand = "\x00"

// format replaces %s by the command, and %% by %.
func format(text string) string {
	return strings.NewReplacer("%%", "%", "%s", unitCommand).Replace(text)
}

func outputOf(name string) string { return strings.NewReplacer("\\", "_", "@", "_").Replace(name) }

// readProcess imports a unit of the system.
func readProcess(t *testing.T, s System, u unitTest) *declared.Process {
	t.Helper()
	var dropIns []declared.File
	for name, text := range s.Units {
		if path.Dir(name) == u.name+".service.d" {
			dropIns = append(dropIns, declared.File{Name: "/run/systemd/system/" + name, Text: []byte(text)})
		}
	}
	var sockets []declared.File
	for name := range u.sockets {
		sockets = append(sockets, declared.File{Name: "/run/systemd/system/" + name, Text: []byte(s.Units[name])})
	}
	r := systemd.Read(declared.File{Name: u.name + ".service", Text: []byte(s.Units[u.name+".service"])}, dropIns, sockets)
	for _, p := range r.Processes {
		if u.other == "" || strings.HasSuffix(p.Name, "-"+u.other) {
			return p
		}
	}
	t.Fatalf("no process: %v", r.Findings)
	return nil
}

// logOf returns the lines of the log about a unit.
func logOf(log, name string) string {
	var b strings.Builder
	for line := range strings.Lines(log) {
		if strings.Contains(line, name) {
			b.WriteString(line)
		}
	}
	return b.String()
}
