//go:build linux

package platforms

import (
	"context"
	"fmt"
	"slices"
	"strings"
	"testing"
	"time"

	"caprun/internal/test/requires"
	"caprun/platform/declared"
	"caprun/platform/systemd"
)

// TestAccept: a service of a socket with Accept=yes gets the connection as descriptor 3.
func TestAccept(t *testing.T) {
	requires.Root(t)
	requires.Tool(t, Manager)
	socket := "[Unit]\nDefaultDependencies=no\n[Socket]\nListenStream=127.0.0.1:4711\nListenStream=127.0.0.1:4712\nAccept=yes\n"
	service := "[Unit]\nDefaultDependencies=no\n[Service]\nUser=nobody\nStandardOutput=append:" + Output + "/connection\nExecStart=" + creds + "\n"
	// The client ends when the service has closed the connection.
	client := "[Unit]\nDefaultDependencies=no\nRequires=a.socket\nAfter=a.socket\n[Service]\nType=oneshot\nTimeoutStartSec=30\n" +
		"ExecStart=/bin/bash -c 'cat </dev/tcp/127.0.0.1/4711'\n"
	ctx, cancel := context.WithTimeout(t.Context(), time.Minute)
	defer cancel()
	run, err := Boot(ctx, System{
		Units: map[string]string{"a.socket": socket, "a@.service": service, "client.service": client},
		Files: map[string]File{creds: buildCreds(t)},
		Start: []string{"client.service"},
	})
	if err != nil {
		t.Fatalf("%v\n%s", err, run.Log)
	}
	r := systemd.Read(declared.File{Name: "a@.service", Text: []byte(service)}, nil, []declared.File{{Name: "a.socket", Text: []byte(socket)}})
	got := parseState(run.Files["connection"])
	if fds := r.Processes[0].Profile.KeepFDs; len(fds) != 1 || got.values["descriptors"] != "0 1 2 3" || got.set["LISTEN_FDS"] != "1" {
		t.Errorf("profile %v, process %s %s\n%s", fds, got.values["descriptors"], got.set["LISTEN_FDS"], run.Log)
	}
}

// TestKeyring: the session keyring of a process is a new one, also with the prefix + and for
// root, except with KeyringMode=inherit. The user of the unit owns it.
func TestKeyring(t *testing.T) {
	requires.Root(t)
	requires.Tool(t, Manager)
	system := System{Units: map[string]string{}, Files: map[string]File{
		"/etc/passwd": {[]byte(testAccounts.passwd), 0o644}, "/etc/group": {[]byte(testAccounts.group), 0o644},
	}}
	tests := []struct {
		name, lines, prefix, uid string
		makes, loses             bool
	}{
		{"root", "", "", "0", true, true},
		{"plus", "User=web\n", "+", "2001", true, true},
		{"user", "User=plain\n", "", "2002", true, false},
		{"inherit", "User=admin\nKeyringMode=inherit\n", "", "2003", false, false},
	}
	for _, u := range tests {
		system.Start = append(system.Start, u.name+".service")
		system.Units[u.name+".service"] = "[Unit]\nDefaultDependencies=no\n[Service]\nType=oneshot\nTimeoutStartSec=30\n" + u.lines +
			"StandardOutput=append:" + Output + "/" + u.name + "\nExecStart=" + u.prefix + "/bin/cat /proc/keys\n"
	}
	ctx, cancel := context.WithTimeout(t.Context(), time.Minute)
	defer cancel()
	run, err := Boot(ctx, system)
	if err != nil {
		t.Fatalf("%v\n%s", err, run.Log)
	}
	for _, u := range tests {
		output, started := run.Files[u.name]
		has := slices.ContainsFunc(strings.Split(output, "\n"), func(line string) bool {
			f := strings.Fields(line)
			return len(f) > 8 && f[5] == u.uid && f[8] == "_ses:"
		})
		p := readProcess(t, system, unitTest{name: u.name})
		made, err := plan(p, testAccounts)
		if err != nil {
			t.Fatal(err)
		}
		loses := slices.ContainsFunc(p.Losses, func(l declared.Loss) bool { return strings.HasSuffix(l.What, "a new session keyring") })
		if !started || has != u.makes || loses != u.loses || (made.NewKeyring() || loses) != u.makes {
			t.Errorf("%s: new keyring %v, loss %v, profile %v\n%s", u.name, has, loses, made.NewKeyring(), output)
		}
	}
}

