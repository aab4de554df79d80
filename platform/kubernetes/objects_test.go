package kubernetes

import (
	"fmt"
	"strings"
	"testing"

	"caprun/platform/declared"
	"caprun/policy"
)

// names returns the names of the processes of a file.
func names(r declared.Result) string {
	var list []string
	for _, p := range r.Processes {
		list = append(list, p.Name)
	}
	return strings.Join(list, " ")
}

// messages returns findings in one line.
func messages(found []policy.Diagnostic) string {
	var list []string
	for _, f := range found {
		s := fmt.Sprintf("%d:%d %s: %s", f.Line, f.Column, f.Rule, f.Message)
		if f.Hint != "" {
			s += " (" + f.Hint + ")"
		}
		list = append(list, s)
	}
	return strings.Join(list, "; ")
}

// TestItems: an object with items is a list for kubectl, whatever its kind.
func TestItems(t *testing.T) {
	const spec = "spec: {containers: [{name: c}]}"
	pod := "{kind: Pod, metadata: {name: p}, " + spec + "}"
	deep := func(levels int) string {
		return "kind: List\n" + strings.Repeat("items: [{kind: List, ", 1) + strings.Repeat("items: [{kind: List, ", levels-2) + "items: [" + pod + "]" + strings.Repeat("}]", levels-1)
	}
	for text, want := range map[string]string{
		"kind: Pod\nmetadata: {name: a}\n" + spec + "\nitems: [" + pod + "]":     "Pod/p/c Pod/a/c",
		"kind: Table\nitems: [" + pod + "]":                                      "Pod/p/c",
		"kind: ConfigMap\nitems: [" + pod + "]":                                  "Pod/p/c",
		"kind: Pod\nitems: [{metadata: {name: q}, " + spec + "}]":                "Pod/q/c",
		"kind: PodList\nitems: [{kind: '', metadata: {name: q}, " + spec + "}]":  "Pod/q/c",
		"kind: PodList\nitems: [{kind: Table, items: [" + pod + "]}]":            "Pod/p/c",
		"kind: PodList\nitems: [{items: [{metadata: {name: q}, " + spec + "}]}]": "Pod/q/c",
		deep(4): "Pod/p/c",
		"kind: Pod\nmetadata: {name: a, namespace: n}\n" + spec: "Pod/n/a/c",
	} {
		if got := names(read(text)); got != want {
			t.Errorf("%s: %s %v, want %s", text, got, read(text).Findings, want)
		}
	}
	if r := read(deep(5)); len(r.Processes) > 0 || !strings.Contains(messages(r.Findings), "platform-syntax: the file has lists on more than 4 levels (split the file)") || !policy.HasErrors(r.Findings) {
		t.Errorf("%s %v", names(r), r.Findings)
	}
}

// TestUnknownKind: containers of an object whose kind is not known are not passed over.
func TestUnknownKind(t *testing.T) {
	for _, test := range []struct {
		text, want string
	}{
		{"kind: Rollout\nspec: {template: {spec: {containers: [{name: a}]}}}", `2:26 kind-not-checked: the kind "Rollout" is unknown: its containers are not checked (review the pod that the cluster makes of it)`},
		{"kind: Workflow\nspec:\n  templates: [{name: a, container: {image: b}}]", "3:25 kind-not-checked"},
		{"kind: Task\nspec:\n  steps: [{image: b, script: c}]", "3:12 kind-not-checked"},
		{"kind: Task\nspec:\n  steps: [{image: b, securityContext: {privileged: true}}]", "3:22 kind-not-checked"},
		{"kind: Chart\nvalues: {privileged: 'true'}", "2:10 kind-not-checked"},
		{"kind: X\nspec: {podSpec: {hostPID: true}}", "2:8 kind-not-checked"},
		{"kind: X\nspec: {a: {capabilities: {add: [ALL]}}}", "2:12 kind-not-checked"},
		{"kind: Job\napiVersion: batch.volcano.sh/v1alpha1\nspec: {tasks: [{template: {spec: {containers: [{}]}}}]}", "3:35 kind-not-checked"},
		{"kind: Job\napiVersion: x.io/v1\nspec: {template: {spec: {}}, tasks: [{template: {spec: {containers: [{}]}}}]}", "3:57 kind-not-checked"},
		{"kind: Table\nitems: [{spec: {containers: [{name: a}]}}]", "2:17 kind-not-checked"},
		{"kind: ConfigMap\ndata: {privileged: 'false', securityContext: {}}", "1:1 no-process"},
		{"kind: X\nspec: {privileged: false, containers: [], securityContext: null, image: x}", "1:1 no-process"},
		{"kind: CustomResourceDefinition\napiVersion: apiextensions.k8s.io/v1\nspec: {properties: {securityContext: {type: object}}}", "1:1 no-process"},
		{"kind: PodSecurityPolicy\napiVersion: policy/v1beta1\nspec: {privileged: true}", "1:1 no-process"},
		{"kind: PodSecurityPolicy\napiVersion: x/v1\nspec: {privileged: true}", "3:8 kind-not-checked"},
	} {
		r := read(test.text)
		if got := messages(r.Findings); len(r.Processes) > 0 || len(r.Findings) != 1 || !strings.HasPrefix(got, test.want) {
			t.Errorf("%s:\n got %s\nwant %s", test.text, got, test.want)
		}
	}
}

