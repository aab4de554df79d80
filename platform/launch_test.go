package platform

import (
	"errors"
	"slices"
	"strings"
	"testing"

	"caprun/engine"
	"caprun/engine/cred"
	"caprun/engine/review"
	"caprun/platform/declared"
	"caprun/policy"
	"caprun/profiles"
)

// TestLaunchedProfile: only a launch of caprun has a profile.
func TestLaunchedProfile(t *testing.T) {
	for _, test := range []struct{ command, want string }{
		{"/usr/bin/caprun -profile app -- /srv/app", "app"},
		{"caprun --profile=./app.yaml /srv/app", "./app.yaml"},
		{"/usr/bin/caprun -init -init-group=true --profile builtin:web -- /srv/app", "builtin:web"},
		{"/usr/bin/caprun -init=false -profile - -- /srv/app", "-"},
		{"/usr/bin/caprun -profile app", "app"},
		{"/usr/bin/caprun -profile", ""},
		{"/usr/bin/caprun -profile=", ""},
		{"/usr/bin/caprun", ""},
		{"/usr/bin/caprun -- -profile app", ""},
		{"/usr/bin/caprun check -profile app", ""},
		{"/usr/bin/caprun -nosuchflag -profile app", ""},
		{"/usr/bin/caprun-other -profile app", ""},
		{"/srv/app -profile app", ""},
	} {
		got, ok := launchedProfile(strings.Fields(test.command))
		if ok != (test.want != "") || ok && got != test.want {
			t.Errorf("%s: %q, %v", test.command, got, ok)
		}
	}
	if _, ok := launchedProfile([]string{"caprun", "-profile", ""}); ok {
		t.Error("an empty profile")
	}
}

// TestStartsCaprun: the finding about a launch by caprun has the command that prints what the
// program gets.
func TestStartsCaprun(t *testing.T) {
	const caps = "CapabilityBoundingSet=CAP_SETUID CAP_SETGID CAP_SETPCAP\n"
	for _, test := range []struct{ unit, hint string }{
		{"ExecStart=/usr/bin/caprun -profile app -- /srv/app\n", "caprun explain app"},
		{"ExecStart=-:/usr/bin/caprun -profile=app.yaml -- /srv/app\nWorkingDirectory=/srv\n", "caprun explain /srv/app.yaml"},
		{"ExecStart=@/usr/bin/caprun app -profile builtin:web -- /srv/app\n", "caprun explain builtin:web"},
		{"ExecStart=/usr/bin/caprun -profile '/srv/my app.yaml' -- /srv/app\n", "caprun explain '/srv/my app.yaml'"},
		{"ExecStart=/usr/bin/caprun -profile app -- /srv/app\nNoNewPrivileges=yes\n" + caps, "caprun explain -as 'uid=0 gid=0 no_new_privs cap_setgid,cap_setuid,cap_setpcap=ep' app"},
		{"ExecStart=/usr/bin/caprun -profile app -- /srv/app\nUser=www-data\n", "caprun explain -as CALLER app, where CALLER has the credentials of caprun"},
		{"ExecStart=/usr/bin/caprun -profile \"a'b/c\" -- /srv/app\n", ""},
		{"ExecStart=/usr/bin/caprun -profile - -- /srv/app\n", ""},
	} {
		in := Input{Kind: Systemd, File: declared.File{Name: "app.service", Text: []byte("[Service]\n" + test.unit)}}
		documents, found := in.Documents()
		if len(documents) != 1 {
			t.Fatalf("%s%v", test.unit, found)
		}
		got := slices.DeleteFunc(documents[0].Findings, func(f policy.Diagnostic) bool { return f.Rule != "starts-caprun" })
		want := test.hint
		if want != "" {
			want = "print those of the program with " + want
		}
		if len(got) != 1 || got[0].Hint != want || got[0].Line != 2 {
			t.Errorf("%s%+v, want %q", test.unit, got, want)
		}
	}
}

