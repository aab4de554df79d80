package export

import (
	"bytes"
	"encoding/json"
	"fmt"
	"slices"
	"strings"

	"caprun/cap"
	"caprun/engine"
	"caprun/engine/cred"
	"caprun/internal/profiletext"
	"caprun/policy"
)

// recipe is how a container starts a sealed launcher: as root, with these capabilities and
// no others.
type recipe struct {
	writer

	name     string    // of the container and of the launcher
	launcher cred.Caps // that the launcher needs and the program does not have
	granted  cred.Caps // that the program has

	// noNewPrivs reports that the container can start with no_new_privs.
	noNewPrivs bool
}

// newRecipe finds the least capabilities with which the launcher of the profile starts the
// program in the state of the plan.
func newRecipe(p *engine.Plan, name string) (*recipe, error) {
	r := &recipe{writer: writer{Plan: p}}
	r.name = containerName(r.writer.name(name))
	held := p.AfterExec.Inheritable.Union(p.AfterExec.Ambient)
	if p.Profile.Caps != nil {
		held = held.Union(p.AfterExec.Permitted)
	} else if p.AfterExec.Permitted.Minus(held) != 0 {
		r.note("the profile does not limit the capabilities of root: the program keeps those of the container")
	}
	need := held
	for _, s := range p.Steps {
		if !s.NoOp {
			need = need.Union(s.Needs)
		}
	}
	if r.planFor(need) == nil {
		// Between callers the steps differ: without other capabilities, some need more.
		need = need.Union(cred.CapsOf(int(cap.SETUID), int(cap.SETGID), int(cap.SETPCAP)))
		if r.planFor(need) == nil {
			return nil, r.refuse(r.keyOf("Permitted"), "", "no set of capabilities of a container leads to the state of the plan")
		}
	}
	for n := range need.All() {
		if r.planFor(need.Without(n)) != nil {
			need = need.Without(n)
		}
	}
	r.launcher, r.granted = need.Minus(held), need.Intersect(held)
	r.noNewPrivs = p.AfterExec.NoNewPrivs
	r.notes()
	return r, nil
}

// planFor returns the plan for a container that starts as root with these capabilities; nil
// if it does not lead to the state of the recipe's plan.
func (r *recipe) planFor(caps cred.Caps) *engine.Plan {
	from := r.Caller
	from.Permitted, from.Effective, from.Bounding = caps, caps, caps
	from.NoNewPrivs = r.AfterExec.NoNewPrivs
	p, _ := engine.Compile(r.Profile, from, r.Target)
	if p == nil {
		return nil
	}
	want := r.AfterExec
	want.Bounding = p.AfterExec.Bounding
	if p.AfterExec.Bounding != r.AfterExec.Bounding && !p.AfterExec.Bounding.SubsetOf(r.AfterExec.Bounding) {
		return nil
	}
	if r.Profile.Caps == nil {
		want.Permitted, want.Effective = p.AfterExec.Permitted, p.AfterExec.Effective
	}
	if !p.AfterExec.Equal(want) {
		return nil
	}
	return p
}

// notes records the conditions of the recipe.
func (r *recipe) notes() {
	p := r.Profile
	all := r.launcher.Union(r.granted)
	if !r.AfterExec.Bounding.SubsetOf(all) {
		r.note("the bounding set has only capabilities that the container has")
	}
	if p.Chroot != "" {
		r.note("the image must have the directory of chroot")
	}
	if len(p.Rlimits) > 0 {
		r.note("the limits of the profile must not exceed the hard limits of the container")
	}
	if len(r.command()) == 0 {
		r.note("the profile has no command: write the program")
	}
	r.keptDescriptors("a container engine passes none, and the launcher refuses to start")
}

// containerName returns a name as Kubernetes and Docker accept it: a label of DNS.
func containerName(name string) string {
	const longest = 63
	name = strings.Map(func(r rune) rune {
		if isAlphanumeric(r) {
			return r
		}
		return '-'
	}, strings.ToLower(name))
	name = strings.Trim(name[:min(len(name), longest)], "-")
	if name == "" {
		return "program"
	}
	return name
}

// yamlWriter writes the lines of a recipe.
type yamlWriter struct{ b strings.Builder }

func (w *yamlWriter) line(indent int, format string, args ...any) {
	w.b.WriteString(strings.Repeat("  ", indent) + fmt.Sprintf(format, args...) + "\n")
}

// comment writes a comment of several lines.
func (w *yamlWriter) comment(indent int, format string, args ...any) {
	const width = 78
	for _, line := range profiletext.Wrap(strings.Fields(fmt.Sprintf(format, args...)), width-2*indent) {
		w.line(indent, "# %s", line)
	}
}

// head writes how the launcher gets into the image.
func (w *yamlWriter) head(r *recipe, platform string) {
	w.comment(0, "The container starts as root, and its entrypoint is a sealed launcher, which sets the user and the privileges of the profile: "+
		"%s adds capabilities for root only. In the Dockerfile:", platform)
	root := ""
	if uid, gid, groups := r.KnownIDs(); !uid || !gid || !groups || r.Profile.User != "" {
		root = "-root /rootfs "
	}
	w.line(0, "#")
	w.line(0, "#     RUN caprun seal %s-o /out/%s %s.yaml", root, r.name, r.name)
	w.line(0, "#     ENTRYPOINT [\"/%s\"]", r.name)
	w.line(0, "#")
}

