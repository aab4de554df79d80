package platform

import (
	"os"
	"path/filepath"
	"strings"
	"testing"

	"caprun/policy"
)

func TestDetect(t *testing.T) {
	for _, test := range []struct {
		name, text string
		want       Kind
	}{
		{"web.service", "", Systemd},
		{"dir/web@1.service", "version: 1\n", Systemd},
		{`dir\web.service`, "", Systemd},
		{".service", "version: 1\n", Profile},
		{"<stdin>", "# a unit\n[Unit]\n[Service]\nExecStart=/bin/true\n", Systemd},
		{"a.yaml", "version: 1\n", Profile},
		{"a.yaml", "", Profile},
		{"a.yaml", "apiVersion: v1\nkind: Pod\n", Kubernetes},
		{"a.yaml", "---\n\"kind\": Pod\n'apiVersion' : v1\n", Kubernetes},
		{"a.yaml", "kind: Pod\n", Profile},
		{"a.yaml", "a:\n  services: {}\n", Profile},
		{"a.yaml", "a:\n  apiVersion: v1\n  kind: Pod\n", Profile},
		{"a.yaml", "services:\n  web: {}\n", Compose},
		{"a.yaml", "version: \"3\"\nservices:\n", Compose},
		{"a.yaml", "\ufeffservices: {}\n", Compose},
		{"a.yaml", "# x\n---\n  apiVersion: v1\n  kind: Pod\n", Kubernetes},
		{"a.yaml", "{apiVersion: v1, kind: Pod}\n", Kubernetes},
		{"a.json", `{"services": {}}`, Compose},
		{"config.json", `{"ociVersion": "1.0.2"}`, OCI},
		{"pod.json", "\n{\"apiVersion\": \"v1\", \"kind\": \"Pod\"}", Kubernetes},
		{"a.json", "{}", Profile},
		{"a.sh", "setpriv --reuid 33 /bin/true\n", Profile},
		{"a.yaml", strings.Repeat("x", 1<<20) + ":\n", Profile},
	} {
		if got := Detect(test.name, []byte(test.text)); got != test.want {
			t.Errorf("%s %.40q: %v, want %v", test.name, test.text, got, test.want)
		}
	}
}

// TestProfilesFirst: a text that is a profile is never taken for another file, whatever
// its lines resemble.
func TestProfilesFirst(t *testing.T) {
	for _, text := range []string{
		"version: 1\ndescription: \"a\nkind: x\napiVersion: y\nservices: z\n[Service]\n\"\n",
		"version: 1\ndescription: |\n  apiVersion: v1\n  kind: Pod\n",
		"version: 1\ndescription: a\n# [Service]\n",
		"{version: 1, description: '\"ociVersion\"'}\n",
		"{version: 1, description: '\"apiVersion\" \"kind\"'}\n",
	} {
		p, _ := policy.Read("p", []byte(text))
		if got := Detect("a.yaml", []byte(text)); (p != nil) != (got == Profile) {
			t.Errorf("%q: profile %v, kind %v", text, p != nil, got)
		}
	}
}

// TestRealProfiles: no profile of the project is taken for another file.
func TestRealProfiles(t *testing.T) {
	n := 0
	for _, pattern := range []string{"../profiles/*.yaml", "../policy/testdata/real/*.yaml", "../policy/testdata/*.yaml"} {
		files, err := filepath.Glob(pattern)
		if err != nil {
			t.Fatal(err)
		}
		for _, file := range files {
			text, err := os.ReadFile(file)
			if err != nil {
				t.Fatal(err)
			}
			if p, _ := policy.Read(file, text); p != nil {
				n++
				if got := Detect(file, text); got != Profile {
					t.Errorf("%s: %v", file, got)
				}
			}
		}
	}
	if n < 10 {
		t.Errorf("%d profiles", n)
	}
}
