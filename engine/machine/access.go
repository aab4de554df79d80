package machine

import (
	"fmt"
	"slices"

	"caprun/engine/cred"
)

// Accessor is the process that calls execve(2) for the target. Its permissions decide
// which directories it may search and which files it may execute.
type Accessor struct {
	cred.Cred
	Name string // its name in messages, such as "uid 33"
}

// The mode bits that permissions depend on, see inode(7).
const (
	modeType      = 0o170000
	modeDirectory = 0o040000
	modeExecute   = 0o111
)

// may reports whether a may search a directory, or execute another file, with this
// mode, owner and group. It leaves out access control lists and security modules; the
// launch asks the kernel itself just before exec. A nil accessor stands for an unknown
// process: it may search every directory, and execute a file that some user may
// execute.
//
// Kernel: generic_permission (fs/namei.c).
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

// searchError reports that a process may not search a directory on the way to a file:
// EACCES of path_resolution(7).
type searchError struct {
	who, dir       string
	mode, uid, gid uint32
}

// Error returns who may not search which directory.
func (e *searchError) Error() string {
	return fmt.Sprintf("%s may not search %s (mode %04o, owner %d:%d)", e.who, e.dir, e.mode, e.uid, e.gid)
}
