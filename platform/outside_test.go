package platform

import (
	"testing"

	"caprun/platform/declared"
)

func outside(t *testing.T, name, text string) []Outside {
	t.Helper()
	in := Input{Kind: Detect(name, []byte(text)), File: declared.File{Name: name, Text: []byte(text)}}
	documents, findings := in.Documents()
	if len(documents) == 0 {
		t.Fatalf("%s: %v", text, findings)
	}
	return in.Outside(documents[0], findings)
}

// TestOutside: the declarations of two files differ if what a profile cannot express
// differs, in a message or anywhere below its key, and not if only comments or space do.
func TestOutside(t *testing.T) {
	const unit = "[Service]\nExecStart=/a\nUser=33\nGroup=33\n"
	const pod = "apiVersion: v1\nkind: Pod\nspec:\n  securityContext: {runAsUser: 33, runAsGroup: 33}\n  containers:\n  - name: a\n    image: a\n    volumeMounts: [{name: v, mountPath: /v}]\n    securityContext: {allowPrivilegeEscalation: false, capabilities: {drop: [ALL]}}\n"
	const oci = `{"ociVersion": "1.0.2", "process": {"args": ["/a"], "cwd": "/", "user": {"uid": 1, "gid": 1}}, "linux": {"seccomp": `
	for _, test := range []struct {
		name, a, b string
		same       bool
	}{
		{"a.service", unit + "BindPaths=/x\n", unit + "BindPaths=/y\n", false},
		{"a.service", unit + "BindPaths=/x \\\n  /y\n", unit + "BindPaths=/x \\\n  /z\n", false},
		{"a.service", unit + "BindPaths=/x \\\n# c\n  ; d\n  /y\n", unit + "BindPaths=/x \\\n# c\n  ; d\n  /z\n", false},
		{"a.service", unit + "BindPaths=/x\n", unit + "# a\n\nBindPaths=/x  \nRestart=no\n", true},
		{"a.yaml", pod + "  volumes:\n  - name: v\n    hostPath: {path: /a}\n", pod + "  volumes:\n  - name: v\n    hostPath: {path: /b}\n", false},
		{"a.yaml", pod + "    lifecycle:\n      postStart:\n        exec:\n          command:\n          - a\n", pod + "    lifecycle:\n      postStart:\n        exec:\n          command:\n          - b\n", false},
		{"a.yaml", pod + "  volumes: [{name: v, emptyDir: {}}]\n  hostPID: true\n", pod + "  volumes: [{name: v, emptyDir: {}}]\n  hostPID: true # b\n  restartPolicy: Never\n", true},
		{"c.yaml", "services:\n  a: {image: a, user: \"33:33\", devices: [\"/dev/a:/dev/a:r\"]}\n", "services:\n  a: {image: a, user: \"33:33\", devices: [\"/dev/a:/dev/a:rw\"]}\n", false},
		{"config.json", oci + `{"defaultAction": "SCMP_ACT_ERRNO"}}}`, oci + `{"defaultAction": "SCMP_ACT_ALLOW"}}}`, false},
		{"config.json", oci + "{\n\"defaultAction\":\n\"SCMP_ACT_ERRNO\"\n}}}", oci + "{\n\"defaultAction\":\n\"SCMP_ACT_ALLOW\"\n}}}", false},
	} {
		a, b := outside(t, test.name, test.a), outside(t, test.name, test.b)
		same := len(a) == len(b)
		for n := range min(len(a), len(b)) {
			same = same && a[n] == b[n]
		}
		if same != test.same || len(a) == 0 {
			t.Errorf("same %v, want %v:\n%q\n%q", same, test.same, a, b)
		}
	}
}

// TestNormal: comments and empty lines are no change, anything else is one.
func TestNormal(t *testing.T) {
	normal := func(text string) string {
		return Input{Kind: Systemd, File: declared.File{Name: "a.service", Text: []byte(text)}}.Normal()
	}
	const text = "[Service]\nExecStart=/a\n"
	if normal(text) != normal("# b\n\n[Service]  \r\n; c\nExecStart=/a") || normal(text) == normal(text+"Restart=no\n") {
		t.Error("unexpected result")
	}
}
