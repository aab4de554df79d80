package engine

import (
	"slices"

	"caprun/engine/machine"
)

// KnownIDs reports whether the plan knows the uids, the gids and the groups of the target.
// An unknown one belongs to a user or a group that was not looked up; its value in the plan
// is a placeholder.
func (p *Plan) KnownIDs() (uid, gid, groups bool) {
	_, unknownUID := p.Identity.UnknownUID(p.Identity.UID)
	_, unknownGID := p.Identity.UnknownGID(p.Identity.GID)
	return !unknownUID, !unknownGID, !slices.ContainsFunc(p.Identity.Groups, func(n uint32) bool { _, unknown := p.Identity.UnknownGID(n); return unknown })
}

// Effect describes the set-id bits and file capabilities of t.File, such as "/usr/bin/su is
// set-user-ID (uid 0)", and whether the kernel ignores them.
func (t Target) Effect() string {
	text := (&compiler{Plan: Plan{Target: t}}).targetEffect() + t.ignored()
	for _, a := range t.Alternatives {
		text += "; " + a.Unknown + ": the target starts in the same state either way"
	}
	return text
}

// ignored returns why the kernel ignores the set-id bits and file capabilities of t.File;
// empty if it does not.
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
