package containers

import (
	"slices"
	"strconv"
	"strings"

	"caprun/platform/declared"
	"caprun/policy"
)

// securityOptions are the keys of security_opt: parseSecurityOpt in daemon/daemon_unix.go
// of moby, and FillOutSpecGen in pkg/specgenutil of podman.
var securityOptions = [...]struct {
	name, what string
	engines    []Engine
}{
	{"no-new-privileges", "", []Engine{Docker, Podman}},
	{"apparmor", "the AppArmor profile is", []Engine{Docker, Podman}},
	{"seccomp", "the seccomp filter is", []Engine{Docker, Podman}},
	{"label", "SELinux has the label option", []Engine{Docker, Podman}},
	{"systempaths", "the masked and read-only paths are", []Engine{Docker, Podman}},
	{"writable-cgroups", "the cgroups are writable:", []Engine{Docker}},
	{"credentialspec", "Windows has the credentials", []Engine{Docker}},
	{"mask", "more paths are masked:", []Engine{Podman}},
	{"unmask", "paths are not masked:", []Engine{Podman}},
	{"proc-opts", "/proc is mounted with", []Engine{Podman}},
}

// SecurityOption declares an option of security_opt, such as no-new-privileges:true.
func (e Engine) SecurityOption(d *Draft, text string, at declared.Source) {
	separator := ":"
	if strings.Contains(text, "=") {
		separator = "="
	}
	name, value, has := strings.Cut(text, separator)
	var names []string
	for _, o := range securityOptions {
		if !slices.Contains(o.engines, e) {
			continue
		}
		names = append(names, o.name)
		switch {
		case o.name != name:
		case name == "no-new-privileges":
			e.noNewPrivileges(d, value, has, at)
			return
		case !has:
			d.AddFinding(declared.Refused, at, "write "+name+"=VALUE", "%s refuses the option %s without a value", e, name)
			return
		default:
			d.AddLoss(at, "%s %s", o.what, Short(value))
			return
		}
	}
	hint := ""
	if meant := policy.Suggest(name, names); meant != "" {
		hint = "did you mean " + meant + "?"
	}
	d.AddFinding(declared.Refused, at, hint, "%s refuses the unknown security option %s", e, quote(text))
}

// noNewPrivileges declares the value of the option.
func (e Engine) noNewPrivileges(d *Draft, value string, has bool, at declared.Source) {
	on := true
	if has {
		var err error
		if on, err = strconv.ParseBool(value); err != nil {
			d.AddFinding(declared.Refused, at, "write no-new-privileges=true", "%s refuses the value %s of no-new-privileges", e, quote(value))
			return
		}
	}
	d.Profile.NoNewPrivs = on
	delete(d.Origins, "no_new_privs")
	if on {
		d.From("no_new_privs", at)
	}
}

// limits are the names of resource limits of the engines: go-units of Docker has no
// as. Podman uses the same package.
var limits = [...]string{
	"core", "cpu", "data", "fsize", "locks", "memlock", "msgqueue", "nice", "nofile", "nproc", "rss", "rtprio",
	"rttime", "sigpending", "stack",
}

// SetLimit declares a resource limit. A missing hard limit is the soft one.
func (e Engine) SetLimit(d *Draft, name, soft, hard string, at declared.Source) {
	if !slices.Contains(limits[:], name) {
		hint := ""
		if meant := policy.Suggest(name, limits[:]); meant != "" {
			hint = "did you mean " + meant + "?"
		}
		d.AddFinding(declared.Refused, at, hint, "%s refuses the unknown limit %s", e, quote(name))
		return
	}
	if hard == "" {
		hard = soft
	}
	s, okSoft := amount(soft)
	h, okHard := amount(hard)
	switch {
	case !okSoft || !okHard:
		d.AddFinding(declared.Refused, at, "write a number, or -1 for no limit", "%s refuses the value of the limit %s", e, name)
	case s > h:
		d.AddFinding(declared.Refused, at, "", "%s refuses the limit %s: the soft limit is above the hard limit", e, name)
	default:
		d.Limit(name, s, h, at)
	}
}

// amount returns the value of a limit.
func amount(text string) (uint64, bool) {
	switch text {
	case "-1", "infinity", "unlimited":
		return policy.Unlimited, true
	}
	v, err := strconv.ParseInt(text, 10, 64)
	return uint64(v), err == nil && v >= 0
}

// SetUlimit declares the limit of a text such as nofile=1024:2048.
func (e Engine) SetUlimit(d *Draft, text string, at declared.Source) {
	if e == Podman && text == "host" {
		d.AddLoss(at, "the process has the resource limits of the caller")
		return
	}
	name, values, ok := strings.Cut(text, "=")
	soft, hard, _ := strings.Cut(values, ":")
	if !ok || strings.Contains(hard, ":") {
		d.AddFinding(declared.Refused, at, "write NAME=SOFT:HARD", "%s refuses the limit %s", e, quote(text))
		return
	}
	e.SetLimit(d, name, soft, hard, at)
}

// Volume records the path of the host that a volume mounts: a text such as
// /etc:/host:ro. A name of a volume has none.
func (d *Draft) Volume(text string, at declared.Source) {
	source, rest, ok := strings.Cut(text, ":")
	if !ok || source == "" || strings.IndexByte("/.~", source[0]) < 0 {
		return
	}
	d.Bind(source, strings.HasSuffix(rest, ":ro") || strings.Contains(rest, ":ro,") || strings.HasSuffix(rest, ",ro"), at)
}

// Bind records that a container has a path of the host.
func (d *Draft) Bind(source string, readOnly bool, at declared.Source) {
	d.AddLoss(at, "%s of the host is mounted in the container%s", Short(source), BindText(source, readOnly))
}

// BindText returns how a path of the host is mounted, to follow the path.
func BindText(source string, readOnly bool) string {
	mode := ""
	if readOnly {
		mode = ", read-only"
	}
	if strings.HasSuffix(source, "/docker.sock") || strings.HasSuffix(source, "/podman.sock") || strings.HasSuffix(source, "/containerd.sock") {
		mode += "; its engine starts containers with every privilege"
	}
	return mode
}

// Shares records that a container has a namespace of the host or of another container. Key
// is the declaration, such as pid.
func (d *Draft) Shares(key, value string, at declared.Source) {
	var what string
	switch key {
	case "pid":
		what = "PID namespace"
	case "ipc":
		what = "IPC namespace"
	case "network", "network_mode", "net":
		what = "network"
	case "uts":
		what = "UTS namespace"
	case "cgroup", "cgroupns":
		what = "cgroup namespace"
	case "userns", "userns_mode":
		what = "user namespace"
	}
	kind, _, other := strings.Cut(value, ":")
	switch {
	case value == "host":
		d.AddLoss(at, "the process shares the %s of the host", what)
	case other && (kind == "container" || kind == "service" || kind == "ns" || kind == "pod"):
		d.AddLoss(at, "the process shares the %s of another: %s", what, Short(value))
	case what == "user namespace" && value != "" && value != "private":
		d.AddLoss(at, "the container has a user namespace: %s", Short(value))
	case what == "user namespace" && value != "":
		d.AddLoss(at, "the container has a user namespace")
	}
}
