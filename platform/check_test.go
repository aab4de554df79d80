package platform

import (
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"caprun/engine"
	"caprun/engine/cred"
	"caprun/engine/review"
	"caprun/platform/declared"
	"caprun/policy"
)

func check(name, text string, dropIns ...declared.File) []review.Finding {
	in := Input{Kind: Detect(name, []byte(text)), File: declared.File{Name: name, Text: []byte(text)}, DropIns: dropIns}
	var found []review.Finding
	for _, r := range in.Check(review.Options{Today: time.Now()}) {
		found = append(found, r.Findings...)
	}
	return found
}

func text(found []review.Finding) string {
	var b strings.Builder
	for _, f := range found {
		b.WriteString(f.Diagnostic.String() + "\n")
	}
	return b.String()
}

// TestCheckDropIn: a finding about a drop-in has its name and position, in a report of its
// own.
func TestCheckDropIn(t *testing.T) {
	const unit = "[Service]\nExecStart=/srv/a\nUser=33\nGroup=33\nNoNewPrivileges=yes\nCapabilityBoundingSet=CAP_KILL CAP_SYS_ADMIN\n"
	in := Input{Kind: Systemd, File: declared.File{Name: "a.service", Text: []byte(unit)}, DropIns: []declared.File{
		{Name: "a.service.d/1.conf", Text: []byte("[Service]\nAmbientCapabilities=CAP_KILL\n")},
		{Name: "a.service.d/2.conf", Text: []byte("[Service]\n\nAmbientCapabilities=CAP_SYS_ADMIN\n")},
	}}
	reports := in.Check(review.Options{})
	if len(reports) != 2 || reports[1].File != "a.service.d/2.conf" || string(reports[1].Source) != string(in.DropIns[1].Text) {
		t.Fatalf("%+v", reports)
	}
	if f := reports[1].Findings; len(f) != 1 || f[0].Rule != "amounts-to-root" || f[0].Line != 3 {
		t.Errorf("%v", f)
	}
}

// TestCheckOthers: of the commands beside the main one, check reports what differs from it
// and what exceeds the ceiling.
func TestCheckOthers(t *testing.T) {
	const unit = "[Service]\nExecStartPre=+/srv/pre\nExecStart=/srv/a\nUser=33\nGroup=33\nNoNewPrivileges=yes\nCapabilityBoundingSet=\n"
	if got := text(check("a.service", unit)); strings.Count(got, "\n") != 1 || !strings.Contains(got, "a.service:2:14: warning: ") {
		t.Errorf("%s", got)
	}
	ceiling, found := policy.Parse("ceiling", []byte("version: 1\ncaps: \"=\"\nno_new_privs: true\n"))
	if ceiling == nil {
		t.Fatal(found)
	}
	plan, found := compile(ceiling)
	if plan == nil {
		t.Fatal(found)
	}
	in := Input{Kind: Systemd, File: declared.File{Name: "a.service", Text: []byte(unit)}}
	n := 0
	for _, r := range in.Check(review.Options{Ceiling: plan}) {
		for _, f := range r.Findings {
			if f.Rule == "above-ceiling" && f.Line == 2 {
				n++
			}
		}
	}
	if n == 0 {
		t.Error("no finding about the ceiling at ExecStartPre=")
	}
}

// TestCheckRoot: a service without User= is uid 0, so the rules about a declared uid 0 apply,
// with what to write in the file. For a user who is unknown they do not.
func TestCheckRoot(t *testing.T) {
	const start = "[Service]\nExecStart=/srv/app\nNoNewPrivileges=yes\n"
	for _, test := range []struct{ name, text, want, hint string }{
		{"a.service", start + "CapabilityBoundingSet=CAP_SETUID CAP_SETGID CAP_SETPCAP CAP_NET_BIND_SERVICE\n", "a.service:2:1: info: the target is uid 0 with cap_setuid and cap_setgid: ", "User="},
		{"a.service", start + "CapabilityBoundingSet=CAP_NET_BIND_SERVICE\n", "a.service:2:1: info: the target is uid 0 and owns root's files: ", "User="},
		{"a.service", start + "User=0\nCapabilityBoundingSet=CAP_NET_BIND_SERVICE\n", "a.service:4:1: info: the target is uid 0 and owns root's files: ", "User="},
		{"a.service", start + "User=33\nCapabilityBoundingSet=CAP_SETUID CAP_SETGID\n", "", ""},
		{"a.service", start + "User=%i\nCapabilityBoundingSet=CAP_SETUID CAP_SETGID\n", "", ""},
		{"compose.yaml", "services:\n  a:\n    image: a\n    user: \"0\"\n    cap_drop: [ALL]\n    cap_add: [SETUID, SETGID]\n    security_opt: [\"no-new-privileges:true\"]\n", "info: the target is uid 0 with cap_setuid and cap_setgid: ", "user"},
	} {
		var got []review.Finding
		for _, f := range check(test.name, test.text) {
			if f.Rule == "drops-by-itself" || f.Rule == "root-owns-files" {
				got = append(got, f)
			}
		}
		if list := text(got); len(got) != min(1, len(test.want)) || !strings.Contains(list, test.want) || len(got) > 0 && !strings.Contains(got[0].Hint, test.hint) {
			t.Errorf("%s\n%s%s, want %q", test.text, list, got, test.want)
		}
	}
}

