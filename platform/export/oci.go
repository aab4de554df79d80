package export

import (
	"bytes"
	"encoding/json"
	"slices"
	"strings"
	"unicode/utf8"

	"caprun/engine"
	"caprun/engine/cred"
)

// config is a config.json. The types of the specification have many more fields.
type config struct {
	Version string    `json:"ociVersion"`
	Root    ociRoot   `json:"root"`
	Process process   `json:"process"`
	Mounts  []mount   `json:"mounts"`
	Linux   namespace `json:"linux"`
}

type ociRoot struct {
	Path string `json:"path"`
}

type mount struct {
	Destination string   `json:"destination"`
	Type        string   `json:"type"`
	Source      string   `json:"source"`
	Options     []string `json:"options,omitempty"`
}

type namespace struct {
	Namespaces []kind   `json:"namespaces"`
	Masked     []string `json:"maskedPaths"`
	Readonly   []string `json:"readonlyPaths"`
}

type kind struct {
	Type string `json:"type"`
}

type process struct {
	User         user         `json:"user"`
	Args         []string     `json:"args"`
	Env          []string     `json:"env"`
	Cwd          string       `json:"cwd"`
	Capabilities capabilities `json:"capabilities"`
	Rlimits      []rlimit     `json:"rlimits,omitempty"`
	NoNewPrivs   bool         `json:"noNewPrivileges"`
}

type user struct {
	UID    uint32   `json:"uid"`
	GID    uint32   `json:"gid"`
	Umask  *uint32  `json:"umask,omitempty"`
	Groups []uint32 `json:"additionalGids,omitempty"`
}

type capabilities struct {
	Bounding    []string `json:"bounding"`
	Effective   []string `json:"effective"`
	Permitted   []string `json:"permitted"`
	Inheritable []string `json:"inheritable"`
	Ambient     []string `json:"ambient"`
}

type rlimit struct {
	Type string `json:"type"`
	Soft uint64 `json:"soft"`
	Hard uint64 `json:"hard"`
}

// OCI returns a config.json that starts the program with the privileges of a plan, in mount,
// pid, ipc and uts namespaces. It has what the runtimes need around that, which the profile
// does not declare. The error is an [*Error]: config.json has no names of users and groups.
func OCI(p *engine.Plan) (*Result, error) {
	w := &writer{Plan: p}
	if err := w.checkNumbers(); err != nil {
		return nil, err
	}
	if key := w.invalidText(); key != "" {
		return nil, w.refuse(key, "write text in UTF-8", "config.json has text in UTF-8 only")
	}
	root := "rootfs"
	if p.Profile.Chroot != "" {
		root = p.Profile.Chroot
		w.note("the root directory of the profile is that of a mount namespace")
	}
	c := config{
		Version: "1.0.2",
		Root:    ociRoot{root},
		Process: process{
			User: user{p.AfterExec.UID, p.AfterExec.GID, p.Profile.Umask, p.AfterExec.Groups},
			Args: w.arguments(), Env: w.variables(), Cwd: p.Profile.Cwd,
			Capabilities: w.capabilities(), NoNewPrivs: p.AfterExec.NoNewPrivs,
		},
		Mounts: []mount{
			{"/proc", "proc", "proc", []string{"nosuid", "noexec", "nodev"}},
			{"/dev", "tmpfs", "tmpfs", []string{"nosuid", "strictatime", "mode=755", "size=65536k"}},
		},
		Linux: namespace{
			Namespaces: []kind{{"mount"}, {"pid"}, {"ipc"}, {"uts"}},
			Masked:     []string{"/proc/acpi", "/proc/kcore", "/proc/keys", "/proc/latency_stats", "/proc/timer_list", "/proc/timer_stats", "/proc/sched_debug", "/proc/scsi"},
			Readonly:   []string{"/proc/bus", "/proc/fs", "/proc/irq", "/proc/sys", "/proc/sysrq-trigger"},
		},
	}
	if c.Process.Cwd == "" {
		c.Process.Cwd = "/"
	}
	for _, l := range w.limits("config.json") {
		c.Process.Rlimits = append(c.Process.Rlimits, rlimit{"RLIMIT_" + strings.ToUpper(l.Name), l.Soft, l.Hard})
	}
	const largest = 1<<31 - 1
	if a := p.AfterExec; max(a.UID, a.GID) > largest || len(a.Groups) > 0 && a.Groups[len(a.Groups)-1] > largest {
		w.note("runc refuses an ID above %d", largest)
	}
	w.keptDescriptors("config.json passes no descriptors; start the container with --preserve-fds")
	if p.Profile.InheritKeyring {
		w.lose("keyring", "the runtime joins a new session keyring; start the container with --no-new-keyring")
	}
	var b bytes.Buffer
	e := json.NewEncoder(&b)
	e.SetEscapeHTML(false)
	e.SetIndent("", "  ")
	if err := e.Encode(c); err != nil {
		return nil, w.refuse("", "report this as a bug", "internal error: %v", err)
	}
	w.Text = b.Bytes()
	return &w.Result, nil
}

