package kubernetes

import (
	"fmt"
	"strings"
	"testing"
	"time"

	"caprun/engine"
	"caprun/engine/cred"
	"caprun/internal/test/cputime"
	"caprun/platform/containers"
	"caprun/platform/declared"
	"caprun/platform/internal/golden"
	"caprun/policy"
)

func read(text string) declared.Result {
	return Read(declared.File{Name: "pod.yaml", Text: []byte(text)})
}

// one returns the process of a manifest with a single container, whose spec and container
// have more lines.
func one(t *testing.T, spec, container string) *declared.Process {
	t.Helper()
	indent := func(s, by string) string {
		if s == "" {
			return ""
		}
		return by + strings.ReplaceAll(s, "\n", "\n"+by) + "\n"
	}
	r := read("apiVersion: v1\nkind: Pod\nmetadata: {name: web}\nspec:\n" + indent(spec, "  ") + "  containers:\n  - name: main\n    image: x\n" + indent(container, "    "))
	if len(r.Processes) != 1 || len(r.Findings) > 0 {
		t.Fatalf("%d processes, %v", len(r.Processes), r.Findings)
	}
	return r.Processes[0]
}

// plan compiles the profile of a process.
func plan(t *testing.T, p *declared.Process) *engine.Plan {
	t.Helper()
	d, err := p.Document()
	if err != nil {
		t.Fatal(err)
	}
	profile, found := policy.Parse("p", d.Text)
	if profile == nil {
		t.Fatalf("%v\n%s", found, d.Text)
	}
	plan, found := engine.Compile(profile, cred.Root(), engine.OrdinaryTarget())
	if plan == nil {
		t.Fatalf("%v\n%s", found, d.Text)
	}
	return plan
}

// TestDocument: the profile names the line of each declaration.
func TestDocument(t *testing.T) {
	p := one(t, "securityContext: {runAsUser: 1000, supplementalGroups: [5, 6]}", `securityContext:
  runAsUser: 0
  runAsGroup: 3
  allowPrivilegeEscalation: false
  capabilities: {drop: [ALL], add: [NET_BIND_SERVICE]}
command: [/bin/web, -p, "80"]
workingDir: /srv
env:
- {name: MODE, value: "1"}
- {name: TOKEN, valueFrom: {secretKeyRef: {name: s, key: k}}}`)
	d, err := p.Document()
	if err != nil {
		t.Fatal(err)
	}
	want := `version: 1
name: Pod-web-main
# pod.yaml:14: command: [/bin/web, -p, 80]
command: [/bin/web, "-p", "80"]
# pod.yaml:10: runAsUser: 0
uid: 0
# pod.yaml:11: runAsGroup: 3
gid: 3
# pod.yaml:5: 5
# pod.yaml:5: 6
groups: [5, 6]
# pod.yaml:13: add: NET_BIND_SERVICE
# pod.yaml:13: drop: ALL
caps: cap_net_bind_service=ep
# pod.yaml:12: allowPrivilegeEscalation: false
no_new_privs: true
# pod.yaml:15: workingDir: /srv
cwd: /srv
env:
  keep: []
  set:
    # pod.yaml:17: MODE=1
    MODE: "1"
`
	if got := string(d.Text); got != want {
		t.Errorf("%s", got)
	}
	if len(p.Losses) != 1 || p.Losses[0].What != "the variable TOKEN has a value of the cluster: secretKeyRef" || p.Losses[0].At.Line != 18 {
		t.Errorf("%+v", p.Losses)
	}
}