// TestNumbers: a number is what kubectl takes it for, and one that other readers can take
// for another is an error.
func TestNumbers(t *testing.T) {
	for text, want := range map[string]uint32{"010": 8, "0o10": 8, "0x10": 16, "1_000": 1000, "+0": 0, "0b0": 0, "08": 8, "1e3": 1000, "0.0": 0} {
		p := one(t, "", "securityContext: {runAsUser: "+text+", runAsGroup: 5}")
		message := fmt.Sprintf("8:34 platform-syntax: runAsUser is not in plain decimal digits: Kubernetes reads %s as %d, and other readers can differ (write %d)", text, want, want)
		if got := messages(p.Findings); p.Profile.UID == nil || *p.Profile.UID != want || got != message || !policy.HasErrors(p.Findings) {
			t.Errorf("%s: %v, %s", text, p.Profile.UID, got)
		}
	}
	p := one(t, "securityContext: {runAsUser: !!int \"0\", fsGroup: 0x3, supplementalGroups: [010, !!int 5, '1', -1]}", "")
	want := "5:78 platform-syntax: supplementalGroups is not in plain decimal digits: Kubernetes reads 010 as 8, and other readers can differ (write 8); " +
		"5:92 refused-by-platform"
	if got := messages(p.Findings); p.Profile.UID == nil || *p.Profile.UID != 0 || fmt.Sprint(p.Profile.Groups) != "[8 5 3]" || !strings.HasPrefix(got, want) || !strings.Contains(got, "reads 0x3 as 3") {
		t.Errorf("%v %v %s", p.Profile.UID, p.Profile.Groups, got)
	}
	for _, text := range []string{"-1", "0.5", "2147483648", "'0'", "0x80000000"} {
		p := one(t, "", "securityContext: {runAsUser: "+text+", runAsGroup: 5}")
		if got := messages(p.Findings); p.Profile.UID != nil || !strings.HasPrefix(got, "8:34 refused-by-platform: Kubernetes refuses runAsUser") {
			t.Errorf("%s: %v, %s", text, p.Profile.UID, got)
		}
	}
}

// TestTags: a tag does not hide a value.
func TestTags(t *testing.T) {
	p := one(t, "", `securityContext: {runAsUser: 0, privileged: !!bool "true"}`)
	if len(p.Findings) > 0 || p.Sets.Bounding.Len() != 41 {
		t.Errorf("%v", p.Findings)
	}
	for _, tag := range []string{"!reset", "!override", "!", "!x", "!!binary"} {
		r := read("kind: Pod\nspec: {containers: [{securityContext: {privileged: " + tag + " \"true\"}}]}")
		if len(r.Processes) > 0 || len(r.Findings) != 1 || r.Findings[0].Rule != "platform-syntax" || r.Findings[0].Line != 2 || r.Findings[0].Column != 52 {
			t.Errorf("%s: %v", tag, r.Findings)
		}
	}
}

// TestNotations: JSON, flow style, indented keys and a byte order mark mean the same.
func TestNotations(t *testing.T) {
	for _, text := range []string{
		`{"apiVersion":"v1","kind":"Pod","metadata":{"name":"p"},"spec":{"containers":[{"name":"c"}]}}`,
		"\ufeff{\n\t\"kind\": \"Pod\", \"metadata\": {\"name\": \"p\"},\n\t\"spec\": {\"containers\": [{\"name\": \"c\"}]}\n}",
		"\ufeffkind: Pod\r\nmetadata: {name: p}\r\nspec: {containers: [{name: c}]}\r\n",
		"  kind: Pod\n  metadata: {name: p}\n  spec: {containers: [{name: c}]}\n",
		"# c\n---\n{kind: Pod, metadata: {name: p}, spec: {containers: [{name: c}]}}",
		"? kind\n: Pod\n? metadata\n: name: p\n? spec\n: containers: [{name: c}]",
		"%YAML 1.1\n---\nkind: Pod\nmetadata: {name: p}\nspec: {containers: [{name: c}]}\n...\n",
		"--- {kind: Pod, metadata: {name: p}, spec: {containers: [{name: c}]}}",
	} {
		if r := read(text); names(r) != "Pod/p/c" {
			t.Errorf("%q: %s %v", text, names(r), r.Findings)
		}
	}
}