// TestCheckLaunch: check says whose the other findings are, and is silent without them. The
// rules about a uid 0 that stays root do not matter for caprun.
func TestCheckLaunch(t *testing.T) {
	const caps = "CapabilityBoundingSet=CAP_SETUID CAP_SETGID CAP_SETPCAP\n"
	if found := text(check("app.service", "[Service]\nExecStart=/usr/bin/caprun -profile app -- /srv/app\n"+caps)); strings.Count(found, "\n") != 2 || !strings.Contains(found, "app.service:2:1: info: the process is caprun, ") || !strings.Contains(found, "[no-new-privs-missing]") {
		t.Errorf("without no_new_privs:\n%s", found)
	}
	if found := text(check("app.service", "[Service]\nExecStart=/usr/bin/caprun -profile app -- /srv/app\nNoNewPrivileges=yes\n"+caps)); found != "" {
		t.Errorf("caprun with the capabilities to change the user:\n%s", found)
	}
	if found := text(check("app.service", "[Service]\nExecStart=/srv/app -profile app\n")); strings.Contains(found, "starts-caprun") {
		t.Error(found)
	}
}

// TestLaunchOutside: of a launch by caprun, the profile is compared, and not the arguments of
// the program.
func TestLaunchOutside(t *testing.T) {
	start := func(command string) []Outside {
		return outside(t, "app.service", "[Service]\nExecStart="+command+"\nUser=33\nNoNewPrivileges=yes\n")
	}
	a := start("/usr/bin/caprun -profile a -- /srv/app")
	if !slices.Equal(a, start("/usr/bin/caprun -init -profile=a -- /srv/app -port 80")) {
		t.Error("the arguments are compared")
	}
	for _, other := range []string{"/usr/bin/caprun -profile b -- /srv/app", "/srv/app"} {
		if slices.Equal(a, start(other)) {
			t.Errorf("no difference from %s", other)
		}
	}
}

// TestStateText: engine.ParseCaller reads what stateText writes.
func TestStateText(t *testing.T) {
	for _, want := range []string{
		"", "uid=0 gid=0 no_new_privs", "uid=0 gid=0 bounding=none", "uid=33 gid=33", "uid=33 gid=33 groups=5,33", "uid=0 gid=0 cap_kill=ep",
		"uid=33 gid=33 ambient=cap_kill cap_kill=eip bounding=cap_kill", "uid=0 gid=5 secbits=noroot,noroot_locked ambient=all all=eip", "uid=33 gid=33 cap_chown=ep cap_kill+i",
		"uid=0 gid=0 cap_kill=i bounding=all", "uid=0 gid=0 cap_chown,cap_kill=ep cap_kill+i",
	} {
		c := cred.Root()
		if want != "" {
			var err error
			if c, err = engine.ParseCaller(want); err != nil {
				t.Fatal(err)
			}
		}
		if got, ok := stateText(c); !ok || got != want {
			t.Errorf("%q: %q, %v", want, got, ok)
		}
	}
}

// TestLaunchesOther: the command of a container can be caprun, too.
func TestLaunchesOther(t *testing.T) {
	const text = "services:\n  a:\n    image: a\n    user: \"0:0\"\n    entrypoint: [/caprun, -init, -profile, /web.yaml, --]\n    command: [/srv/a]\n"
	in := Input{Kind: Compose, File: declared.File{Name: "compose.yaml", Text: []byte(text)}}
	documents, found := in.Documents()
	if len(documents) != 1 || documents[0].Launches != "/web.yaml" {
		t.Errorf("%v, %v", documents, found)
	}
}

// builtin returns the text of a built-in profile.
func builtin(name string) ([]byte, error) {
	name, ok := strings.CutPrefix(name, "builtin:")
	if !ok {
		return nil, nil
	}
	return profiles.Read(name)
}