// TestFindings: what a cluster ignores or refuses is found at its position.
func TestFindings(t *testing.T) {
	context := func(s string) string { return "securityContext: {" + s + "}" }
	for _, test := range []struct{ spec, container, want string }{
		{"", context("runAsUser: 0"), ""},
		{"", context("runAsUser: 7, runAsGroup: 7"), ""},
		{"", context("runAsUser: 7"), ""},
		{"", "", "6:11 identity-not-declared: the image decides the user: if it is uid 0, the process has 14 capabilities"},
		{"", context("runAsNonRoot: true"), ""},
		{"", context("runAsNonRoot: false, privileged: true"), "6:11 identity-not-declared: the image decides the user: if it is uid 0, the process has every capability (declare runAsUser and runAsGroup, or runAsNonRoot: true)"},
		{"", context("runAsUser: 0, runAsNonRoot: true"), "8:34 refused-by-platform: the kubelet refuses uid 0: runAsNonRoot is true"},
		{context("runAsNonRoot: true"), context("runAsUser: 0"), "9:34 refused-by-platform: the kubelet refuses uid 0: runAsNonRoot is true"},
		{context("runAsNonRoot: true"), context("runAsUser: 0, runAsNonRoot: false"), ""},
		{"", context("runAsUser: \"0\""), "8:34 refused-by-platform: Kubernetes refuses runAsUser: the value is not a number from 0 to 2147483647; 6:11 identity-not-declared: the image decides the user: if it is uid 0, the process has 14 capabilities"},
		{"", context("runAsUser: 0, privilegd: true"), `8:37 declaration-ignored: Kubernetes ignores the unknown field "privilegd": the securityContext of a container has no such field (did you mean privileged?)`},
		{"", context("runAsUser: 0, fsGroup: 5"), "8:37 declaration-ignored: Kubernetes ignores fsGroup here: the securityContext of a container has no such field (move it into the securityContext of the pod)"},
		{context("capabilities: {drop: [ALL]}, runAsUser: 0"), "", "5:21 declaration-ignored: Kubernetes ignores capabilities here: the securityContext of a pod has no such field (move it into the securityContext of the container)"},
		{"", "privileged: true\n" + context("runAsUser: 0"), "8:5 declaration-ignored: Kubernetes ignores privileged here: a container has no such field (move it into the securityContext of the container)"},
		{"hostPid: true", context("runAsUser: 0"), `5:3 declaration-ignored: Kubernetes ignores the unknown field "hostPid": a pod has no such field (did you mean hostPID?)`},
		{"", "securitycontext: {runAsUser: 0}\n" + context("runAsUser: 0"), `8:5 declaration-ignored: Kubernetes ignores the unknown field "securitycontext": a container has no such field (did you mean securityContext?)`},
		{"", context("runAsUser: 0, capabilities: {add: [CAP_NET_ADMIN]}"), `8:58 ignored-capability: containerd adds nothing for "CAP_NET_ADMIN": names have no prefix CAP_ here (write NET_ADMIN)`},
		{"", context("runAsUser: 0, capabilities: {drp: [ALL]}"), `8:52 declaration-ignored: Kubernetes ignores the unknown field "drp": the securityContext of a container has no such field (did you mean drop?)`},
		{"", context("runAsUser: 7, runAsGroup: 7, capabilities: {add: [NET_ADMIN]}"), `8:73 capability-not-granted: the process does not get "NET_ADMIN": containerd adds it only to the bounding set for a user other than root (start the container as root, with a sealed launcher as its entrypoint, or add the capability to the program's file)`},
		{"", context("runAsNonRoot: true, capabilities: {add: [NET_ADMIN]}"), `8:64 capability-not-granted: the process does not get "NET_ADMIN": containerd adds it only to the bounding set for a user other than root`},
		{"", context("runAsUser: 0, privileged: true, allowPrivilegeEscalation: false"), "8:81 refused-by-platform: Kubernetes refuses allowPrivilegeEscalation: false with privileged: true"},
		{"", context("runAsUser: 0, capabilities: {add: [SYS_ADMIN]}, allowPrivilegeEscalation: false"), ""},
		{"", context("runAsUser: 0, privileged: \"true\""), "8:49 refused-by-platform: Kubernetes refuses privileged: the value is not a boolean"},
		{"", context("runAsUser: 0") + "\nenv: [{name: A, value: 5}]", "9:28 refused-by-platform: Kubernetes refuses the value of the variable A: it is not a text"},
	} {
		p := one(t, test.spec, test.container)
		var got []string
		for _, f := range p.Findings {
			s := fmt.Sprintf("%d:%d %s: %s", f.Line, f.Column, f.Rule, f.Message)
			if f.Hint != "" && strings.HasSuffix(test.want, ")") {
				s += " (" + f.Hint + ")"
			}
			got = append(got, s)
		}
		if s := strings.Join(got, "; "); s != test.want {
			t.Errorf("%s | %s:\n got %s\nwant %s", test.spec, test.container, s, test.want)
		}
		if _, err := p.Document(); err != nil {
			t.Errorf("%s | %s: %v", test.spec, test.container, err)
		}
	}
}

