package kubernetes

import (
	"fmt"
	"slices"
	"strings"

	"caprun/platform/containers"
	"caprun/platform/declared"
	"caprun/platform/internal/tree"
	"caprun/policy"
)

// Read returns the containers of the pods in a manifest, YAML or JSON, as containerd starts
// them.
func Read(f declared.File) declared.Result { return ReadFor(f, containers.Containerd) }

// ReadFor is Read for another engine below the kubelet, such as CRI-O.
func ReadFor(f declared.File, engine containers.Engine) declared.Result {
	documents, found := tree.Read(f)
	if len(found) > 0 {
		return declared.Result{Findings: found}
	}
	m := manifest{engine: engine}
	for _, d := range documents {
		m.object(d, "", 0)
	}
	if len(m.processes) > declared.MaxProcesses {
		at := m.processes[declared.MaxProcesses].At
		return declared.Result{Findings: []policy.Diagnostic{declared.Syntax.Diagnostic(at, "split the file", fmt.Sprintf("the file has more than %d containers", declared.MaxProcesses))}}
	}
	if len(m.processes) == 0 && len(m.found) == 0 {
		m.found = append(m.found, declared.NoProcess.Diagnostic(start(f), "", "no container is declared"))
	}
	return declared.NewResult(m.processes, declared.Findings{List: m.found})
}

// start is the beginning of a file.
func start(f declared.File) declared.Source {
	return declared.Source{File: f.Name, Position: policy.Position{Line: 1, Column: 1, EndLine: 1, EndColumn: 1}}
}

type manifest struct {
	engine    containers.Engine
	processes []*declared.Process
	found     []policy.Diagnostic
}

// maxLists is the depth of lists in lists.
const maxLists = 4

// object reads an object of the API. An object with items is a list for kubectl, whatever
// its kind: it applies the items alone. Other programs apply the object. The kind of an
// item without one is inferred.
func (m *manifest) object(n *tree.Node, inferred string, depth int) {
	if n.Kind != tree.Mapping || len(m.processes) > declared.MaxProcesses {
		return
	}
	kind := n.Get("kind").Text()
	if kind == "" {
		kind = inferred
	}
	if items, ok := n.Entry("items"); ok && items.Value.Kind == tree.List {
		if depth == maxLists {
			m.found = append(m.found, declared.Syntax.Diagnostic(items.KeySource(), "split the file", fmt.Sprintf("the file has lists on more than %d levels", maxLists)))
			return
		}
		for _, item := range items.Value.Items {
			m.object(item, strings.TrimSuffix(kind, "List"), depth+1)
		}
	}
	m.workload(n, kind)
}

// workload reads an object of a kind, if it has a pod.
func (m *manifest) workload(n *tree.Node, kind string) {
	for _, w := range workloads {
		if w.kind != kind {
			continue
		}
		spec := n.Path(w.path...)
		if spec == nil || spec.Kind != tree.Mapping {
			if m.unknown(n, kind) || n.Get("items") != nil {
				return
			}
			m.found = append(m.found, declared.NoProcess.Diagnostic(n.Source(), "", fmt.Sprintf("the %s has no %s", kind, strings.Join(w.path, "."))))
			return
		}
		meta := n.Get("metadata")
		name := meta.Get("name").Text()
		if name == "" {
			name = meta.Get("generateName").Text()
		}
		template := n
		if len(w.path) > 1 {
			template = n.Path(w.path[:len(w.path)-1]...)
		}
		if namespace := meta.Get("namespace").Text(); namespace != "" {
			name = containers.Short(namespace) + "/" + containers.Short(name)
		} else {
			name = containers.Short(name)
		}
		m.pod(pod{
			manifest: m, spec: spec, name: kind + "/" + name,
		}, template.Path("metadata", "annotations"))
		if strings.Contains(group(n), ".") { // a custom resource, which can have more pods
			m.unknown(n, kind)
		}
		return
	}
	m.unknown(n, kind)
}

// pod is a spec of a pod.
type pod struct {
	*manifest
	spec  *tree.Node
	name  string
	found []finding // about the pod, for its first container

	profiles, paths map[string]tree.Entry // see index
}

// finding is about a pod.
type finding struct {
	rule    declared.Rule
	at      declared.Source
	hint    string
	message string
}

// addFinding records a finding about the pod.
func (p *pod) addFinding(rule declared.Rule, at declared.Source, hint, format string, args ...any) {
	p.found = append(p.found, finding{rule, at, hint, fmt.Sprintf(format, args...)})
}

// pod reads the containers of a pod.
func (m *manifest) pod(p pod, annotations *tree.Node) {
	p.index(annotations)
	context := p.spec.Get("securityContext")
	p.fields(p.spec, podFields[:], "a pod", containerContext[:], podContext[:])
	p.fields(context, podContext[:], "the securityContext of a pod", containerContext[:])
	before := len(m.processes)
	for _, list := range [...]string{"initContainers", "containers", "ephemeralContainers"} {
		for n, c := range p.spec.Get(list).List() {
			if c.Kind != tree.Mapping {
				p.addFinding(declared.Syntax, c.Source(), "", "an item of %s is not a mapping", list)
				continue
			}
			if len(m.processes) > declared.MaxProcesses {
				return
			}
			m.processes = append(m.processes, p.container(c, fmt.Sprintf("%s[%d]", list, n)))
		}
	}
	for _, f := range p.found {
		if before == len(m.processes) {
			m.found = append(m.found, f.rule.Diagnostic(f.at, f.hint, f.message))
			continue
		}
		m.processes[before].AddFinding(f.rule, f.at, f.hint, "%s", f.message)
	}
}

// fields reports fields that a cluster ignores: those of another level, and those that
// look like a field about privileges.
func (p *pod) fields(n *tree.Node, known []string, what string, elsewhere ...[]string) {
	if n == nil {
		return
	}
	for _, e := range n.Entries {
		p.field(p.addFinding, e, known, what, elsewhere...)
	}
}

// field is fields for one of them.
func (p *pod) field(find findFunc, e tree.Entry, known []string, what string, elsewhere ...[]string) {
	if slices.Contains(known, e.Key) {
		return
	}
	for _, other := range elsewhere {
		if slices.Contains(other, e.Key) {
			find(declared.Ignored, e.KeySource(), "move it into the securityContext of "+levelOf(e.Key), "Kubernetes ignores %s here: %s has no such field", e.Key, what)
			return
		}
	}
	meant := policy.Suggest(e.Key, known)
	if strings.HasSuffix(what, "ontext of a pod") || strings.HasSuffix(what, "ontext of a container") || isPrivilege(meant) {
		hint := ""
		if meant != "" {
			hint = "did you mean " + meant + "?"
		}
		find(declared.Ignored, e.KeySource(), hint, "Kubernetes ignores the unknown field %q: %s has no such field", containers.Short(e.Key), what)
	}
}

// levelOf returns where a field of a security context belongs.
func levelOf(field string) string {
	switch {
	case !slices.Contains(podContext[:], field):
		return "the container"
	case !slices.Contains(containerContext[:], field):
		return "the pod"
	}
	return "the pod or of the container"
}

// isPrivilege reports whether a field of a pod or a container is about privileges.
func isPrivilege(field string) bool {
	switch field {
	case "securityContext", "hostPID", "hostIPC", "hostNetwork", "hostUsers", "containers", "initContainers", "ephemeralContainers":
		return true
	}
	return false
}

// findFunc records a finding.
type findFunc func(rule declared.Rule, at declared.Source, hint, format string, args ...any)
