package launches

import (
	"fmt"
	"slices"
	"strconv"
	"strings"

	"caprun/engine/cred"
)

// Place is where a case is launched.
type Place struct {
	Dir string

	// The names in the root directory, and in the root directory of profiles with
	// chroot.
	Root, Jail string
}

// Around compares a target with the profile of the case, except for credentials, and
// returns the differences. caller is the report of the same program started instead
// of caprun.
func (c Case) Around(at Place, q Promise, from cred.Cred, caller, target Report) []string {
	p := c.Profile
	want := map[string]string{
		"cwd":         caller.Lines["cwd"],
		"root":        at.Root,
		"parents":     at.Root,
		"umask":       caller.Lines["umask"],
		"descriptors": "0 1 2",
		"stdin":       "the null device",
		"args":        fmt.Sprintf("%q", c.arguments(at.Dir)),
	}
	if p.Chroot {
		want["root"], want["parents"], want["cwd"] = at.Jail, at.Jail, "/"
	}
	if p.Cwd != "" {
		want["cwd"] = p.cwd(at.Dir)
	}
	if p.Umask != "" {
		want["umask"] = p.Umask
		if len(p.Umask) == 3 {
			want["umask"] = "0" + p.Umask
		}
	}
	for _, fd := range p.Keep {
		want["descriptors"] += fmt.Sprint(" ", fd)
		if fd == 7 {
			want["descriptors"] += "(directory)"
		}
	}
	for name, value := range caller.Lines {
		if strings.HasPrefix(name, "limit ") {
			want[name] = value
		}
	}
	if soft, hard, _ := strings.Cut(want["limit stack"], " "); target.Lines["at_secure"] == "1" && above(soft, secureStack) {
		want["limit stack"] = secureStack + " " + hard
	}
	for _, l := range p.Limits {
		want["limit "+l.Name] = l.Soft + " " + l.Hard
	}
	faults := target.Compare(want)
	if env := c.environment(q, from, caller, target); !slices.Equal(env, target.Env) {
		faults = append(faults, fmt.Sprintf("environment: %q, not %q", target.Env, env))
	}
	return faults
}

// secureStack is the stack limit to which the kernel lowers a larger one when a
// program starts with AT_SECURE.
const secureStack = "8388608"

// above reports whether limit a is above limit b.
func above(a, b string) bool {
	if a == "unlimited" || b == "unlimited" {
		return a != b && a == "unlimited"
	}
	return len(a) > len(b) || len(a) == len(b) && a > b
}

// arguments returns the target's command line. The interpreter of a script gets its
// own path first.
func (c Case) arguments(dir string) []string {
	path := c.Target.Path(dir, c.Profile.Chroot)
	switch c.Target.Via {
	case Script:
		return []string{strings.TrimSuffix(path, "script") + "target", path}
	case PlainScript:
		return []string{strings.TrimSuffix(path, "plain-script") + "plain", path}
	}
	return []string{path}
}

// removesLoader reports whether a launch must remove loader variables, from the
// reports of caller and target: the uids, gids or groups differ, or the target is not
// root and has a capability.
func removesLoader(caller, target map[string]string) bool {
	for _, name := range [...]string{"uids", "gids", "groups"} {
		if caller[name] != target[name] {
			return true
		}
	}
	bits, err := strconv.ParseUint(target["securebits"], 16, 32)
	root := target["uids"] == "0 0 0 0" && err == nil && bits&1 == 0
	return !root && target["permitted"] != "0"
}

// environment returns the expected environment of the target, sorted.
func (c Case) environment(q Promise, from cred.Cred, caller, target Report) []string {
	spec := c.Profile.Env
	if spec == nil {
		spec = &Env{}
	}
	removed := removesLoader(caller.Lines, target.Lines)
	env := map[string]string{}
	for _, entry := range caller.Env {
		name, value, _ := strings.Cut(entry, "=")
		if spec.Keep != nil && !slices.Contains(spec.Keep, name) {
			continue
		}
		if removed && (strings.HasPrefix(name, "LD_") || name == "TMPDIR") {
			continue
		}
		env[name] = value
	}
	if q.newUser(from) {
		home, user := "/", ""
		if q.Entry != nil {
			home, user = q.Entry.Home, q.Entry.Name
		}
		for name, value := range map[string]string{"HOME": home, "USER": user, "LOGNAME": user} {
			switch {
			case slices.Contains(spec.Keep, name):
			case value == "":
				delete(env, name)
			default:
				env[name] = value
			}
		}
	}
	for _, name := range spec.Unset {
		delete(env, name)
	}
	for _, v := range spec.Set {
		env[v[0]] = v[1]
	}
	list := []string{}
	for name, value := range env {
		list = append(list, name+"="+value)
	}
	slices.Sort(list)
	return list
}

// UnknownFileCaps is a part of the refusal of file capabilities that belong to another
// user namespace.
const UnknownFileCaps = "whether its file capabilities apply"

// ExpectedRefusal returns a part of the message with which a case that has a plan is
// refused, for a reason beyond the plan. It returns "" if the case must start.
func (c Case) ExpectedRefusal(from cred.Cred, caller Report) string {
	if id := c.Target.RootID; id != 0 && from.UserNS.Nested && c.Target.File.HasCaps {
		if at := inside(from.UserNS.UIDs, id); at != 0 && at != cred.NoID {
			return UnknownFileCaps
		}
	}
	for _, fd := range c.Profile.Keep {
		if !c.Caller.Keeps(fd) {
			return fmt.Sprintf("keep descriptor %d", fd)
		}
	}
	for _, l := range c.Profile.Limits {
		_, hard, _ := strings.Cut(caller.Lines["limit "+l.Name], " ")
		if above(l.Hard, hard) {
			return "set limit " + l.Name
		}
	}
	return ""
}

// Excluded reports whether the target is not executable for its group, and its group
// seems to be one of the caller or the profile: a group that the user namespace does
// not map looks like group 65534, to caprun too.
func (c Case) Excluded(m *Machine, from cred.Cred) bool {
	f := c.Target.File
	if !f.Setgid || f.GroupExec {
		return false
	}
	gid := f.GID
	if ns := from.UserNS; ns.Nested {
		if gid = inside(ns.GIDs, f.GID); gid == cred.NoID {
			gid = cred.OverflowID
		}
	}
	groups := append([]uint32{from.GID}, from.Groups...)
	if q := c.Profile.Promise(m.Users); q.Identity {
		groups = q.Groups
	}
	return slices.Contains(groups, gid)
}