// TestNotRoot: an unknown user who is not root is a loss.
func TestNotRoot(t *testing.T) {
	p := one(t, "", "securityContext: {runAsNonRoot: true}")
	if len(p.Losses) != 1 || p.Losses[0].What != "runAsNonRoot: true: the image decides the user, which is not root" || !p.Sets.UnknownUID || !p.Sets.NotRoot {
		t.Errorf("%v %+v", p.Losses, p.Sets)
	}
	if p := one(t, "", ""); len(p.Losses) != 0 || !p.Sets.UnknownUID || p.Sets.NotRoot {
		t.Errorf("%v %+v", p.Losses, p.Sets)
	}
	if p := one(t, "", "securityContext: {runAsUser: 7}"); len(p.Losses) != 1 || p.Losses[0].What != "the group is 0, unless /etc/passwd of the image has an entry for 7" {
		t.Errorf("%v", p.Losses)
	}
}

// TestExpand: references to declared variables have their values; what only looks like one
// is unchanged.
func TestExpand(t *testing.T) {
	p := one(t, "", `env:
- {name: A, value: x}
- {name: B, value: $(A)-$$(A)-$(C)}
- {name: B2, value: $(A)-$$(A)-$(a b)-$(A-$}
- {name: D, valueFrom: {fieldRef: {fieldPath: x}}}
command: [sh, -c, "$(A) $(curl -s x) $$ $(B2)"]`)
	d, err := p.Document()
	if err != nil {
		t.Fatal(err)
	}
	if got := string(d.Text); !strings.Contains(got, `command: [sh, "-c", "x $(curl -s x) $ x-$(A)-$(a b)-$(A-$"]`) || strings.Contains(got, "B: ") {
		t.Error(got)
	}
	if p := one(t, "", "env: [{name: D, valueFrom: {fieldRef: {fieldPath: x}}}]\ncommand: [a, $(D)]"); p.Profile.Command != nil {
		t.Error(p.Profile.Command)
	}
}

// TestSets: what the process has at its first instruction.
func TestSets(t *testing.T) {
	for _, test := range []struct {
		context             string
		permitted, bounding int
		nnp                 bool
	}{
		{"runAsUser: 0", 14, 14, false},
		{"runAsUser: 0, capabilities: {drop: [all]}", 0, 0, false},
		{"runAsUser: 0, privileged: true", 41, 41, false},
		{"runAsUser: 1, capabilities: {add: [NET_ADMIN]}", 0, 15, false},
		{"runAsUser: 0, capabilities: {add: [ALL], drop: [SYS_ADMIN]}", 40, 40, false},
		{"runAsUser: 0, capabilities: {add: [SYS_ADMIN]}, allowPrivilegeEscalation: false", 15, 15, true},
	} {
		got := plan(t, one(t, "", "securityContext: {"+test.context+"}")).AfterExec
		if got.Permitted.Len() != test.permitted || got.Bounding.Len() != test.bounding || got.NoNewPrivs != test.nnp || got.Ambient|got.Inheritable != 0 {
			t.Errorf("%s: %v", test.context, got)
		}
	}
}

// TestLosses: what a profile cannot say.
func TestLosses(t *testing.T) {
	p := one(t, `hostPID: true
hostNetwork: true
hostUsers: false
securityContext:
  fsGroup: 9
  sysctls: [{name: net.a, value: "1"}]
  seccompProfile: {type: RuntimeDefault}
volumes:
- {name: sock, hostPath: {path: /run/containerd}}
- {name: other, hostPath: {path: /}}`, `securityContext:
  runAsUser: 0
  readOnlyRootFilesystem: true
  procMount: Unmasked
  seccompProfile: {type: Unconfined}
args: [a]
volumeMounts:
- {name: sock, mountPath: /x, readOnly: true}
lifecycle: {preStop: {exec: {command: [x]}}}
envFrom: [{secretRef: {name: s}}]`)
	var got []string
	for _, l := range p.Losses {
		got = append(got, fmt.Sprintf("%d %s", l.At.Line, l.What))
	}
	want := `9 fsGroup gives volumes the group 9
27 envFrom adds variables of the cluster
23 args are passed to the program of the image
5 the processes share the PID namespace of the node
6 the processes share the network of the node
7 the container has a user namespace: its IDs are others on the node, and its capabilities apply to the namespace
10 the pod sets net.a=1
22 the seccomp filter is Unconfined
20 the root file system is read-only
21 /proc has no masked and read-only paths
13 /run/containerd of the node is mounted in the container, read-only
26 preStop runs another command with the same privileges`
	if strings.Join(got, "\n") != want {
		t.Errorf("%s", strings.Join(got, "\n"))
	}
}