// TestLaunchRefused: a launch that caprun refuses for the state of the unit, and nothing if
// the state or the profile is not known, or the profile has errors.
func TestLaunchRefused(t *testing.T) {
	const start = "ExecStart=/usr/bin/caprun -profile builtin:web -- /srv/app\n"
	const caps = "CapabilityBoundingSet=CAP_SETUID CAP_SETGID CAP_SETPCAP CAP_NET_BIND_SERVICE\n"
	for unit, want := range map[string]string{
		start:                                  "",
		start + caps + "NoNewPrivileges=yes\n": "",
		start + "CapabilityBoundingSet=CAP_SETUID CAP_SETGID CAP_SETPCAP\n":                             "cap_net_bind_service",
		start + "CapabilityBoundingSet=CAP_SETGID CAP_SETPCAP CAP_NET_BIND_SERVICE\n":                   "cap_setuid",
		start + "User=www-data\nCapabilityBoundingSet=\n":                                               "",
		start + "User=%i\nCapabilityBoundingSet=\n":                                                     "",
		"ExecStart=/usr/bin/caprun -profile app -- /srv/app\nCapabilityBoundingSet=\n":                  "",
		"ExecStart=/usr/bin/caprun -profile - -- /srv/app\nCapabilityBoundingSet=\n":                    "",
		"ExecStart=/usr/bin/caprun -profile builtin:unprivileged -- /srv/app\nCapabilityBoundingSet=\n": "",
	} {
		in := Input{Kind: Systemd, File: declared.File{Name: "app.service", Text: []byte("[Service]\n" + unit)}, LaunchedProfile: builtin}
		got := ""
		for _, r := range in.Check(review.Options{}) {
			for _, f := range r.Findings {
				if f.Rule == "launch-refused" {
					got += f.Diagnostic.String() + "\n"
				}
			}
		}
		if want == "" && got != "" || !strings.Contains(got, want) || strings.Count(got, "\n") != min(1, len(want)) {
			t.Errorf("%s%swant %q", unit, got, want)
		}
	}
}

// TestLaunchRefusedElsewhere: the profile is read only if its path is one of this machine.
func TestLaunchRefusedElsewhere(t *testing.T) {
	const refused = "version: 1\nuid: 33\ngid: 33\ncaps: \"=\"\n"
	const start = "[Service]\nCapabilityBoundingSet=\nExecStart=/usr/bin/caprun -profile "
	for text, want := range map[string]string{
		start + "/a.yaml -- /b\n":                       "/a.yaml",
		start + "a.yaml -- /b\nWorkingDirectory=/srv\n": "/srv/a.yaml",
		start + "app -- /b\n":                           "app",
		start + "/a.yaml -- /b\nRootDirectory=/jail\n":  "",
		start + "app -- /b\nRootDirectory=/jail\n":      "",
		start + "app -- /b\nRootImage=/jail.raw\n":      "",
		start + "a.yaml -- /b\nWorkingDirectory=~\n":    "",
		"services:\n  a:\n    image: a\n    user: \"0:0\"\n    cap_drop: [ALL]\n    entrypoint: [/caprun, -profile, /a.yaml, --, /b]\n": "",
	} {
		read, found := "", 0
		name := "app.service"
		if strings.HasPrefix(text, "services") {
			name = "compose.yaml"
		}
		in := Input{Kind: Detect(name, []byte(text)), File: declared.File{Name: name, Text: []byte(text)}, LaunchedProfile: func(name string) ([]byte, error) {
			read = name
			return []byte(refused), nil
		}}
		for _, r := range in.Check(review.Options{}) {
			for _, f := range r.Findings {
				if f.Rule == "launch-refused" {
					found++
				}
			}
		}
		if read != want || found != min(1, len(want)) {
			t.Errorf("%s: reads %q, %d findings", text, read, found)
		}
	}
}

// TestLaunchWithBadProfile: a profile that a launch cannot read or that has errors is the
// reason, also where the user of caprun is not known.
func TestLaunchWithBadProfile(t *testing.T) {
	for name, want := range map[string]string{
		"missing": "no such file or directory", "wrong": "it is not a valid profile", "unknown": "", "right": "",
	} {
		text := "[Service]\nUser=www-data\nExecStart=/usr/bin/caprun -profile " + name + " -- /b\n"
		in := Input{Kind: Systemd, File: declared.File{Name: "app.service", Text: []byte(text)}, LaunchedProfile: func(name string) ([]byte, error) {
			switch name {
			case "missing":
				return nil, errors.New("/etc/caprun/missing.yaml: no such file or directory")
			case "wrong":
				return []byte("version: 1\nsecret: 1\n"), nil
			case "right":
				return []byte("version: 1\n"), nil
			}
			return nil, nil
		}}
		got := ""
		for _, r := range in.Check(review.Options{}) {
			for _, f := range r.Findings {
				if f.Rule == "launch-refused" {
					got += f.Message
				}
			}
		}
		if (got == "") != (want == "") || !strings.Contains(got, want) || strings.Contains(got, "secret") {
			t.Errorf("%s: %q", name, got)
		}
	}
}
