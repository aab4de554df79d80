package cmdline

import (
	"encoding/json"
	"slices"
	"strconv"
	"strings"

	"caprun/platform/containers"
	"caprun/platform/declared"
	"caprun/platform/internal/tree"
	"caprun/policy"
)

// run reads a command line of docker run or podman run.
func (c *command) run(engine containers.Engine) *problem {
	rest, p := c.subcommand()
	if p != nil {
		return p
	}
	c.ClearEnv()
	r := &runner{command: c, engine: engine}
	rest, p = r.flags(rest)
	if p != nil {
		return p
	}
	if len(rest) == 0 {
		return &problem{word{at: c.At}, "add the name of an image", "no image is declared"}
	}
	image := rest[0]
	if r.rootfs {
		c.Lose(image.at, "the container has the root directory %s", containers.Short(image.Text))
	}
	r.finish(rest[1:])
	c.Name = c.name + "-" + containers.Short(imageName(image.Text))
	return nil
}

// imageName returns the last part of the name of an image, without its version.
func imageName(image string) string {
	if n := strings.LastIndexByte(image, '/'); n >= 0 {
		image = image[n+1:]
	}
	image, _, _ = strings.Cut(image, "@")
	image, _, _ = strings.Cut(image, ":")
	return image
}

// subcommand returns the words after run or create.
func (c *command) subcommand() ([]word, *problem) {
	rest := c.args
	for len(rest) > 0 && strings.HasPrefix(rest[0].Text, "-") {
		skip := 1
		if slices.Contains(globalFlags[:], rest[0].Text) {
			skip = 2
		}
		rest = rest[min(skip, len(rest)):]
	}
	if len(rest) > 0 && rest[0].Text == "container" {
		rest = rest[1:]
	}
	if len(rest) == 0 {
		return nil, &problem{word{at: c.At}, "write " + c.name + " run", "no subcommand is declared"}
	}
	if rest[0].Text != "run" && rest[0].Text != "create" {
		return nil, &problem{rest[0], "write " + c.name + " run", "the subcommand " + quote(rest[0].Text) + " starts no container"}
	}
	return rest[1:], nil
}

// runner reads the flags of a container.
type runner struct {
	*command
	engine     containers.Engine
	request    containers.Request
	user       *flag
	groups     []flag
	entrypoint *flag
	rootfs     bool
}

// flag is a flag with its value.
type flag struct {
	name, value string
	at          declared.Source
	expands     bool
}

// flags reads the flags before the image, and returns the words from the image on.
func (r *runner) flags(rest []word) ([]word, *problem) {
	for len(rest) > 0 {
		w := rest[0]
		switch {
		case w.Text == "--":
			return rest[1:], nil
		case w.Text == "-" || !strings.HasPrefix(w.Text, "-"):
			if w.Expands {
				return nil, &problem{w, "write the value", "a shell expands " + quote(w.Text) + ", which can be flags or the image"}
			}
			return rest, nil
		}
		rest = rest[1:]
		var p *problem
		if strings.HasPrefix(w.Text, "--") {
			rest, p = r.long(w, rest)
		} else {
			rest, p = r.short(w, rest)
		}
		if p != nil {
			return nil, p
		}
	}
	return nil, nil
}

// long reads a flag such as --user=1 or --user 1.
func (r *runner) long(w word, rest []word) ([]word, *problem) {
	name, value, has := strings.Cut(strings.TrimPrefix(w.Text, "--"), "=")
	f := flag{name: name, value: value, at: w.at, expands: w.Expands}
	switch {
	case isSwitch(name):
		if !has {
			f.value = "true"
		}
	case !hasValue(name):
		hint := ""
		if meant := policy.Suggest(name, slices.Concat(privilegeFlags[:], privilegeSwitches[:], flagsWithValue[:], flagsWithoutValue[:])); meant != "" {
			hint = "did you mean --" + meant + "?"
		}
		return nil, &problem{w, hint, "unknown flag " + quote("--"+name)}
	case !has:
		if len(rest) == 0 {
			return nil, &problem{w, "add a value", "the flag --" + name + " has no value"}
		}
		f.value, f.expands = rest[0].Text, rest[0].Expands
		f.at = joined(w, rest[0])
		rest = rest[1:]
	}
	r.flag(f)
	return rest, nil
}

// joined returns a flag and its value in the next word as one declaration.
func joined(w, next word) declared.Source {
	at := w.at
	at.Text += " " + next.at.Text
	at.EndLine, at.EndColumn = next.at.EndLine, next.at.EndColumn
	return at
}

