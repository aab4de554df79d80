package launches

import (
	"fmt"

	"caprun/engine/cred"
)

// Target is the program of a case. It prints its state.
type Target struct {
	// Via says whether the launch starts File or a script.
	Via Via

	// File is the file whose mode, owner and capabilities matter. Its ids are those
	// of the initial user namespace. NoSuid depends on the caller.
	File cred.File

	// RootID is the root user of the namespace that owns the capabilities, as in
	// version 3 of the attribute. 0 stands for version 2.
	RootID uint32
}

// Via says how a target is started.
type Via int

const (
	Direct      Via = iota
	Script          // a script, whose interpreter is the file
	PlainScript     // a script that is the file, with an ordinary interpreter
)

var viaNames = [...]string{"target", "script", "plain-script"}

// Path returns the path that the launch starts, in the directory of the case.
func (t Target) Path(dir string, chroot bool) string {
	if chroot {
		dir = ""
	}
	return dir + "/" + viaNames[t.Via]
}

// Mode returns the bits of the file for chmod(2).
func (t Target) Mode() uint32 {
	mode := uint32(0o755)
	if t.File.Setuid {
		mode |= 0o4000
	}
	if t.File.Setgid {
		mode |= 0o2000
		if !t.File.GroupExec {
			mode &^= 0o010
		}
	}
	return mode
}

// String describes the file.
func (t Target) String() string {
	s := fmt.Sprintf("%s: mode %04o, owner %d:%d", viaNames[t.Via], t.Mode(), t.File.UID, t.File.GID)
	if t.File.HasCaps {
		s += fmt.Sprintf(", capabilities permitted %v, inheritable %v, effective %v", t.File.Permitted, t.File.Inheritable, t.File.Effective)
		if t.RootID != 0 {
			s += fmt.Sprintf(" of the namespace of uid %d", t.RootID)
		}
	}
	return s
}

// Facts returns the facts about the file that exec heeds, for a caller in the user
// namespace ns.
func (t Target) Facts(ns cred.UserNS, nosuid bool) cred.File {
	if t.Via == PlainScript {
		return cred.File{NoSuid: nosuid}
	}
	f := t.File
	f.NoSuid = nosuid
	if f.HasCaps && t.RootID != 0 && (!ns.Nested || inside(ns.UIDs, t.RootID) != 0) {
		f.HasCaps, f.Permitted, f.Inheritable, f.Effective = false, 0, 0, false
	}
	if ns.Nested {
		// caprun sees an unmapped owner as 65534. Only the map of all ids contains
		// 65534 too, and there every owner in the cases is mapped.
		f.UID, f.GID = inside(ns.UIDs, f.UID), inside(ns.GIDs, f.GID)
	}
	return f
}

// inside returns the number of an initial-namespace id in a namespace with this map,
// or NoID.
func inside(lines []cred.Extent, id uint32) uint32 {
	for _, x := range lines {
		if id >= x.Outside && id-x.Outside < x.Count {
			return x.Inside + id - x.Outside
		}
	}
	return cred.NoID
}

// target returns a random target.
func (g *generator) target() Target {
	t := Target{File: cred.File{UID: pick(g, g.m.Owners), GID: pick(g, g.m.Groups), GroupExec: true}}
	if g.odds(20) {
		t.Via = pick(g, []Via{Script, PlainScript})
	}
	if g.odds(60) {
		t.File.UID, t.File.GID = g.m.Owners[0], g.m.Groups[0]
	}
	f := &t.File
	kind := g.IntN(20)
	if kind == 0 || kind == 1 || kind == 4 {
		f.Setuid = true
	}
	if kind == 2 || kind == 4 {
		f.Setgid = true
	}
	if kind == 3 && len(g.m.Groups) > 1 {
		f.Setgid, f.GroupExec, f.GID = true, false, g.m.Groups[len(g.m.Groups)-1]
	}
	if g.m.FileCaps && (kind >= 15 || kind < 4 && g.odds(15)) {
		f.HasCaps = true
		f.Effective = g.odds(50)
		f.Permitted, f.Inheritable = g.within(^cred.Caps(0)), g.within(^cred.Caps(0))
		if f.Permitted == ^cred.Caps(0) {
			f.Permitted = g.m.Start.All
		}
		if f.Inheritable == ^cred.Caps(0) {
			f.Inheritable = g.m.Start.All
		}
		if g.odds(15) {
			t.RootID = pick(g, []uint32{1000, 100000})
		}
	}
	return t
}