// TestKinds: each workload has its containers, in lists, in documents and in JSON.
func TestKinds(t *testing.T) {
	text := ""
	for _, w := range workloads {
		text += "---\nkind: " + w.kind + "\nmetadata: {generateName: x-}\n"
		indent := ""
		for _, key := range w.path {
			text += indent + key + ":\n"
			indent += "  "
		}
		text += indent + "containers: [{name: c}]\n" + indent + "initContainers: [{name: i}, {}]\n" + indent + "ephemeralContainers: [{name: e}]\n"
	}
	text += `---
{"kind": "List", "items": [{"kind": "Pod", "metadata": {"name": "p"}, "spec": {"containers": [{"name": "j"}]}}, {"kind": "Service"}]}
---
{"kind": "PodList",
	"items": [{"metadata": {"name": "q"}, "spec": {"containers": [{"name": "k"}]}}]}
---
kind: ConfigMap
`
	r := read(text)
	var names []string
	for _, p := range r.Processes {
		names = append(names, p.Name)
	}
	if len(r.Findings) > 0 || len(names) != 4*len(workloads)+2 {
		t.Fatalf("%v %v", names, r.Findings)
	}
	for n, want := range map[int]string{0: "Pod/x-/i", 1: "Pod/x-/initContainers[1]", 2: "Pod/x-/c", 3: "Pod/x-/e", 28: "CronJob/x-/i", 36: "Pod/p/j", 37: "Pod/q/k"} {
		if names[n] != want {
			t.Errorf("%d: %s, want %s", n, names[n], want)
		}
	}
}

// TestRefused: a file without containers, or with too many, has no processes.
func TestRefused(t *testing.T) {
	many := "kind: Pod\nmetadata: {name: a}\nspec:\n  containers:\n" + strings.Repeat("  - {name: a}\n", declared.MaxProcesses+1)
	for text, want := range map[string]string{
		"kind: Service": "no container is declared",
		"":              "no container is declared",
		"- a":           "no container is declared",
		"kind: Rollout\nspec: {template: {spec: {containers: [{name: a}]}}}": `the kind "Rollout" is unknown: its containers are not checked`,
		"kind: Pod":                       "the Pod has no spec",
		"kind: CronJob":                   "the CronJob has no spec.jobTemplate.spec.template.spec",
		"spec: {containers: [{name: a}]}": "the object has no kind",
		"kind: Pod\nkind: Pod":            `the key "kind" is on line 1, too`,
		many:                              "the file has more than 1024 containers",
	} {
		r := read(text)
		nothing := strings.HasPrefix(want, "no container") || strings.HasPrefix(want, "the kind") || strings.Contains(want, "has no spec")
		if len(r.Processes) > 0 || len(r.Findings) != 1 || r.Findings[0].Message != want || (r.Findings[0].Severity == policy.Error) == nothing {
			t.Errorf("%.30q: %v", text, r.Findings)
		}
	}
}

// TestEngine: CRI-O has another default set, and accepts the prefix.
func TestEngine(t *testing.T) {
	text := "kind: Pod\nmetadata: {name: a}\nspec: {containers: [{name: c, securityContext: {runAsUser: 0, capabilities: {add: [CAP_NET_ADMIN]}}}]}"
	r := ReadFor(declared.File{Name: "f", Text: []byte(text)}, containers.CRIO)
	if got := plan(t, r.Processes[0]).AfterExec.Permitted.Len(); got != 10 || len(r.Processes[0].Findings) > 0 {
		t.Errorf("%d, %v", got, r.Processes[0].Findings)
	}
}