// capsComment says what the capabilities are for.
func (r *recipe) capsComment(indent int, w *yamlWriter) {
	var parts []string
	if r.launcher != 0 {
		verb := "are"
		if r.launcher.Len() == 1 {
			verb = "is"
		}
		parts = append(parts, fmt.Sprintf("%s %s for the launcher, which drops %s", sentence(short(r.launcher)), verb, them(r.launcher)))
	}
	if r.granted != 0 {
		parts = append(parts, "the profile grants "+sentence(short(r.granted)))
	}
	if parts == nil {
		w.comment(indent, "The launcher needs no capability, and the profile grants none.")
		return
	}
	text := strings.Join(parts, "; ") + "."
	w.comment(indent, "%s", strings.ToUpper(text[:1])+text[1:])
}

func them(caps cred.Caps) string {
	if caps.Len() == 1 {
		return "it"
	}
	return "them"
}

// short returns the names of capabilities without CAP_: first SETUID, as in the examples.
func short(caps cred.Caps) []string {
	names := upper(caps)
	for n := range names {
		names[n] = strings.TrimPrefix(names[n], "CAP_")
	}
	if n := slices.Index(names, "SETUID"); n > 0 && names[n-1] == "SETGID" {
		names[n-1], names[n] = names[n], names[n-1]
	}
	return names
}

// added returns all capabilities of the container as a list of YAML.
func (r *recipe) added() string {
	return "[" + strings.Join(slices.Concat(short(r.launcher), short(r.granted)), ", ") + "]"
}

// list returns strings as a list of YAML, each in double quotes. Both platforms replace
// variables after '$', and take "$$" for '$'.
func list(items []string) string {
	quoted := make([]string, 0, len(items))
	for _, s := range items {
		var b bytes.Buffer
		e := json.NewEncoder(&b)
		e.SetEscapeHTML(false)
		_ = e.Encode(strings.ReplaceAll(s, "$", "$$")) // strings always have an encoding
		quoted = append(quoted, strings.TrimSuffix(b.String(), "\n"))
	}
	return "[" + strings.Join(quoted, ", ") + "]"
}

// Kubernetes returns the manifest of a pod whose container starts a sealed launcher of the
// profile: Kubernetes cannot give another user than root a capability. name is that of the
// container if the profile has none. The error is an [*Error].
func Kubernetes(p *engine.Plan, name string) (*Result, error) {
	r, err := newRecipe(p, name)
	if err != nil {
		return nil, err
	}
	var w yamlWriter
	w.head(r, "Kubernetes")
	w.line(0, "apiVersion: v1")
	w.line(0, "kind: Pod")
	w.line(0, "metadata:")
	w.line(1, "name: %s", r.name)
	w.line(0, "spec:")
	w.line(1, "containers:")
	w.line(2, "- name: %s", r.name)
	w.line(3, "image: %s:latest", r.name)
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

// escalation writes allowPrivilegeEscalation, which is no_new_privs at the start.
func (r *recipe) escalation(w *yamlWriter) {
	switch {
	case !r.noNewPrivs:
		w.line(4, "allowPrivilegeEscalation: true # the profile does not declare no_new_privs")
	case r.launcher.Union(r.granted).Has(int(cap.SYS_ADMIN)):
		w.comment(4, "The launcher sets no_new_privs: Kubernetes refuses allowPrivilegeEscalation: false with SYS_ADMIN.")
	default:
		w.line(4, "allowPrivilegeEscalation: false # no_new_privs, which the launcher allows")
	}
}

// Compose returns a compose file whose service starts a sealed launcher of the profile:
// Docker cannot give another user than root a capability. name is that of the service if the
// profile has none. The error is an [*Error].
func Compose(p *engine.Plan, name string) (*Result, error) {
	r, err := newRecipe(p, name)
	if err != nil {
		return nil, err
	}
	var w yamlWriter
	w.head(r, "Docker")
	w.line(0, "services:")
	w.line(1, "%s:", r.name)
	w.line(2, "image: %s", r.name)
	w.line(2, `entrypoint: ["/%s"]`, r.name)
	if args := r.command(); len(args) > 0 {
		w.line(2, "command: %s", list(args))
	}
	w.line(2, `user: "0:0"`)
	w.line(2, "cap_drop: [ALL]")
	r.capsComment(2, &w)
	w.comment(2, "With init: true, add KILL.")
	w.line(2, "cap_add: %s", r.added())
	if r.noNewPrivs {
		w.line(2, `security_opt: ["no-new-privileges:true"]`)
	}
	if caps := r.granted; caps.Has(int(cap.NET_BIND_SERVICE)) && r.AfterExec.UID != 0 {
		w.comment(2, "Docker lets every process in a container bind low ports. This setting makes them require the capability again.")
		w.line(2, `sysctls: ["net.ipv4.ip_unprivileged_port_start=1024"]`)
	}
	if limits := r.composeLimits(); limits != "" {
		w.line(2, "ulimits: %s", limits)
	}
	r.Text = []byte(w.b.String())
	return &r.Result, nil
}

// composeLimits returns the limits that the container must have, so that the launcher can
// set those of the profile without cap_sys_resource. Docker cannot set the limit "as".
func (r *recipe) composeLimits() string {
	var parts []string
	for _, l := range r.Profile.Rlimits {
		if l.InheritHard || l.Name == "as" {
			continue
		}
		value := "-1"
		if l.Hard != policy.Unlimited {
			value = policy.LimitText(l.Hard)
		}
		parts = append(parts, l.Name+": "+value)
	}
	if parts == nil {
		return ""
	}
	return "{" + strings.Join(parts, ", ") + "}"
}
