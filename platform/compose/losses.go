package compose

import (
	"strings"

	"caprun/platform/containers"
	"caprun/platform/declared"
	"caprun/platform/internal/tree"
)

// losses records what the service declares and a profile does not.
func (s *service) losses() {
	for _, key := range [...]string{"pid", "ipc", "network_mode", "uts", "cgroup", "userns_mode"} {
		if e, ok := s.entry(key); ok {
			if value, ok := s.value(e.Value, e.Source(), key); ok {
				s.Shares(key, value, e.Source())
			}
		}
	}
	if v, at := s.boolean("read_only"); v {
		s.AddLoss(at, "the root file system is read-only")
	}
	if v, at := s.boolean("init"); v {
		s.AddLoss(at, "an init process with the same privileges starts the program")
	}
	if v, at := s.boolean("use_api_socket"); v {
		s.AddLoss(at, "the container has the socket of the engine, which starts containers with every privilege")
	}
	for _, k := range [...]struct{ key, what string }{
		{"devices", "the container has the device"},
		{"device_cgroup_rules", "the container may use devices"},
		{"gpus", "the container has GPUs:"},
		{"volumes_from", "the container has the volumes of another:"},
	} {
		e, ok := s.entry(k.key)
		if !ok {
			continue
		}
		items := e.Value.Items
		if e.Value.IsText() {
			items = []*tree.Node{e.Value}
		}
		for _, item := range items {
			text := item.Text()
			if item.Kind == tree.Mapping {
				text = item.Get("source").Text() + item.Get("driver").Text()
			}
			s.AddLoss(item.Source(), "%s %s", k.what, containers.Short(text))
		}
	}
	for _, k := range [...]struct{ key, what string }{
		{"runtime", "another runtime starts the container:"},
		{"cgroup_parent", "the container is in the cgroup"},
		{"isolation", "the isolation is"},
	} {
		if e, ok := s.entry(k.key); ok {
			s.AddLoss(e.Source(), "%s %s", k.what, containers.Short(e.Value.Text()))
		}
	}
	s.sysctls()
	s.volumes()
}

// sysctls records kernel parameters.
func (s *service) sysctls() {
	e, ok := s.entry("sysctls")
	if !ok {
		return
	}
	for _, item := range e.Value.Items {
		s.AddLoss(item.Source(), "the container sets %s", containers.Short(item.Text()))
	}
	for _, v := range e.Value.Entries {
		s.AddLoss(v.Source(), "the container sets %s=%s", containers.Short(v.Key), containers.Short(v.Value.Text()))
	}
}

// volumes records the files of the host that are mounted in the container.
func (s *service) volumes() {
	e, ok := s.entry("volumes")
	if !ok {
		return
	}
	for _, v := range e.Value.Items {
		if v.IsText() {
			text, known := plain(v.Value)
			if !known {
				s.AddLoss(v.Source(), "a volume has a variable: %s", containers.Short(v.Value))
				if text, known = withDefaults(v.Value, 0); !known {
					continue
				}
			}
			s.Volume(text, v.Source())
			continue
		}
		if source := v.Get("source"); v.Get("type").Text() == "bind" && source.IsText() {
			readOnly, _ := v.Get("read_only").Bool()
			path, known := withDefaults(source.Value, 0)
			if !known {
				path = source.Value
			}
			s.Bind(path, readOnly, source.Source())
		}
	}
}

// otherCommands reports hooks and builds that run with more privileges than the service.
func (s *service) otherCommands() {
	for _, key := range [...]string{"pre_start", "post_start", "pre_stop"} {
		e, ok := s.entry(key)
		if !ok {
			continue
		}
		for _, hook := range e.Value.Items {
			s.otherCommand(key, hook, hook.Source())
		}
	}
	for _, w := range s.node.Path("develop", "watch").List() {
		if e, ok := w.Entry("exec"); ok {
			s.otherCommand("develop.watch", e.Value, e.Value.Source())
		}
	}
	build := s.node.Get("build")
	if e, ok := build.Entry("privileged"); ok && s.isTrue(e.Value, "build.privileged") {
		s.AddFinding(declared.OtherPrivileges, e.Source(), "", "build runs privileged commands")
	}
	for _, e := range build.Get("entitlements").List() {
		if text, ok := s.value(e, e.Source(), "build.entitlements"); ok && text == "security.insecure" {
			s.AddFinding(declared.OtherPrivileges, e.Source(), "", "build runs privileged commands: %s", text)
		}
	}
}

// otherCommand reports a command that runs in the container, or in one of its own.
func (s *service) otherCommand(key string, n *tree.Node, at declared.Source) {
	privileged := s.isTrue(n.Get("privileged"), key+".privileged")
	user := n.Get("user")
	name, known := "", true
	if user.IsText() {
		name, known = s.value(user, user.Source(), key+".user")
		name, _, _ = strings.Cut(name, ":")
	}
	uid, isNumber := containers.ParseID(name, 1<<31-1)
	switch {
	case privileged:
		s.AddFinding(declared.OtherPrivileges, at, "", "%s runs a privileged command", key)
	case name == "root" || isNumber && uid == 0:
		s.AddFinding(declared.OtherPrivileges, at, "", "%s runs a command as root", key)
	case known:
		s.AddLoss(at, "%s runs another command with the same privileges", key)
	}
}

// isTrue reports whether a scalar is true, also in quotes.
func (s *service) isTrue(n *tree.Node, key string) bool {
	if !n.IsText() {
		return false
	}
	text, ok := s.value(n, n.Source(), key)
	v, _ := tree.ParseBool(text)
	return ok && v
}
