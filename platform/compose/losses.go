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
		s.Lose(at, "the root file system is read-only")
	}
	if v, at := s.boolean("init"); v {
		s.Lose(at, "an init process with the same privileges starts the program")
	}
	if v, at := s.boolean("use_api_socket"); v {
		s.Lose(at, "the container has the socket of the engine, which starts containers with every privilege")
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
			s.Lose(item.Source(), "%s %s", k.what, containers.Short(text))
		}
	}
	for _, k := range [...]struct{ key, what string }{
		{"runtime", "another runtime starts the container:"},
		{"cgroup_parent", "the container is in the cgroup"},
		{"isolation", "the isolation is"},
	} {
		if e, ok := s.entry(k.key); ok {
			s.Lose(e.Source(), "%s %s", k.what, containers.Short(e.Value.Text()))
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
		s.Lose(item.Source(), "the container sets %s", containers.Short(item.Text()))
	}
	for _, v := range e.Value.Entries {
		s.Lose(v.Source(), "the container sets %s=%s", containers.Short(v.Key), containers.Short(v.Value.Text()))
	}
}

// volumes records what the container sees of the host's files.
func (s *service) volumes() {
	e, ok := s.entry("volumes")
	if !ok {
		return
	}
	for _, v := range e.Value.Items {
		if v.IsText() {
			text, known := plain(v.Value)
			if !known {
				s.Lose(v.Source(), "a volume has a variable: %s", containers.Short(v.Value))
				continue
			}
			s.Volume(text, v.Source())
			continue
		}
		if source := v.Get("source"); v.Get("type").Text() == "bind" && source.IsText() {
			readOnly, _ := v.Get("read_only").Bool()
			s.Bind(source.Value, readOnly, source.Source())
		}
	}
}

// otherCommands reports hooks that run with more privileges than the service.
func (s *service) otherCommands() {
	for _, key := range [...]string{"pre_start", "post_start", "pre_stop"} {
		e, ok := s.entry(key)
		if !ok {
			continue
		}
		for _, hook := range e.Value.Items {
			privileged, _ := hook.Get("privileged").Bool()
			switch name, _, _ := strings.Cut(hook.Get("user").Text(), ":"); {
			case privileged:
				s.Find(declared.OtherPrivileges, hook.Source(), "", "%s runs a privileged command", key)
			case name == "root" || name == "0":
				s.Find(declared.OtherPrivileges, hook.Source(), "", "%s runs a command as root", key)
			default:
				s.Lose(hook.Source(), "%s runs another command with the same privileges", key)
			}
		}
	}
}
