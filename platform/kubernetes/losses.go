package kubernetes

import (
	"strings"

	"caprun/platform/containers"
	"caprun/platform/internal/tree"
)

// podLosses records what the pod gives to all of its containers.
func (c *container) podLosses() {
	for _, f := range hostFields {
		if e, ok := c.spec.Entry(f.name); ok && !e.Value.Null {
			if v, _ := c.boolean(e); v {
				c.AddLoss(e.Source(), "%s", f.what)
			}
		}
	}
	if e, ok := c.spec.Entry("hostUsers"); ok && !e.Value.Null {
		if v, ok := c.boolean(e); ok && !v {
			c.AddLoss(e.Source(), "the container has a user namespace: its IDs are others on the node, and its capabilities apply to the namespace")
		}
	}
	if e, ok := c.spec.Entry("shareProcessNamespace"); ok {
		if v, _ := e.Value.Bool(); v {
			c.AddLoss(e.Source(), "the containers of the pod share a PID namespace")
		}
	}
	if e, ok := c.spec.Entry("runtimeClassName"); ok && e.Value.IsText() {
		c.AddLoss(e.Source(), "another runtime starts the container: %s", containers.Short(e.Value.Value))
	}
	if c.spec.Path("os", "name").Text() == "windows" {
		c.AddLoss(c.spec.Path("os", "name").Source(), "the container runs on Windows, and the profile does not apply")
	}
	if e, ok := c.shared.Entry("sysctls"); ok {
		for _, s := range e.Value.Items[:min(len(e.Value.Items), maxItems)] {
			c.AddLoss(s.Source(), "the pod sets %s=%s", containers.Short(s.Get("name").Text()), containers.Short(s.Get("value").Text()))
		}
	}
	if e, ok := c.profiles[c.name]; ok {
		c.AddLoss(e.Source(), "AppArmor has the profile %s", containers.Short(e.Value.Text()))
	}
}

// index records the AppArmor profiles and the volumes with paths of the node by their
// names.
func (p *pod) index(annotations *tree.Node) {
	p.profiles, p.paths = map[string]tree.Entry{}, map[string]tree.Entry{}
	if annotations != nil {
		for _, e := range annotations.Entries {
			if name, ok := strings.CutPrefix(e.Key, "container.apparmor.security.beta.kubernetes.io/"); ok {
				p.profiles[name] = e
			}
		}
	}
	for _, v := range p.spec.Get("volumes").List() {
		if path, ok := v.Get("hostPath").Entry("path"); ok {
			p.paths[v.Get("name").Text()] = path
		}
	}
}

// contextLosses records what the security contexts declare and a profile does not.
func (c *container) contextLosses() {
	for _, f := range [...]struct{ field, what string }{
		{"seccompProfile", "the seccomp filter is"},
		{"appArmorProfile", "the AppArmor profile is"},
		{"seLinuxOptions", "SELinux has the label"},
		{"windowsOptions", "Windows has the options"},
	} {
		e, ok := c.setting(f.field)
		if !ok {
			continue
		}
		c.AddLoss(e.KeySource(), "%s %s", f.what, summary(e.Value))
	}
	if e, ok := c.own("readOnlyRootFilesystem"); ok {
		if v, _ := c.boolean(e); v {
			c.AddLoss(e.Source(), "the root file system is read-only")
		}
	}
	if e, ok := c.own("procMount"); ok && e.Value.Text() != "Default" {
		c.AddLoss(e.Source(), "/proc has no masked and read-only paths")
	}
}

// summary returns the values of a mapping in one line.
func summary(n *tree.Node) string {
	var values []string
	for _, e := range n.Entries {
		if e.Value.IsText() {
			values = append(values, containers.Short(e.Value.Value))
		}
	}
	return containers.Short(strings.Join(values, " "))
}

// volumes records the files of the node that are mounted in the container.
func (c *container) volumes() {
	for _, m := range c.node.Get("volumeMounts").List() {
		if path, ok := c.paths[m.Get("name").Text()]; ok {
			c.AddLoss(path.Source(), "%s of the node is mounted in the container%s", containers.Short(path.Value.Text()), mode(path.Value.Text(), m))
		}
	}
	for _, d := range c.node.Get("volumeDevices").List() {
		c.AddLoss(d.Source(), "the container has the block device %s", containers.Short(d.Get("devicePath").Text()))
	}
	if e, ok := c.node.Entry("lifecycle"); ok && len(e.Value.Keys()) > 0 {
		c.lifecycle(e)
	}
}

// mode returns how a volume is mounted.
func mode(path string, m *tree.Node) string {
	readOnly, _ := m.Get("readOnly").Bool()
	return containers.BindText(path, readOnly)
}

// lifecycle records commands that run next to the process.
func (c *container) lifecycle(e tree.Entry) {
	for _, hook := range e.Value.Entries {
		if exec, ok := hook.Value.Entry("exec"); ok {
			at := exec.KeySource()
			at.Position = hook.KeyAt
			c.AddLoss(at, "%s runs another command with the same privileges", containers.Short(hook.Key))
		}
	}
}
