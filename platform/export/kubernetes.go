package export

import (
	"caprun/cap"
	"caprun/engine"
)

// Kubernetes returns the manifest of a pod. Its container starts a sealed launcher of the
// profile, because Kubernetes cannot give another user than root a capability; or the program
// if it has no capability. name is that of the container if the profile has none. The error
// is an [*Error].
func Kubernetes(p *engine.Plan, name string) (*Result, error) {
	if d, err := newDirect(p, name, "Kubernetes"); err != nil {
		return nil, err
	} else if d != nil {
		return d.kubernetes(), nil
	}
	r, err := newRecipe(p, name)
	if err != nil {
		return nil, err
	}
	var w yamlWriter
	w.head(r, "Kubernetes")
	w.pod(r.name)
	w.container(r.name)
	w.line(3, `command: ["/%s"]`, r.name)
	if args := r.command(); len(args) > 0 {
		w.line(3, "args: %s", list(args))
	}
	w.line(3, "securityContext:")
	w.comment(4, "runAsNonRoot: true would refuse the start as root. With another runAsUser the added capabilities would have no effect.")
	w.line(4, "runAsUser: 0")
	w.line(4, "runAsGroup: 0")
	w.line(4, "runAsNonRoot: false")
	r.escalation(&w)
	w.line(4, "capabilities:")
	w.line(5, "drop: [ALL]")
	r.capsComment(5, &w)
	w.line(5, "add: %s", r.added())
	r.Text = []byte(w.b.String())
	return &r.Result, nil
}

// pod writes the lines of a pod before its fields.
func (w *yamlWriter) pod(name string) {
	w.line(0, "apiVersion: v1")
	w.line(0, "kind: Pod")
	w.line(0, "metadata:")
	w.line(1, "name: %s", name)
	w.line(0, "spec:")
}

// container writes the lines of the only container before its other fields.
func (w *yamlWriter) container(name string) {
	w.line(1, "containers:")
	w.line(2, "- name: %s", name)
	w.line(3, "image: %s:latest", name)
}

// escalation writes allowPrivilegeEscalation, which is no_new_privs at the start.
func (r *recipe) escalation(w *yamlWriter) {
	switch {
	case !r.noNewPrivs:
		w.line(4, "allowPrivilegeEscalation: true # the profile does not declare no_new_privs")
	case r.launcher.Union(r.granted).Has(int(cap.SYS_ADMIN)):
		w.comment(4, "The launcher sets no_new_privs: Kubernetes refuses allowPrivilegeEscalation: false with SYS_ADMIN.")
	default:
		w.line(4, "allowPrivilegeEscalation: false # sets no_new_privs; the launcher works with it")
	}
}