// short reads flags such as -it, -u1 or -u 1.
func (r *runner) short(w word, rest []word) ([]word, *problem) {
	for text := w.Text[1:]; text != ""; {
		name := shortFlag(text[0])
		if name == "" {
			return nil, &problem{w, "", "unknown flag " + quote("-"+text[:1])}
		}
		text = text[1:]
		if isSwitch(name) {
			value := "true"
			if after, ok := strings.CutPrefix(text, "="); ok {
				value, text = after, ""
			}
			r.flag(flag{name: name, value: value, at: w.at, expands: w.Expands})
			continue
		}
		f := flag{name: name, value: strings.TrimPrefix(text, "="), at: w.at, expands: w.Expands}
		if text == "" {
			if len(rest) == 0 {
				return nil, &problem{w, "add a value", "the flag -" + string(w.Text[len(w.Text)-1]) + " has no value"}
			}
			f.value, f.expands, f.at = rest[0].Text, rest[0].Expands, joined(w, rest[0])
			rest = rest[1:]
		}
		r.flag(f)
		return rest, nil
	}
	return rest, nil
}

// shortFlag returns the name of a short form, or "".
func shortFlag(letter byte) string {
	for _, f := range shortFlags {
		if f.letter == letter {
			return f.name
		}
	}
	return ""
}

func isSwitch(name string) bool {
	return slices.Contains(flagsWithoutValue[:], name) || slices.Contains(privilegeSwitches[:], name)
}

func hasValue(name string) bool {
	return slices.Contains(flagsWithValue[:], name) || slices.Contains(privilegeFlags[:], name)
}

// flag takes a flag over.
func (r *runner) flag(f flag) {
	if !slices.Contains(privilegeFlags[:], f.name) && !slices.Contains(privilegeSwitches[:], f.name) {
		return
	}
	if f.expands {
		switch f.name {
		case "env":
			name, _, _ := strings.Cut(f.value, "=")
			r.Lose(f.at, "the variable %s has a value that a shell expands", containers.Short(name))
		case "user", "cap-add", "cap-drop", "privileged", "security-opt", "ulimit", "group-add":
			r.Find(declared.UnknownValue, f.at, "write the value", "the value of --%s is what a shell expands: %s", f.name, containers.Short(f.value))
		default:
			r.Lose(f.at, "--%s has a value that a shell expands: %s", f.name, containers.Short(f.value))
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
		r.Lose(f.at, "the process has the caller's variables that begin with %s", containers.Short(strings.TrimSuffix(name, "*")))
	default:
		r.KeepEnv(name, f.at)
	}
}

// umask declares the umask of podman run.
func (r *runner) umask(f flag) {
	v, err := strconv.ParseUint(f.value, 8, 32)
	if err != nil || v > 0o777 {
		r.Find(declared.Refused, f.at, "write octal digits", "%s refuses the umask %s", r.engine, quote(f.value))
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
			r.Find(declared.Refused, f.at, "write true or false", "%s refuses the value %s of --%s", r.engine, quote(f.value), f.name)
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
		r.Lose(f.at, "--env-file adds the variables of %s", containers.Short(f.value))
	case "device":
		r.Lose(f.at, "the container has the device %s", containers.Short(f.value))
	case "preserve-fd", "preserve-fds":
		r.Lose(f.at, "the process inherits descriptors: %s", containers.Short(f.value))
	default:
		r.Lose(f.at, "--%s is %s", f.name, containers.Short(f.value))
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
		r.Lose(f.at, "--privileged gives the container every device of the host, and no seccomp filter, AppArmor profile or masked path")
	case f.name == "read-only":
		r.Lose(f.at, "the root file system is read-only")
	case f.name == "init":
		r.Lose(f.at, "an init process with the same privileges starts the program")
	case f.name == "env-host":
		r.ClearEnv().KeepAll = true
		r.Profile.Env.Keep = nil
		r.From("env", f.at)
	case f.name == "use-api-socket":
		r.Lose(f.at, "the container has the socket of the engine, which starts containers with every privilege")
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

// finish declares the identity, the sets and the command.
func (r *runner) finish(args []word) {
	text, at := "", r.At
	if r.user != nil {
		text, at = r.user.value, r.user.at
	}
	r.request.User = r.engine.SetUser(&r.Draft, text, at)
	for _, g := range r.groups {
		if g.value == "keep-groups" && r.engine == containers.Podman {
			r.Lose(g.at, "the process has the groups of the caller")
			continue
		}
		r.Group(g.value, g.at)
	}
	r.engine.Declare(r.Process, r.request)
	r.entry(args)
}

// entry declares the program, if the command line replaces the entrypoint of the image.
func (r *runner) entry(args []word) {
	if r.entrypoint == nil || r.entrypoint.value == "" {
		switch {
		case len(args) == 0:
		case r.entrypoint != nil || r.rootfs:
			r.target(args)
		default:
			r.Lose(args[0].at, "the command is passed to the entrypoint of the image")
		}
		return
	}
	first := []string{r.entrypoint.value}
	if r.engine == containers.Podman {
		var list []string
		if json.Unmarshal([]byte(r.entrypoint.value), &list) == nil && len(list) > 0 {
			first = list
		}
	}
	program := make([]word, 0, len(first)+len(args))
	for _, text := range first {
		w := word{at: r.entrypoint.at}
		w.Text = text
		program = append(program, w)
	}
	r.target(append(program, args...))
}
