package engine

import (
	"caprun/engine/machine"
)

// KnownIDs reports which ids of the target the plan knows. The others belong to
// a user that was not looked up, and are placeholders.
func (p *Plan) KnownIDs() (uid, gid, groups bool) {
	looked, profile := p.Identity.Resolved, p.Profile
	uid = looked || !p.Identity.IsPlaceholder(p.Identity.UID)
	gid = looked || profile.GID != nil
	return uid, gid, looked || profile.GID != nil && profile.Groups != nil
}

// Inherited is something that the target inherits from the caller.
type Inherited struct {
	Key  string // the key of a profile that would change it
	What string // the same in words
}

// Inherited lists what the target inherits from the caller, because the profile
// has no key for it.
func (p *Plan) Inherited() []Inherited {
	var list []Inherited
	add := func(inherited bool, key, what string) {
		if inherited {
			list = append(list, Inherited{key, what})
		}
	}
	profile := p.Profile
	add(!p.Identity.Declared, "uid", "uid")
	add(!p.Identity.Declared, "gid", "gid")
	add(!p.Identity.Declared, "groups", "groups")
	add(p.Caller.Bounding == p.AfterExec.Bounding, "bounding", "bounding set")
	add(profile.Secbits == nil && profile.Mode == nil, "secbits", "securebits")
	add(!profile.NoNewPrivs && p.Caller.NoNewPrivs == p.AfterExec.NoNewPrivs, "no_new_privs", "no_new_privs")
	add(profile.Chroot == "", "chroot", "root directory")
	add(profile.Cwd == "" && profile.Chroot == "", "cwd", "working directory")
	add(profile.Umask == nil, "umask", "umask")
	add(len(profile.Rlimits) == 0, "rlimits", "resource limits")
	add(!profile.NewSession, "new_session", "session and controlling terminal")
	add(profile.Env == nil || profile.Env.KeepAll, "env", "environment, but for what is listed")
	return list
}

// Effect says what the file that decides about privilege does to credentials:
// "/usr/bin/su is set-user-id for uid 0".
func (t Target) Effect() string {
	text := (&compiler{Plan: Plan{Target: t}}).targetEffect() + t.ignored()
	for _, a := range t.Alternatives {
		text += "; " + a.Unknown + ": the target starts in the same state either way"
	}
	return text
}

// ignored says why the kernel ignores what the file has; empty where it does not.
func (t Target) ignored() string {
	f := t.File
	setsIDs := f.Setuid || f.Setgid && f.GroupExec
	switch {
	case !setsIDs && !f.HasCaps:
		return ""
	case f.NoSuid && t.ForeignMount:
		return ", which the kernel ignores: its mount belongs to another mount namespace"
	case f.NoSuid:
		return ", which the kernel ignores: its mount is nosuid"
	case setsIDs && machine.UnmappedOwner(f):
		return "; the kernel ignores the set-id bits: the user namespace does not map its owner or group"
	}
	return ""
}