// checkNumbers refuses a plan whose ids are not known.
func (w *writer) checkNumbers() error {
	uid, gid, groups := w.KnownIDs()
	const hint = "declare uid, gid and groups as numbers"
	switch p := w.Profile; {
	case !uid:
		return w.refuse("user", hint, "config.json has numbers only, and the uid of %q is not known", p.User)
	case !gid && p.GID != nil:
		return w.refuse("gid", hint, "config.json has numbers only, and the gid of %q is not known", p.GID.Name)
	case !gid:
		return w.refuse("user", hint, "config.json has numbers only, and the gid of %q is not known", p.User)
	case !groups && p.Groups != nil:
		return w.refuse("groups", hint, "config.json has numbers only, and the number of a group is not known")
	case !groups:
		return w.refuse("user", hint, "config.json has numbers only, and the groups of %q are not known", p.User)
	}
	return nil
}

// invalidText returns a key whose value is not UTF-8, which only a profile that Go code
// filled can have; empty if there is none.
func (w *writer) invalidText() string {
	for _, value := range [...]struct {
		key  string
		list []string
	}{
		{"command", w.command()}, {"env.set", w.Environ(nil)}, {"cwd", []string{w.Profile.Cwd}}, {"chroot", []string{w.Profile.Chroot}},
	} {
		if slices.ContainsFunc(value.list, func(s string) bool { return !utf8.ValidString(s) }) {
			return value.key
		}
	}
	return ""
}

func (w *writer) arguments() []string {
	args := w.command()
	if len(args) == 0 {
		w.note("the profile has no command: write the program in args")
		return []string{}
	}
	if _, set := w.EnvPolicy().Value("PATH"); !strings.Contains(args[0], "/") && !set {
		w.note("the runtime finds %q only with PATH in env", args[0])
	}
	return args
}

// variables returns the environment. The runtimes add HOME if it is missing.
func (w *writer) variables() []string {
	env, spec := w.EnvPolicy(), w.Profile.Env
	var kept []string
	switch {
	case spec == nil || spec.KeepAll:
		w.note("the profile keeps the caller's variables, and a container has no caller: only those in env are set")
	default:
		for _, name := range spec.Keep {
			if env.Source(name) == engine.VarCaller {
				kept = append(kept, name)
			}
		}
	}
	if len(kept) > 0 {
		w.lose("env.keep", "a container has no variables of a caller: %s %s not set", sentence(kept), isOrAre(kept))
	}
	list := w.Environ(nil)
	for _, entry := range list {
		if strings.HasPrefix(entry, "HOME=") {
			return list
		}
	}
	if env.Source("HOME") == engine.VarAbsent {
		w.lose("env", "the runtime sets HOME, which the profile removes")
	}
	return list
}

// capabilities returns the sets before exec.
func (w *writer) capabilities() capabilities {
	before := w.ociState()
	w.losesFields(before, map[string]string{
		"Bounding":    "without the securebit noroot, exec grants uid 0 the bounding set",
		"Inheritable": "the runtimes refuse an inheritable capability that the bounding set lacks, and without noroot exec grants it to uid 0",
		"Securebits":  "config.json has no securebits",
	})
	return capabilities{
		upper(before.Bounding), upper(before.Effective), upper(before.Permitted), upper(before.Inheritable), upper(before.Ambient),
	}
}

// ociState returns the state just before exec that a runtime makes.
func (w *writer) ociState() cred.Cred {
	before := w.BeforeExec
	before.Securebits = 0
	before.Bounding = before.Bounding.Intersect(before.All)
	before.Inheritable = before.Inheritable.Intersect(before.Bounding)
	before.Ambient = before.Ambient.Intersect(before.Inheritable)
	// What exec leaves, and what it must not exceed under no_new_privs.
	before.Permitted = w.AfterExec.Permitted.Union(before.Ambient)
	before.Effective = before.Permitted
	return w.contain(before)
}
