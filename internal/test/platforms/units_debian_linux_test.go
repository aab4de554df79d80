//go:build linux

package platforms

import (
	"context"
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"slices"
	"strings"
	"testing"
	"time"

	"caprun/internal/test/requires"
	"caprun/platform/declared"
	"caprun/platform/systemd"
)

// debianPackages have the units of TestDebianUnits. They are downloaded, not installed.
var debianPackages = []string{
	"accountsservice", "apache2", "avahi-daemon", "bind9", "bluez", "chrony", "coturn", "cron", "dbus", "dnsmasq",
	"exim4-daemon-light", "fail2ban", "haproxy", "knot-resolver", "memcached", "mosquitto", "network-manager", "nginx-common",
	"nsd", "ntpsec", "openssh-server", "openvpn", "polkitd", "postfix", "postgresql-common", "power-profiles-daemon",
	"prometheus-node-exporter", "redis-server", "rsyslog", "rtkit", "squid", "systemd", "systemd-resolved",
	"systemd-timesyncd", "tor", "udev", "unbound", "upower", "usbmuxd", "wpasupplicant",
}

// debianServices are services that the packages must have.
var debianServices = []string{
	"apache2", "avahi-daemon", "chrony", "cron", "dnsmasq", "haproxy", "memcached", "named", "nginx", "redis-server", "rsyslog",
	"ssh", "systemd-logind", "systemd-networkd", "systemd-resolved", "systemd-timesyncd", "unbound",
}

// notComparable are services that cannot run the command of the test.
var notComparable = map[string]string{
	"emergency.service": "sysinit.target, which other services need, conflicts with it",
	"user@x.service":    "the instance is a user",
}

// TestDebianUnits: the processes of Debian's services below systemd have the state that the
// imported profiles declare. The commands are replaced by one that prints the state.
func TestDebianUnits(t *testing.T) {
	requires.Heavy(t)
	requires.Root(t)
	requires.Tool(t, Manager)
	units := debianUnits(t)
	for _, name := range debianServices {
		if units[name+".service"] == "" {
			t.Errorf("no unit %s", name)
		}
	}
	system := System{Units: map[string]string{}, Files: map[string]File{creds: buildCreds(t)}}
	processes := map[string]*declared.Process{}
	var names []string
	for name, text := range units {
		r := systemd.Read(declared.File{Name: name, Text: []byte(text)}, nil, nil)
		if len(r.Processes) == 0 {
			t.Logf("%s: %v", name, r.Findings)
			continue
		}
		if why := notComparable[name]; why != "" {
			t.Logf("%s: %s", name, why)
		} else if p := r.Processes[0]; p.Sets.UnknownUID {
			t.Logf("%s: the user is unknown", name)
		} else {
			processes[name] = p
		}
		names = append(names, name)
	}
	slices.Sort(names)
	database := accountsOf(units)
	system.Files["/etc/passwd"] = File{[]byte(database.passwd), 0o644}
	system.Files["/etc/group"] = File{[]byte(database.group), 0o644}
	system.Files["/etc/nsswitch.conf"] = File{[]byte("passwd: files\ngroup: files\n"), 0o644}
	for name, text := range units {
		for _, dir := range directoriesOf(text) {
			if _, err := os.Stat(dir); err != nil || strings.HasPrefix(dir, "/run/") {
				system.Files[dir+"/.keep"] = File{Mode: 0o644}
			}
		}
		if processes[name] == nil {
			continue
		}
		system.Start = append(system.Start, name)
		system.Units[name] = "[Unit]\nDefaultDependencies=no\n" + serviceSection(text)
		system.Units[name+".d/test.conf"] = "[Service]\nType=oneshot\nRestart=no\nRestartForceExitStatus=\nPIDFile=\nWatchdogSec=0\nNotifyAccess=none\n" +
			"Sockets=\nEnvironmentFile=\nLoadCredential=\nExecCondition=\nExecStartPre=\nExecStartPost=\nExecReload=\nExecStop=\nExecStopPost=\n" +
			"StandardInput=null\nStandardError=null\nStandardOutput=append:" + Output + "/" + outputOf(name) + "\n" +
			"ExecStart=\nExecStart=" + prefixOf(text) + report + "\n"
		if strings.Contains(text, "SystemCallFilter=") { // the program reads and sets file system IDs, and its keyring
			system.Units[name+".d/test.conf"] += "SystemCallFilter=@system-service @privileged @resources @keyring @setuid\n"
		}
		if strings.Contains(text, "NoExecPaths=") { // also for the loader of cat
			system.Units[name+".d/test.conf"] += "ExecPaths=/platform /usr /lib /lib64 /bin\n"
		}
	}
	ctx, cancel := context.WithTimeout(t.Context(), 3*time.Minute)
	defer cancel()
	run, err := Boot(ctx, system)
	if err != nil {
		t.Fatalf("%v\n%s", err, run.Log)
	}
	manager := managerCaps(t)
	equal := 0
	for _, name := range names {
		p := processes[name]
		if p == nil {
			continue
		}
		output := run.Files[outputOf(name)]
		if !strings.Contains(output, "uids:") {
			t.Errorf("%s: no output %q\n%s", name, output, logOf(run.Log, strings.TrimSuffix(name, ".service")))
			continue
		}
		made, err := plan(p, database)
		if err != nil {
			t.Errorf("%s: %v", name, err)
			continue
		}
		if slices.ContainsFunc(p.Losses, func(l declared.Loss) bool { return strings.Contains(l.What, "groups of") }) {
			made.AfterExec.Groups = nil
			output = strings.ReplaceAll(output, "\ngroups: ", "\nunknown groups: ")
		}
		got := parseState(output)
		for _, variable := range []string{"PIDFILE", "CREDENTIALS_DIRECTORY"} {
			if _, ok := got.set[variable]; !ok {
				delete(made.Profile.Env.Set, variable) // of a key that the test resets
			}
		}
		for _, l := range p.Losses {
			if _, variable, ok := strings.Cut(l.What, "cannot have the variable "); ok {
				got.env = slices.DeleteFunc(got.env, func(name string) bool { return name == variable })
			}
		}
		differences := got.differences(made, manager)
		for _, d := range differences {
			t.Errorf("%s: %s", name, d)
		}
		if len(differences) == 0 {
			equal++
		}
		c := made.AfterExec
		t.Logf("%-40s uid %-5d %2d caps, %2d in the bounding set, no_new_privs %v", name, c.UID, c.Permitted.Len(), c.Bounding.Len(), c.NoNewPrivs)
		for _, f := range p.Findings {
			t.Logf("    %s", f)
		}
	}
	t.Logf("%d services are equal", equal)
	const least = 60
	if equal < least {
		t.Errorf("%d services are equal, want at least %d", equal, least)
	}
}

