package oci

import (
	"strconv"
	"strings"

	"caprun/platform/declared"
	"caprun/platform/internal/jsontree"
	"caprun/policy"
)

// processKeys are the keys of process.
var processKeys = [...]string{
	"terminal", "consoleSize", "user", "args", "commandLine", "env", "cwd", "capabilities", "rlimits",
	"noNewPrivileges", "apparmorProfile", "oomScoreAdj", "scheduler", "selinuxLabel", "ioPriority", "execCPUAffinity",
}

// Limits of a profile, above which all values of a key are lost.
const (
	maxVariables = 1024
	maxArguments = 1024
	maxGroups    = 1024
)

// defaultUmask is the umask that the runtimes set if the file has none.
const defaultUmask = 0o022

func (r *reader) process(n *jsontree.Node) {
	r.checkKeys(n, processKeys[:], true)
	r.user(n)
	if m, ok := r.member(n, "noNewPrivileges", jsontree.Bool); ok && m.Value.Text == "true" {
		r.p.Profile.NoNewPrivs = true
		r.p.From("no_new_privs", r.of(m))
	}
	r.capabilities(n)
	r.arguments(n)
	r.environment(n)
	if m, ok := r.member(n, "cwd", jsontree.String); ok {
		r.cwd(m)
	}
	r.rlimits(n)

	// The runtimes call setsid(2).
	r.p.Profile.NewSession = true
	if m, ok := r.member(n, "terminal", jsontree.Bool); ok && m.Value.Text == "true" {
		r.p.AddLoss(r.of(m), "the process has a terminal of its own")
	}
}

// number reads a whole number of at most bits bits.
func (r *reader) number(m jsontree.Member, bits int) (uint64, bool) {
	if m.Value.Kind != jsontree.Number {
		r.refuse(m.Value.Position, "write a number without quotes", "%s must be a number, not %s: crun reads it as 0", m.Key, m.Value.Kind)
		return 0, false
	}
	n, err := strconv.ParseUint(m.Value.Text, 10, bits)
	if err != nil {
		r.refuse(m.Value.Position, "", "invalid %s %s: want a whole number of at most %d bits", m.Key, shown(m.Value.Text), bits)
	}
	return n, err == nil
}

// id reads a user or group ID.
func (r *reader) id(m jsontree.Member) (uint32, bool) {
	n, ok := r.number(m, 32)
	if ok && n == 1<<32-1 {
		r.refuse(m.Value.Position, "", "invalid %s %d: to the kernel it means no change", m.Key, n)
		return 0, false
	}
	const largest = 1<<31 - 1 // of runc
	if ok && n > largest {
		r.p.AddFinding(declared.Refused, r.of(m), "", "%s %d is above %d: runc refuses to start", m.Key, n, largest)
	}
	return uint32(n), ok
}

// user reads the IDs, the groups and the umask. The runtimes start a process without a user
// as root.
func (r *reader) user(process *jsontree.Node) {
	p := &r.p.Profile
	uid, gid, umask := uint32(0), uint32(0), uint32(defaultUmask)
	p.UID, p.GID, p.Umask, p.Groups = &uid, &policy.Group{}, &umask, []policy.Group{}
	user, ok := r.member(process, "user", jsontree.Object)
	if !ok {
		return
	}
	r.checkKeys(user.Value, []string{"uid", "gid", "umask", "additionalGids", "username"}, true)
	if m, ok := user.Value.Member("uid"); ok {
		if id, ok := r.id(m); ok {
			uid = id
			r.p.From("uid", r.of(m))
		}
	}
	if m, ok := user.Value.Member("gid"); ok {
		if id, ok := r.id(m); ok {
			gid = id
			r.p.From("gid", r.of(m))
		}
	}
	p.GID.ID = gid
	if m, ok := user.Value.Member("umask"); ok {
		if n, ok := r.number(m, 32); ok {
			umask = uint32(n) & 0o777 // as umask(2)
			r.p.From("umask", r.of(m))
		}
	}
	if m, ok := r.member(user.Value, "username", jsontree.String); ok {
		r.p.AddFinding(declared.Ignored, r.of(m), "write uid and gid", "username has no effect on Linux")
	}
	r.groups(user, gid)
}

