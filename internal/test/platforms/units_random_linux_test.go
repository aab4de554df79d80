//go:build linux

package platforms

import (
	"context"
	"fmt"
	"math/rand/v2"
	"strings"
	"testing"
	"time"

	"caprun/internal/test/requires"
	"caprun/platform/declared"
	"caprun/platform/systemd"
)

// randomLines returns assignments in a random order.
func randomLines(random *rand.Rand) []string {
	pick := func(list ...string) string { return list[random.IntN(len(list))] }
	maybe := func(list *[]string, line string) {
		if random.IntN(3) == 0 {
			*list = append(*list, line)
		}
	}
	capabilities := func() string {
		names := []string{"CAP_CHOWN", "CAP_KILL", "CAP_NET_RAW", "CAP_SYS_ADMIN", "CAP_SETPCAP", "CAP_SETUID", "CAP_MKNOD", "CAP_SYSLOG", "cap_bpf", "CAP_NONE", "5", "41"}
		var words []string
		for range random.IntN(4) {
			words = append(words, pick(names...))
		}
		return pick("", "", "~") + strings.Join(words, " ")
	}
	var lines []string
	maybe(&lines, "User="+pick("web", "plain", "root", "2001", "", "nobody"))
	maybe(&lines, "User="+pick("web", "plain"))
	maybe(&lines, "Group="+pick("extra", "root", "2103", "0", ""))
	maybe(&lines, "PermissionsStartOnly="+pick("yes", "no", "x"))
	for range random.IntN(4) {
		lines = append(lines, "CapabilityBoundingSet="+capabilities())
	}
	for range random.IntN(3) {
		lines = append(lines, "AmbientCapabilities="+capabilities())
	}
	for _, key := range []string{
		"NoNewPrivileges", "PrivateDevices", "ProtectClock", "ProtectKernelModules", "ProtectKernelLogs", "LockPersonality",
		"RestrictRealtime", "RestrictSUIDSGID", "MemoryDenyWriteExecute", "PrivateTmp", "ProtectSystem",
	} {
		if random.IntN(8) == 0 {
			lines = append(lines, key+"="+pick("yes", "no", "1", "off", "", "maybe"))
		}
	}
	maybe(&lines, "SecureBits="+pick("noroot noroot-locked", "no-setuid-fixup", "keep-caps", "keep-caps-locked", "noroot x", ""))
	for range random.IntN(3) {
		maybe(&lines, "RestrictNamespaces="+pick("yes", "no", "net user", "~net", "~mnt uts", "nett", "", "cgroup ipc net mnt pid user uts"))
		maybe(&lines, "RestrictAddressFamilies="+pick("AF_UNIX AF_INET", "~AF_INET6", "AF_INET6", "none", ""))
	}
	maybe(&lines, "SystemCallFilter="+pick("~reboot", "~reboot\nSystemCallFilter=reboot", "@system-service @privileged @resources @keyring @setuid", ""))
	maybe(&lines, "UMask="+pick("0077", "7", "0", "x", "7777"))
	maybe(&lines, "LimitCORE="+pick("0", "1M", "1:2K", "infinity", "2:1"))
	maybe(&lines, "LimitNOFILE="+pick("64", "64:128", "0x40", "1K"))
	maybe(&lines, "Environment="+pick("A=1", `"A=b c" B=\x41`, "A=%i C=%N", `"unbalanced`, ""))
	maybe(&lines, "Environment="+pick("B=2", "A=3 D=", "1=x E=5"))
	maybe(&lines, "UnsetEnvironment="+pick("A", "A=1 B", "HOME USER", "C=3"))
	maybe(&lines, "WorkingDirectory="+pick("/usr", "/usr//lib/.", "-/usr", ""))
	maybe(&lines, "StateDirectory="+pick("a", "a b", "b/c"))
	random.Shuffle(len(lines), func(i, j int) { lines[i], lines[j] = lines[j], lines[i] })
	return lines
}

// TestRandomUnits is TestUnits for random units, each with a drop-in.
func TestRandomUnits(t *testing.T) {
	requires.Root(t)
	requires.Tool(t, Manager)
	random := rand.New(rand.NewPCG(9, 10))
	system := System{
		Units: map[string]string{},
		Files: map[string]File{
			creds:         buildCreds(t),
			"/etc/passwd": {[]byte(testAccounts.passwd), 0o644}, "/etc/group": {[]byte(testAccounts.group), 0o644},
			"/etc/nsswitch.conf": {[]byte("passwd: files\ngroup: files\n"), 0o644},
		},
	}
	processes := map[string]*declared.Process{}
	for n := range requires.Rounds(40, 400) {
		name := fmt.Sprintf("random@%d.service", n)
		lines := randomLines(random)
		cut := random.IntN(len(lines) + 1)
		prefix := []string{"", "", "", "+", "!", "!!"}[random.IntN(6)]
		text := "[Unit]\nDefaultDependencies=no\n[Service]\nType=oneshot\nTimeoutStartSec=60\nStandardOutput=append:" + Output + "/" + outputOf(name) +
			"\n" + strings.Join(lines[:cut], "\n") + "\nExecStart=" + prefix + report + "\n"
		drop := "[Service]\n" + strings.Join(lines[cut:], "\n") + "\n"
		r := systemd.Read(declared.File{Name: name, Text: []byte(text)}, []declared.File{{Name: "a.conf", Text: []byte(drop)}}, nil)
		if len(r.Processes) == 0 {
			t.Fatalf("%s%s%v", text, drop, r.Findings)
		}
		processes[name] = r.Processes[0]
		system.Units[name], system.Units[name+".d/a.conf"] = text, drop
		system.Start = append(system.Start, name)
	}
	ctx, cancel := context.WithTimeout(t.Context(), 3*time.Minute)
	defer cancel()
	run, err := Boot(ctx, system)
	if err != nil {
		t.Fatalf("%v\n%s", err, run.Log)
	}
	manager := managerCaps(t)
	for _, name := range system.Start {
		p, output := processes[name], run.Files[outputOf(name)]
		made, err := plan(p, testAccounts)
		if err != nil || !strings.Contains(output, "uids:") {
			t.Errorf("%v, output %q\n%s\n%s\n%s", err, output, system.Units[name], system.Units[name+".d/a.conf"], logOf(run.Log, name))
			continue
		}
		got := parseState(output)
		for _, l := range p.Losses {
			if strings.Contains(l.What, "groups of") {
				made.AfterExec.Groups = nil
				got.values["groups"] = "none"
			}
		}
		for _, d := range got.differences(made, manager) {
			t.Errorf("%s\n%s\n%s", d, system.Units[name], system.Units[name+".d/a.conf"])
		}
	}
}
