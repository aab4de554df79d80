package cmdline

import (
	"slices"
	"strconv"
	"strings"

	"caprun/platform/containers"
	"caprun/platform/declared"
	"caprun/platform/internal/tree"
)

// flag takes a flag over.
func (r *runner) flag(f flag) {
	if !slices.Contains(privilegeFlags[:], f.name) && !slices.Contains(privilegeSwitches[:], f.name) {
		return
	}
	if f.expands && f.name != "user" {
		switch f.name {
		case "env":
			name, _, _ := strings.Cut(f.value, "=")
			r.AddLoss(f.at, "the variable %s has a value that a shell expands", containers.Short(name))
		case "cap-add", "cap-drop", "privileged", "security-opt", "ulimit", "group-add":
			r.AddFinding(declared.UnknownValue, f.at, "write the value", "the value of --%s is what a shell expands: %s", f.name, containers.Short(f.value))
		default:
			r.AddLoss(f.at, "--%s has a value that a shell expands: %s", f.name, containers.Short(f.value))
		}
		return
	}
	switch f.name {
	case "user":
		r.user = &f
	case "group-add":
		r.groups = append(r.groups, f)
	case "cap-add":
		r.request.Add = append(r.request.Add, r.capabilities(f)...)
	case "cap-drop":
		r.request.Drop = append(r.request.Drop, r.capabilities(f)...)
	case "security-opt":
		r.engine.SecurityOption(&r.Draft, f.value, f.at)
	case "ulimit":
		r.engine.SetUlimit(&r.Draft, f.value, f.at)
	case "env":
		r.env(f)
	case "workdir":
		r.Cwd(f.value, f.at)
	case "entrypoint":
		r.entrypoint = &f
	case "umask":
		r.umask(f)
	case "pid", "ipc", "uts", "net", "network", "cgroupns", "userns":
		r.Shares(f.name, f.value, f.at)
		if f.name == "userns" {
			r.keepID = nil
			if kind, _, _ := strings.Cut(f.value, ":"); kind == "keep-id" && r.engine == containers.Podman {
				r.keepID = &f
			}
		}
	default:
		r.otherFlag(f)
	}
}

// capabilities returns the capabilities of a flag. Podman accepts several, separated by
// commas.
func (r *runner) capabilities(f flag) (list []containers.Word) {
	if r.engine != containers.Podman {
		return []containers.Word{{Text: strings.TrimSpace(f.value), At: f.at}}
	}
	for text := range strings.SplitSeq(f.value, ",") {
		list = append(list, containers.Word{Text: text, At: f.at})
	}
	return list
}

// env declares a variable.
func (r *runner) env(f flag) {
	name, value, has := strings.Cut(f.value, "=")
	switch {
	case has:
		r.SetEnv(name, value, f.at)
	case strings.HasSuffix(name, "*") && r.engine == containers.Podman:
		r.AddLoss(f.at, "the process has the caller's variables that begin with %s", containers.Short(strings.TrimSuffix(name, "*")))
	default:
		r.KeepEnv(name, f.at)
	}
}

// umask declares the umask of podman run.
func (r *runner) umask(f flag) {
	v, err := strconv.ParseUint(f.value, 8, 32)
	if err != nil || v > 0o777 {
		r.AddFinding(declared.Refused, f.at, "write octal digits", "%s refuses the umask %s", r.engine, quote(f.value))
		return
	}
	mask := uint32(v)
	r.Profile.Umask = &mask
	r.From("umask", f.at)
}

// otherFlag takes over what a profile cannot say.
func (r *runner) otherFlag(f flag) {
	if slices.Contains(privilegeSwitches[:], f.name) {
		on, ok := tree.ParseBool(f.value)
		if b, err := strconv.ParseBool(f.value); err == nil {
			on, ok = b, true
		}
		if !ok {
			r.AddFinding(declared.Refused, f.at, "write true or false", "%s refuses the value %s of --%s", r.engine, quote(f.value), f.name)
			return
		}
		r.switched(f, on)
		return
	}
	switch f.name {
	case "volume":
		r.Volume(f.value, f.at)
	case "mount":
		r.mount(f)
	case "env-file":
		r.AddLoss(f.at, "--env-file adds the variables of %s", containers.Short(f.value))
	case "device":
		r.AddLoss(f.at, "the container has the device %s", containers.Short(f.value))
	case "preserve-fd", "preserve-fds":
		r.AddLoss(f.at, "the process inherits descriptors: %s", containers.Short(f.value))
	default:
		r.AddLoss(f.at, "--%s is %s", f.name, containers.Short(f.value))
	}
}

// switched takes over a flag without a value.
func (r *runner) switched(f flag, on bool) {
	switch {
	case f.name == "privileged" && !on:
		r.request.Privileged = nil
	case f.name == "rootfs":
		r.rootfs = on
	case !on:
	case f.name == "privileged":
		r.request.Privileged = &f.at
		r.AddLoss(f.at, "--privileged gives the container every device of the host, and no seccomp filter, AppArmor profile or masked path")
	case f.name == "read-only":
		r.AddLoss(f.at, "the root file system is read-only")
	case f.name == "init":
		r.AddLoss(f.at, "an init process with the same privileges starts the program")
	case f.name == "env-host":
		r.ClearEnv().KeepAll = true
		r.Profile.Env.Keep = nil
		r.From("env", f.at)
	case f.name == "use-api-socket":
		r.AddLoss(f.at, "the container has the socket of the engine, which starts containers with every privilege")
	}
}

// mount records what a mount shows of the host.
func (r *runner) mount(f flag) {
	kind, source, readOnly := "volume", "", false
	for part := range strings.SplitSeq(f.value, ",") {
		key, value, has := strings.Cut(part, "=")
		switch key {
		case "type":
			kind = value
		case "source", "src":
			source = value
		case "readonly", "ro":
			readOnly = !has || value == "true" || value == "1"
		}
	}
	if kind == "bind" && source != "" {
		r.Bind(source, readOnly, f.at)
	}
}