// groups reads the supplementary groups. A launch with the profile adds the gid to them.
func (r *reader) groups(user jsontree.Member, gid uint32) {
	at := r.of(user)
	hasGID, seen := false, map[uint32]bool{}
	if m, ok := r.member(user.Value, "additionalGids", jsontree.Array); ok {
		at = r.of(m)
		r.p.From("groups", at)
		for _, item := range m.Value.Items {
			id, ok := r.id(jsontree.Member{Key: m.Key, At: item.Position, Value: item})
			if !ok || seen[id] {
				continue
			}
			seen[id], hasGID = true, hasGID || id == gid
			r.p.Profile.Groups = append(r.p.Profile.Groups, policy.Group{ID: id})
		}
	}
	if !hasGID {
		r.p.AddLoss(at, "the supplementary groups lack the gid %d, which a launch with the profile adds", gid)
	}
	if len(r.p.Profile.Groups) > maxGroups {
		r.p.AddLoss(at, "a profile has at most %d groups", maxGroups)
		r.p.Profile.Groups = nil
	}
}

func (r *reader) arguments(process *jsontree.Node) {
	m, ok := r.member(process, "args", jsontree.Array)
	if !ok {
		return
	}
	args := r.strings(m)
	if len(args) == 0 || r.refused.List != nil {
		return
	}
	command := make([]string, 0, len(args))
	for _, a := range args {
		command = append(command, a.Text)
	}
	at := r.of(m)
	if len(command) > maxArguments || !accepts(policy.Profile{Command: command}) {
		r.p.AddLoss(at, "a profile cannot have this command")
		return
	}
	at.Text += ": " + bounded(strings.Join(command, " "))
	r.p.Profile.Command = command
	r.p.From("command", at)
}

// environment reads the variables. The process has no others, except HOME.
func (r *reader) environment(process *jsontree.Node) {
	env := &policy.Env{Keep: []string{}}
	r.p.Profile.Env = env
	m, ok := r.member(process, "env", jsontree.Array)
	if !ok {
		r.addHomeLoss(r.p.At)
		return
	}
	r.p.From("env", r.of(m))
	items := r.strings(m)
	if len(items) > maxVariables {
		r.p.AddLoss(r.of(m), "a profile has at most %d variables", maxVariables)
		return
	}
	set := map[string]string{}
	home := false
	for _, item := range items {
		at := r.source(item.Position, bounded(item.Text))
		name, value, ok := strings.Cut(item.Text, "=")
		home = home || name == "HOME"
		if !ok {
			r.p.AddFinding(declared.Refused, at, "write NAME=VALUE", "invalid variable %s: runc refuses to start, and crun passes it on", shown(item.Text))
			continue
		}
		if _, again := set[name]; again {
			r.p.AddFinding(declared.Ignored, at, "remove one", "variable %s is set twice: the runtimes pass the last value", shown(name))
			delete(set, name)
			delete(r.p.Origins, "env.set."+name)
		}
		if !accepts(policy.Profile{Env: &policy.Env{Set: map[string]string{name: value}}}) {
			r.p.AddLoss(at, "a profile cannot have the variable %s with this value", shown(name))
			continue
		}
		set[name] = value
		r.p.From("env.set."+name, at)
	}
	if len(set) > 0 {
		env.Set = set
	}
	if !home {
		r.addHomeLoss(r.of(m))
	}
}

// addHomeLoss records that the runtimes set HOME.
func (r *reader) addHomeLoss(at declared.Source) {
	r.p.AddLoss(at, "the runtime sets HOME to the directory that /etc/passwd of the root file system has for the uid, or to /")
}

func (r *reader) cwd(m jsontree.Member) {
	at, path := r.of(m), m.Value.Text
	switch {
	case !strings.HasPrefix(path, "/"):
		r.p.AddFinding(declared.Refused, at, "write an absolute path", "cwd is a relative path: runc refuses to start")
	case accepts(policy.Profile{Cwd: path}):
		r.p.Profile.Cwd = path
		r.p.From("cwd", at)
	default:
		r.p.AddLoss(at, "a profile cannot have this cwd")
	}
}