// TestSocketServices: which services get the descriptors of a socket, with its drop-ins.
func TestSocketServices(t *testing.T) {
	requires.Root(t)
	requires.Tool(t, Manager)
	const head = "[Unit]\nDefaultDependencies=no\n"
	service := func(name, lines string) string {
		return head + "After=accept.socket plain.socket\n[Service]\nType=oneshot\nTimeoutStartSec=30\n" + lines + "StandardOutput=append:" + Output + "/" + name + "\nExecStart=" + creds + "\n"
	}
	system := System{
		Units: map[string]string{
			"accept.socket":                      head + "[Socket]\nListenStream=/run/a\nListenStream=/run/b\nAccept=yes\n",
			"plain.socket":                       head + "[Socket]\nListenStream=/run/c\n",
			"plain.socket.d/20.conf":             "[Socket]\nListenStream=/run/e\n",
			"plain.socket.d/10.conf":             "[Socket]\nListenStream=\nListenStream=/run/d\n",
			"accept@.service":                    service("template", ""),
			"accept.service":                     service("accept", ""),
			"plain.service":                      service("plain", ""),
			"plain@.service":                     service("instance", ""),
			"sockets.service":                    service("sockets", "Sockets=accept.socket\n"),
			"instance-socket@.socket":            head + "[Socket]\nListenStream=/run/%i\nListenFIFO=/run/%i-2\n",
			"instance-socket@.service":           service("with-instance", ""),
			"instance-socket@x.service.d/a.conf": "[Unit]\nAfter=instance-socket@x.socket\n",
		},
		Files: map[string]File{creds: buildCreds(t)},
		Start: []string{"accept.socket", "plain.socket", "instance-socket@x.socket", "accept.service", "plain.service", "plain@x.service", "sockets.service", "instance-socket@x.service"},
	}
	ctx, cancel := context.WithTimeout(t.Context(), time.Minute)
	defer cancel()
	run, err := Boot(ctx, system)
	if err != nil {
		t.Fatalf("%v\n%s", err, run.Log)
	}
	for _, test := range []struct {
		output, unit, template string
		sockets                []string
	}{
		{"accept", "accept.service", "", []string{"accept.socket"}},
		{"plain", "plain.service", "", []string{"plain.socket", "plain.socket.d/10.conf", "plain.socket.d/20.conf"}},
		{"instance", "plain@x.service", "plain@.service", []string{"plain.socket", "plain.socket.d/10.conf", "plain.socket.d/20.conf"}},
		{"sockets", "sockets.service", "", []string{"accept.socket"}},
		{"with-instance", "instance-socket@x.service", "instance-socket@.service", []string{"instance-socket@.socket"}},
	} {
		var sockets []declared.File
		for _, name := range test.sockets {
			sockets = append(sockets, declared.File{Name: "/run/systemd/system/" + name, Text: []byte(system.Units[name])})
		}
		text := system.Units[test.unit] + system.Units[test.template]
		want := "0 1 2"
		for _, fd := range systemd.Read(declared.File{Name: test.unit, Text: []byte(text)}, nil, sockets).Processes[0].Profile.KeepFDs {
			want += fmt.Sprint(" ", fd)
		}
		if got := parseState(run.Files[test.output]).values["descriptors"]; got != want {
			t.Errorf("%s: profile %s, process %s\n%s", test.unit, want, got, logOf(run.Log, test.unit))
		}
	}
}
