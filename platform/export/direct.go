package export

import (
	"fmt"
	"maps"
	"slices"
	"strings"

	"caprun/engine"
)

// direct is a container that starts the program without a launcher: its engine sets the
// user, the groups and no_new_privs, and drops every capability.
type direct struct {
	writer

	name     string   // of the container
	platform string   // for messages
	groups   []uint32 // without the gid, which the engines add
}

// newDirect returns the container of a plan; nil if it needs a launcher: for a capability, a
// securebit, uid 0, another root directory, or a name that is not looked up.
func newDirect(p *engine.Plan, name, platform string) (*direct, error) {
	d := &direct{writer: writer{Plan: p}, platform: platform}
	if !d.isPossible() {
		return nil, nil
	}
	if key := d.invalidText(); key != "" {
		return nil, d.refuse(key, "write text in UTF-8", "a manifest has text in UTF-8 only")
	}
	d.name = containerName(d.writer.name(name))
	for _, gid := range p.AfterExec.Groups {
		if gid != p.AfterExec.GID {
			d.groups = append(d.groups, gid)
		}
	}
	d.conditions()
	return d, nil
}

// isPossible reports whether the container starts the program in the state of the plan, or
// with a smaller bounding set.
func (d *direct) isPossible() bool {
	a := d.AfterExec
	uid, gid, groups := d.KnownIDs()
	const largest = 1<<31 - 1 // that Kubernetes and Docker accept
	if !d.Identity.Declared || !uid || !gid || !groups || d.Profile.User != "" || d.Profile.Chroot != "" || a.UID == 0 ||
		slices.Max(append([]uint32{a.UID, a.GID}, a.Groups...)) > largest {
		return false
	}
	before := d.BeforeExec
	before.Permitted, before.Effective, before.Inheritable, before.Ambient, before.Bounding, before.Securebits = 0, 0, 0, 0, 0, 0
	after := d.exec(before)
	after.Bounding = a.Bounding
	return after.Equal(a)
}

// conditions records what the container does not do.
func (d *direct) conditions() {
	p := d.Profile
	if bounding := d.AfterExec.Bounding; bounding != 0 {
		if p.Has("iab") {
			d.Losses = append(d.Losses, Loss{"iab", p.Position("iab"), "Bounding", fmt.Sprintf("the bounding set is empty, not %s", bounding)})
		} else {
			d.note("the bounding set is empty: the container drops every capability")
		}
	}
	if p.Umask != nil {
		d.lose("umask", "%s sets no umask", d.platform)
	}
	if p.InheritKeyring {
		d.lose("keyring", "the runtime joins a new session keyring")
	}
	if env := p.Env; env != nil {
		if !env.KeepAll {
			d.lose("env.keep", "the container has the variables of the image and of %s, and none of a caller", d.platform)
		}
		if len(env.Unset) > 0 {
			d.lose("env.unset", "%s does not remove the variables of the image", d.platform)
		}
	}
	if len(d.command()) == 0 {
		d.note("the profile has no command: the container starts that of the image")
	}
	d.keptDescriptors("a container engine passes none")
}

// head writes why there is no launcher.
func (d *direct) head(w *yamlWriter) {
	w.comment(0, "The profile grants no capability, so the container starts the program without a launcher.")
}

// variables returns the names of the variables that the profile sets, in their order.
func (d *direct) variables() []string {
	if d.Profile.Env == nil {
		return nil
	}
	return slices.Sorted(maps.Keys(d.Profile.Env.Set))
}

// groupTexts returns the supplementary groups.
func (d *direct) groupTexts() []string {
	var texts []string
	for _, gid := range d.groups {
		texts = append(texts, fmt.Sprint(gid))
	}
	return texts
}

// kubernetes returns the manifest of a pod.
func (d *direct) kubernetes() *Result {
	for _, l := range d.Profile.Rlimits {
		d.lose("rlimits."+l.Name, "Kubernetes sets no resource limits")
	}
	d.note("Kubernetes adds the groups of user %d in /etc/group of the image; supplementalGroupsPolicy: Strict excludes them", d.AfterExec.UID)
	var w yamlWriter
	d.head(&w)
	w.pod(d.name)
	if len(d.groups) > 0 {
		w.line(1, "securityContext:")
		w.line(2, "supplementalGroups: [%s]", strings.Join(d.groupTexts(), ", "))
	}
	w.container(d.name)
	if args := d.command(); len(args) > 0 {
		w.line(3, "command: %s", list(args))
	}
	if dir := d.Profile.Cwd; dir != "" {
		w.line(3, "workingDir: %s", quoteYAML(dir))
	}
	if names := d.variables(); names != nil {
		w.line(3, "env:")
		for _, name := range names {
			w.line(4, "- {name: %s, value: %s}", quoteYAML(name), quoteYAML(escapeDollar(d.Profile.Env.Set[name])))
		}
	}
	w.line(3, "securityContext:")
	w.line(4, "runAsUser: %d", d.AfterExec.UID)
	w.line(4, "runAsGroup: %d", d.AfterExec.GID)
	w.line(4, "runAsNonRoot: true")
	if d.AfterExec.NoNewPrivs {
		w.line(4, "allowPrivilegeEscalation: false # sets no_new_privs")
	} else {
		w.line(4, "allowPrivilegeEscalation: true # the profile does not declare no_new_privs")
	}
	w.line(4, "capabilities:")
	w.line(5, "drop: [ALL]")
	d.Text = []byte(w.b.String())
	return &d.Result
}

// compose returns a compose file.
func (d *direct) compose() *Result {
	var w yamlWriter
	d.head(&w)
	w.line(0, "services:")
	w.line(1, "%s:", d.name)
	w.line(2, "image: %s", d.name)
	if args := d.command(); len(args) > 0 {
		w.line(2, "entrypoint: %s", list(args))
	}
	if dir := d.Profile.Cwd; dir != "" {
		w.line(2, "working_dir: %s", quoteYAML(escapeDollar(dir)))
	}
	if names := d.variables(); names != nil {
		w.line(2, "environment:")
		for _, name := range names {
			w.line(3, "%s: %s", quoteYAML(name), quoteYAML(escapeDollar(d.Profile.Env.Set[name])))
		}
	}
	w.line(2, `user: "%d:%d"`, d.AfterExec.UID, d.AfterExec.GID)
	if len(d.groups) > 0 {
		w.line(2, "group_add: %s", list(d.groupTexts()))
	}
	w.line(2, "cap_drop: [ALL]")
	if d.AfterExec.NoNewPrivs {
		w.line(2, `security_opt: ["no-new-privileges:true"]`)
	}
	var limits []string
	for _, l := range d.limits("Docker") {
		if l.Name == "as" {
			d.lose("rlimits.as", "Docker cannot set the limit as")
			continue
		}
		limits = append(limits, fmt.Sprintf("%s: {soft: %s, hard: %s}", l.Name, composeLimit(l.Soft), composeLimit(l.Hard)))
	}
	if limits != nil {
		w.line(2, "ulimits: {%s}", strings.Join(limits, ", "))
	}
	d.Text = []byte(w.b.String())
	return &d.Result
}
