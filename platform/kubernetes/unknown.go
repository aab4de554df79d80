package kubernetes

import (
	"fmt"
	"slices"
	"strings"

	"caprun/platform/containers"
	"caprun/platform/declared"
	"caprun/platform/internal/tree"
)

// unknown reports an object with containers whose kind is not known, or which has no pod
// where its kind has one. ok is false if it has no containers.
func (m *manifest) unknown(n *tree.Node, kind string) (ok bool) {
	if startsNothing(n, kind) {
		return false
	}
	e, ok := podField(n, true)
	switch {
	case !ok:
		return false
	case kind == "":
		m.found = append(m.found, declared.Syntax.Diagnostic(n.Source(), "add apiVersion and kind", "the object has no kind"))
	default:
		m.found = append(m.found, declared.UnknownKind.Diagnostic(e.KeySource(), "review the pod that the cluster makes of it",
			fmt.Sprintf("the kind %q is unknown: its containers are not checked", containers.Short(kind))))
	}
	return true
}

// startsNothing reports whether an object only describes fields of a pod: a schema, or what
// a cluster admits.
func startsNothing(n *tree.Node, kind string) bool {
	switch kind {
	case "CustomResourceDefinition":
		return group(n) == "apiextensions.k8s.io"
	case "PodSecurityPolicy":
		return group(n) == "policy"
	case "SecurityContextConstraints":
		return group(n) == "security.openshift.io"
	}
	return false
}

// group returns the group of an object, such as "apps", or "v1" for the core group.
func group(n *tree.Node) string {
	name, _, _ := strings.Cut(n.Get("apiVersion").Text(), "/")
	return name
}

// podField returns the first field below n that a pod or a container has. The package tree
// bounds the number of nodes. The items of a list are objects of their own.
func podField(n *tree.Node, top bool) (e tree.Entry, ok bool) {
	for _, item := range n.Items {
		if e, ok := podField(item, false); ok {
			return e, true
		}
	}
	for _, e := range n.Entries {
		if top && e.Key == "items" && e.Value.Kind == tree.List {
			continue
		}
		if isPodField(n, e) {
			return e, true
		}
		if e, ok := podField(e.Value, false); ok {
			return e, true
		}
	}
	return tree.Entry{}, false
}

// isPodField reports whether an entry of a mapping is a field of a pod or a container that
// has a value.
func isPodField(n *tree.Node, e tree.Entry) bool {
	v := e.Value
	switch e.Key {
	case "containers", "initContainers", "ephemeralContainers":
		return v.Kind != tree.Scalar && len(v.Items)+len(v.Entries) > 0
	case "securityContext", "podSecurityContext", "containerSecurityContext", "podSpec", "podTemplate", "podTemplateSpec", "container":
		return v.Kind == tree.Mapping && len(v.Entries) > 0
	case "privileged", "allowPrivilegeEscalation", "hostPID", "hostNetwork", "hostIPC":
		off, boolean := v.Bool()
		return v.IsText() && v.Value != "" && (off || !boolean) && !strings.EqualFold(v.Value, "false")
	case "runAsUser":
		return v.IsText()
	case "capabilities":
		return v.Get("add") != nil
	case "image":
		return v.IsText() && slices.ContainsFunc([]string{"command", "args", "script"}, func(key string) bool { return n.Get(key) != nil })
	}
	return false
}
