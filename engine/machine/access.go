package machine

import (
	"fmt"
	"slices"

	"caprun/engine/cred"
)

// Accessor is the process that executes the target, in the state in which it
// calls execve(2): the kernel asks for its permission to search directories and
// to execute files.
type Accessor struct {
	cred.Cred
	Name string // what messages call it: "uid 33"
}

// The bits of a mode that permission depends on: inode(7).
const (
	modeType      = 0o170000
	modeDirectory = 0o040000
	modeExecute   = 0o111
)

// may reports whether the kernel lets the process search a directory, or execute
// another file, with this mode and these owners: generic_permission of fs/namei.c.
// Access control lists and security modules are left out: what depends on this is
// asked again of the kernel just before exec. A nil accessor stands for an
// unknown process: it may do what every process may.
func (a *Accessor) may(mode, uid, gid uint32) bool {
	directory := mode&modeType == modeDirectory
	if a == nil {
		return directory || mode&modeExecute != 0
	}
	class := mode
	switch {
	case uid == a.FSUID:
		class = mode >> 6
	case gid == a.FSGID || slices.Contains(a.Groups, gid):
		class = mode >> 3
	}
	if class&1 != 0 {
		return true
	}
	if !a.UserNS.MapsUID(uid) || !a.UserNS.MapsGID(gid) {
		return false // capable_wrt_inode_uidgid
	}
	if directory && a.Effective.Has(cred.DAC_READ_SEARCH) {
		return true
	}
	return a.Effective.Has(cred.DAC_OVERRIDE) && (directory || mode&modeExecute != 0)
}

// searchError says that a process may not search a directory on the way to a
// file: EACCES of path_resolution(7).
type searchError struct {
	who, dir       string
	mode, uid, gid uint32
}

// Error returns who may not search which directory.
func (e *searchError) Error() string {
	return fmt.Sprintf("%s may not search %s (mode %04o, owner %d:%d)", e.who, e.dir, e.mode, e.uid, e.gid)
}
