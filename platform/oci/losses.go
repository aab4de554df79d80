package oci

import (
	"fmt"
	"slices"
	"strings"

	"caprun/platform/declared"
	"caprun/platform/internal/jsontree"
)

// loss is a key whose effect a profile cannot have.
type loss struct {
	key  string
	what string
}

// processLosses are the keys of process.
var processLosses = [...]loss{
	{"apparmorProfile", "AppArmor confines the process"},
	{"selinuxLabel", "the process has an SELinux label"},
	{"oomScoreAdj", "the process has an OOM score adjustment"},
	{"scheduler", "the process has a scheduling policy"},
	{"ioPriority", "the process has an I/O priority"},
	{"execCPUAffinity", "the process has a CPU affinity"},
}

// linuxLosses are the keys of linux.
var linuxLosses = [...]loss{
	{"uidMappings", "a user namespace maps the uids"},
	{"gidMappings", "a user namespace maps the gids"},
	{"devices", "the container has device files"},
	{"cgroupsPath", "the process is in a cgroup"},
	{"resources", "the cgroup limits resources and devices"},
	{"intelRdt", "the process has limits for the processor's cache"},
	{"sysctl", "sysctls of the namespaces are set"},
	{"seccomp", "a seccomp filter denies system calls"},
	{"rootfsPropagation", "the mounts have another propagation"},
	{"maskedPaths", "paths are hidden"},
	{"readonlyPaths", "paths are read-only"},
	{"mountLabel", "the mounts have an SELinux label"},
	{"personality", "the process has another personality(2)"},
	{"timeOffsets", "the clocks of a time namespace have offsets"},
	{"netDevices", "network devices move into the container"},
}

// surroundings records the namespaces, the file system and the sandboxing as losses.
func (r *reader) surroundings(root *jsontree.Node) {
	process, _ := root.Member("process")
	r.addLosses(process.Value, processLosses[:])
	if m, ok := r.member(root, "root", jsontree.Object); ok {
		r.rootfs(m)
	}
	r.addLosses(root, []loss{{"mounts", "the container has mounts"}, {"hostname", "the container has a host name"}, {"domainname", "the container has a domain name"}})
	r.hooks(root)
	if m, ok := r.member(root, "linux", jsontree.Object); ok {
		r.checkKeys(m.Value, append(keysOf(linuxLosses[:]), "namespaces"), false)
		r.namespaces(m.Value)
		r.addLosses(m.Value, linuxLosses[:])
	}
}

func keysOf(list []loss) []string {
	keys := make([]string, 0, len(list))
	for _, l := range list {
		keys = append(keys, l.key)
	}
	return keys
}

// addLosses records those of the keys that an object has.
func (r *reader) addLosses(object *jsontree.Node, list []loss) {
	for _, l := range list {
		m, ok := object.Member(l.key)
		if !ok || m.Value.Text == "" && len(m.Value.Items) == 0 && len(m.Value.Members) == 0 {
			continue
		}
		r.p.AddLoss(r.of(m), "%s", l.what)
	}
}

// rootfs records the root directory. It is the root of a mount namespace, which chroot(2) is
// not.
func (r *reader) rootfs(m jsontree.Member) {
	r.checkKeys(m.Value, []string{"path", "readonly"}, false)
	text := "the root directory is that of a mount namespace"
	if path, ok := r.member(m.Value, "path", jsontree.String); ok {
		text += ": " + bounded(path.Value.Text)
	}
	if readonly, ok := r.member(m.Value, "readonly", jsontree.Bool); ok && readonly.Value.Text == "true" {
		text += ", read-only"
	}
	r.p.AddLoss(r.of(m), "%s", text)
}

// hooks reports the programs that the runtime starts outside of the container.
func (r *reader) hooks(root *jsontree.Node) {
	m, ok := r.member(root, "hooks", jsontree.Object)
	if !ok {
		return
	}
	for _, hook := range m.Value.Members {
		for _, item := range hook.Value.Items {
			path, ok := item.Member("path")
			if !ok || path.Value.Kind != jsontree.String {
				continue
			}
			r.p.AddFinding(declared.OtherPrivileges, r.source(path.At, `"path": `+shown(path.Value.Text)), "", "hook %s in %s runs with the privileges of the runtime", shown(path.Value.Text), bounded(hook.Key))
		}
	}
}

// namespaces records the namespaces.
func (r *reader) namespaces(linux *jsontree.Node) {
	m, ok := r.member(linux, "namespaces", jsontree.Array)
	if !ok {
		return
	}
	var types []string
	for _, item := range m.Value.Items {
		kind, ok := item.Member("type")
		if !ok || kind.Value.Kind != jsontree.String {
			r.refuse(item.Position, "", "namespace without a type")
			continue
		}
		const most = 16 // twice as many as there are
		if len(types) == most {
			r.refuse(item.Position, "", "more than %d namespaces", most)
			return
		}
		types = append(types, bounded(kind.Value.Text))
	}
	if len(types) == 0 {
		return
	}
	text := fmt.Sprintf("the process has namespaces: %s", strings.Join(types, ", "))
	if slices.Contains(types, "user") {
		text += "; its ids and capabilities are those of the user namespace"
	}
	r.p.AddLoss(r.of(m), "%s", text)
}