// TestHostile: what a pod declares once for many containers does not multiply the work.
func TestHostile(t *testing.T) {
	pod := func(spec, container string, n int) string {
		n = min(n, 200)
		return "kind: Pod\nmetadata: {name: a}\nspec:\n" + spec + "  containers:\n" + strings.Repeat("  - {name: a"+container+"}\n", n)
	}
	for name, text := range map[string]string{
		"groups":      pod("  securityContext: {supplementalGroups: ["+strings.Repeat("1,", 200000)+"]}\n", "", 1000),
		"many groups": pod("  securityContext: {runAsUser: 1, supplementalGroups: ["+manyNumbers(5000)+"]}\n", "", 1000),
		"volumes":     pod("  volumes: ["+strings.Repeat("{name: a},", 40000)+"]\n", ", volumeMounts: ["+strings.Repeat("{name: a},", 40)+"]", 1000),
		"sysctls":     pod("  securityContext: {sysctls: ["+strings.Repeat("{name: a},", 80000)+"]}\n", "", 1000),
		"env":         pod("", ", env: ["+strings.Repeat("{name: A, value: \"'\"},", 20000)+"]", 1),
		"add":         pod("", ", securityContext: {capabilities: {add: ["+strings.Repeat("x,", 100000)+"]}}", 1),
		"aliases":     "x: &x [" + strings.Repeat("{name: A, value: b},", 1000) + "]\n---\n" + pod("  y: &y ["+strings.Repeat("{name: A, value: b},", 1000)+"]\n", ", env: *y", 50),
		"modeline":    "kind: Pod\nmetadata: {name: \"vim:set x:\"}\nspec: {containers: [{name: \"a ::error::\", env: [{name: A, value: \"$schema ex: -*-\"}]}]}",
		"environment": pod("", ", env: ["+strings.Repeat("{name: A, value: "+strings.Repeat("a", 1000)+"},", 700)+"]", 1),
	} {
		begin := cputime.Used(t)
		r := read(text)
		for n, p := range r.Processes {
			if n > 20 {
				break
			}
			if _, err := p.Document(); err != nil {
				t.Errorf("%s: %v", name, err)
			}
		}
		if took := cputime.Used(t) - begin; took > 5*time.Second {
			t.Errorf("%s: took %v", name, took)
		}
		if len(r.Processes) == 0 && name != "sysctls" && name != "volumes" && !golden.IsIncomplete(r) {
			t.Errorf("%s: %v", name, r.Findings)
		}
	}
}

func manyNumbers(n int) string {
	var b strings.Builder
	for i := range n {
		fmt.Fprintf(&b, "%d,", i)
	}
	return b.String()
}

// FuzzRead: Read never panics; each process has a document, and each finding a position in
// the file.
func FuzzRead(f *testing.F) {
	for _, text := range golden.Files(f, ".yaml") {
		f.Add(text)
	}
	f.Add([]byte("kind: Pod\nmetadata: {name: a}\nspec:\n  hostPID: true\n  securityContext: {runAsUser: 1, fsGroup: 2, supplementalGroups: [3]}\n  containers:\n  - name: c\n    command: [a, b]\n    env: [{name: A, value: b}]\n    securityContext: {capabilities: {add: [NET_ADMIN], drop: [ALL]}, privileged: true}\n"))
	f.Add([]byte(`{"kind": "List", "items": [{"kind": "CronJob", "spec": {"jobTemplate": {"spec": {"template": {"spec": {"containers": [{"workingDir": "/"}]}}}}}}]}`))
	f.Add([]byte("x: &x {runAsUser: 0}\nkind: Pod\nspec: {containers: [{securityContext: *x, args: [a], volumeMounts: [{name: v}]}], volumes: [{name: v, hostPath: {path: /}}]}"))
	f.Add([]byte("kind: Pod\nmetadata: {namespace: n}\nitems: [{kind: X, items: [{spec: {containers: [{}]}}]}, {kind: Task, steps: [{image: a, args: [b]}]}]\nspec: {containers: [{securityContext: {runAsUser: 010, runAsGroup: !!int '1_0', privileged: !!bool \"on\"}}]}"))
	f.Fuzz(func(t *testing.T, text []byte) {
		begin := cputime.Used(t)
		r := Read(declared.File{Name: "f", Text: text})
		lines := strings.Count(string(text), "\n") + 1
		check := func(list []policy.Diagnostic) {
			for _, d := range list {
				if d.Line < 1 || d.Line > lines || d.File != "f" || d.Rule == "" {
					t.Fatalf("%+v", d)
				}
			}
		}
		check(r.Findings)
		if has := len(r.Processes) > 0; has && policy.HasErrors(r.Findings) || !has && len(r.Findings) == 0 {
			t.Fatalf("%d processes, %v", len(r.Processes), r.Findings)
		}
		for _, p := range r.Processes {
			check(p.Findings)
			golden.CheckIdentity(t, p, p.Findings)
			if _, err := p.Document(); err != nil {
				t.Fatalf("%s: %v", p.Name, err)
			}
		}
		if took := cputime.Used(t) - begin; took > 5*time.Second {
			t.Errorf("took %v", took)
		}
	})
}