// debianUnits returns the texts of the services of the packages by name. A template has the
// instance "x".
func debianUnits(t *testing.T) map[string]string {
	t.Helper()
	dir := t.TempDir()
	get := exec.Command(requires.Tool(t, "apt-get"), append([]string{"-q", "-o", "APT::Sandbox::User=root", "download"}, debianPackages...)...)
	get.Dir = dir
	if out, err := get.CombinedOutput(); err != nil {
		requires.Skip(t, fmt.Sprintf("packages of Debian: %v\n%s", err, out))
	}
	packages, _ := filepath.Glob(filepath.Join(dir, "*.deb"))
	root := filepath.Join(dir, "root")
	for _, p := range packages {
		if out, err := exec.Command(requires.Tool(t, "dpkg-deb"), "-x", p, root).CombinedOutput(); err != nil {
			t.Fatalf("%s: %v\n%s", p, err, out)
		}
		os.Remove(p)
	}
	units := map[string]string{}
	for _, pattern := range []string{"lib/systemd/system/*.service", "usr/lib/systemd/system/*.service"} {
		files, _ := filepath.Glob(filepath.Join(root, pattern))
		for _, f := range files {
			if st, err := os.Lstat(f); err != nil || !st.Mode().IsRegular() {
				continue // an alias
			}
			units[strings.Replace(filepath.Base(f), "@.service", "@x.service", 1)] = readText(f)
		}
	}
	return units
}

// serviceSection returns the section [Service] of a unit.
func serviceSection(text string) string {
	var b strings.Builder
	in := false
	for line := range strings.Lines(text) {
		if strings.HasPrefix(line, "[") {
			in = strings.TrimSpace(line) == "[Service]"
		}
		if in {
			b.WriteString(line)
		}
	}
	return b.String()
}

// values returns the words of a key.
func values(text, key string) []string {
	var list []string
	for line := range strings.Lines(strings.ReplaceAll(text, "\\\n", " ")) {
		if value, ok := strings.CutPrefix(line, key+"="); ok {
			list = append(list, strings.Fields(value)...)
		}
	}
	return list
}

// prefixOf returns the prefixes + and ! of the main command.
func prefixOf(text string) string {
	list := values(text, "ExecStart")
	if len(list) == 0 {
		return ""
	}
	path := strings.TrimLeft(list[0], "-@:+!")
	return strings.Trim(strings.TrimSuffix(list[0], path), "-@:")
}

// directoriesOf returns the directories that must exist for the unit.
func directoriesOf(text string) []string {
	var list []string
	for _, key := range []string{"ReadWritePaths", "ReadOnlyPaths", "InaccessiblePaths", "BindPaths", "BindReadOnlyPaths", "WorkingDirectory"} {
		for _, word := range values(text, key) {
			word, _, _ = strings.Cut(strings.TrimPrefix(word, "+"), ":")
			if strings.HasPrefix(word, "/") && !strings.Contains(word, "%") {
				list = append(list, word)
			}
		}
	}
	return list
}

// accountsOf returns a user database with the users and groups of the units. Every second
// user is a member of one more group.
func accountsOf(units map[string]string) accounts {
	var users, groups []string
	for _, text := range units {
		users = append(users, values(text, "User")...)
		groups = append(append(groups, values(text, "Group")...), values(text, "SupplementaryGroups")...)
	}
	unknown := func(name string) bool { return name == "root" || strings.Contains(name, "%") }
	slices.Sort(users)
	users = slices.DeleteFunc(slices.Compact(users), unknown)
	slices.Sort(groups)
	groups = slices.DeleteFunc(slices.Compact(groups), func(name string) bool { return unknown(name) || slices.Contains(users, name) })
	const firstUser, firstGroup = 3001, 4001
	a := accounts{passwd: "root:x:0:0:root:/root:/bin/bash\n", group: "root:x:0:\n"}
	var members []string
	for n, name := range users {
		id := firstUser + n
		a.passwd += fmt.Sprintf("%s:x:%d:%d::/var/empty:/usr/sbin/nologin\n", name, id, id)
		a.group += fmt.Sprintf("%s:x:%d:\n", name, id)
		if n%2 == 1 {
			members = append(members, name)
		}
	}
	for n, name := range groups {
		a.group += fmt.Sprintf("%s:x:%d:\n", name, firstGroup+n)
	}
	a.group += fmt.Sprintf("members:x:%d:%s\n", firstGroup-1, strings.Join(members, ","))
	return a
}