// TestFailures: a file that is too large or has no kind is an error.
func TestFailures(t *testing.T) {
	for name, in := range map[string]Input{
		"large":   {Kind: Kubernetes, File: declared.File{Name: "a.yaml", Text: make([]byte, declared.MaxSize+1)}},
		"drop-in": {Kind: Systemd, File: declared.File{Name: "a.service", Text: []byte("[Service]\nExecStart=/a\n")}, DropIns: []declared.File{{Name: "x", Text: make([]byte, declared.MaxSize+1)}}},
		"kind":    {Kind: Profile, File: declared.File{Name: "a.yaml", Text: []byte("version: 1\n")}},
	} {
		documents, found := in.Documents()
		if len(documents) != 0 || !policy.HasErrors(found) {
			t.Errorf("%s: %d documents, %v", name, len(documents), found)
		}
	}
}

// TestNoProcess: a file that starts nothing is no mistake, but is reported.
func TestNoProcess(t *testing.T) {
	for name, text := range map[string]string{
		"a.service": "[Unit]\nSuccessAction=reboot\n", "b.service": "[Service]\nUser=33\n", "empty.service": "",
		"a.yaml": "apiVersion: v1\nkind: Service\n", "b.yaml": "services: {}\n", "config.json": `{"ociVersion": "1.0.2"}`,
	} {
		if got := check(name, text); len(got) != 1 || got[0].Rule != "no-process" || got[0].Severity != policy.Info {
			t.Errorf("%s: %v", name, got)
		}
	}
}

// TestEqualNames: processes with equal names get different ones.
func TestEqualNames(t *testing.T) {
	const pod = "apiVersion: v1\nkind: Pod\nmetadata: {name: a}\nspec: {containers: [{name: b, image: b}]}\n"
	in := Input{Kind: Kubernetes, File: declared.File{Name: "a.yaml", Text: []byte(pod + "---\n" + pod)}}
	documents, found := in.Documents()
	if len(documents) != 2 || documents[0].Name == documents[1].Name {
		t.Errorf("%d documents, %v", len(documents), found)
	}
}

// FuzzCheck: every file is checked without a panic, and every finding is in one of its
// files.
func FuzzCheck(f *testing.F) {
	for _, pattern := range []string{"systemd/testdata/public/*", "kubernetes/testdata/public/*", "compose/testdata/public/*", "cmdline/testdata/public/*"} {
		files, err := filepath.Glob(pattern)
		if err != nil {
			f.Fatal(err)
		}
		for n, file := range files {
			if text, err := os.ReadFile(file); err == nil && len(text) < 8<<10 {
				f.Add(uint8(n), text, []byte("[Service]\nAmbientCapabilities=CAP_KILL\n"))
			}
		}
	}
	f.Add(uint8(3), []byte(`{"ociVersion": "1.0.2", "process": {"args": ["/a"], "cwd": "/", "user": {"uid": 1, "gid": 1}}}`), []byte{})
	f.Fuzz(func(t *testing.T, kind uint8, text, dropIn []byte) {
		in := Input{
			Kind: Kinds()[int(kind)%len(Kinds())], File: declared.File{Name: "a.service", Text: text},
			DropIns: []declared.File{{Name: "a.service.d/x.conf", Text: dropIn}},
		}
		for _, r := range in.Check(review.Options{}) {
			lines := 1 + strings.Count(string(r.Source), "\n")
			for _, f := range r.Findings {
				if f.File != r.File || f.Line > lines || f.Message == "" || f.Rule == "" {
					t.Errorf("%+v in a file of %d lines", f, lines)
				}
			}
		}
	})
}

// compile compiles a profile for root and an ordinary program.
func compile(p *policy.Profile) (*engine.Plan, []policy.Diagnostic) {
	return engine.Compile(p, cred.Root(), engine.OrdinaryTarget())
}
