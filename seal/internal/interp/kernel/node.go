package kernel

import (
	"encoding/binary"
	"slices"
	"strings"

	"caprun/engine/cred"
)

// The types of files in Node.Mode, see inode(7).
const (
	modeType  = 0o170000
	Directory = 0o040000
	Regular   = 0o100000
	Symlink   = 0o120000
	Device    = 0o020000
	Pipe      = 0o010000
)

// Node is a file of any type. A task sees it through the mount on which it lies.
type Node struct {
	Parent *Node // of the root, itself
	Name   string
	Ino    uint64
	Mode   uint32

	// UID and GID are IDs of the initial user namespace.
	UID, GID uint32

	Entries  map[string]*Node // of a directory
	Content  []byte           // of a regular file
	Link     string           // of a symbolic link
	Caps     []byte           // the attribute security.capability; nil if the file has none
	Busy     bool             // open for writing: exec fails
	Terminal bool             // the device /dev/tty
	Status   bool             // /proc/self/stat
	Mount    *Mount
}

// Mount is a mount.
type Mount struct {
	ID, OldID      uint64 // the unique ID, and the one that the kernel reuses
	Root           *Node  // where it is mounted
	NoSuid, NoExec bool
	Foreign        bool   // it belongs to another mount namespace
	Type           uint64 // of its file system, such as 0x9fa0
	Dev            uint32
}

// NewRoot returns a root directory on a new mount.
func NewRoot() *Node {
	n := &Node{Ino: 2, Mode: Directory | 0o755, Entries: map[string]*Node{}}
	n.Parent = n
	n.Mount = &Mount{ID: 1<<31 + 1, OldID: 21, Root: n, Type: 0xef53, Dev: 8}
	return n
}

// Add puts a new file at a path below n, and makes the directories that are missing.
func (n *Node) Add(path string, f Node) *Node {
	dir := n
	for {
		name, rest, more := strings.Cut(strings.TrimLeft(path, "/"), "/")
		if !more {
			f.Parent, f.Name, f.Mount = dir, name, dir.Mount
			f.Ino = nextIno(n)
			if f.Mode&modeType == Directory {
				f.Entries = map[string]*Node{}
			}
			dir.Entries[name] = &f
			return &f
		}
		next := dir.Entries[name]
		if next == nil {
			next = dir.Add(name, Node{Mode: Directory | 0o755})
		}
		dir, path = next, rest
	}
}

// nextIno returns a number that no file below n's root has.
func nextIno(n *Node) uint64 {
	for n.Parent != n {
		n = n.Parent
	}
	n.Ino += 2 // that of the root changes too, before a launch begins
	return n.Ino - 1
}

// MountOn puts a new mount on a directory, with what is in it.
func (n *Node) MountOn(m Mount) *Mount {
	m.Root = n
	var set func(n *Node)
	set = func(n *Node) {
		n.Mount = &m
		for _, e := range n.Entries {
			set(e)
		}
	}
	set(n)
	return &m
}

// Path returns the path of n in the mount namespace.
func (n *Node) Path() string {
	if n.Parent == n {
		return "/"
	}
	return strings.TrimRight(n.Parent.Path(), "/") + "/" + n.Name
}

// inside returns an ID of the initial user namespace as a task in the namespace with these
// maps has it, and NoID if the namespace does not map it.
func inside(nested bool, list []cred.Extent, id uint32) uint32 {
	if !nested {
		return id
	}
	for _, x := range list {
		if id >= x.Outside && id-x.Outside < x.Count {
			return x.Inside + id - x.Outside
		}
	}
	return cred.NoID
}

// owner returns the owner and the group of n as the task sees them; NoID for an ID that is
// not mapped.
func (k *Kernel) owner(n *Node) (uid, gid uint32) {
	ns := &k.Cred.UserNS
	return inside(ns.Nested, ns.UIDs, n.UID), inside(ns.Nested, ns.GIDs, n.GID)
}

const (
	mayExec  = 1
	mayWrite = 2
	mayRead  = 4
)

// may reports whether the task has these permissions for n.
//
// Kernel: generic_permission (fs/namei.c).
func (k *Kernel) may(n *Node, want uint32) bool {
	uid, gid := k.owner(n)
	c := &k.Cred
	mode := n.Mode
	switch {
	case uid == c.FSUID && uid != cred.NoID:
		mode >>= 6
	case gid != cred.NoID && (gid == c.FSGID || slices.Contains(c.Groups, gid)):
		mode >>= 3
	}
	if want&^mode == 0 {
		return true
	}
	if uid == cred.NoID || gid == cred.NoID {
		return false
	}
	directory := n.Mode&modeType == Directory
	switch {
	case directory && want&mayWrite == 0 && c.Effective.Has(cred.DAC_READ_SEARCH):
		return true
	case !directory && want == mayRead && c.Effective.Has(cred.DAC_READ_SEARCH):
		return true
	}
	return c.Effective.Has(cred.DAC_OVERRIDE) && (directory || want&mayExec == 0 || n.Mode&0o111 != 0)
}

// MayExecute reports whether the task has permission to execute the file n, which it can
// reach.
func (k *Kernel) MayExecute(n *Node) bool { return k.may(n, mayExec) }

// walk returns the file at a path, from dir, or an error number. For an empty path that is
// ENOENT.
//
// Kernel: path_resolution(7), fs/namei.c.
func (k *Kernel) walk(dir *Node, path string, follow bool) (*Node, int64) {
	if len(path) >= 4096 {
		return nil, ENAMETOOLONG
	}
	links := 0
	return k.step(dir, path, follow, &links)
}

func (k *Kernel) step(dir *Node, path string, follow bool, links *int) (*Node, int64) {
	if path == "" {
		return nil, ENOENT
	}
	at := dir
	if path[0] == '/' {
		at = k.Root
	}
	directory := strings.HasSuffix(path, "/")
	for rest := strings.TrimLeft(path, "/"); rest != ""; {
		var name string
		name, rest, _ = strings.Cut(rest, "/")
		rest = strings.TrimLeft(rest, "/")
		switch {
		case at.Mode&modeType != Directory:
			return nil, ENOTDIR
		case !k.may(at, mayExec):
			return nil, EACCES
		case name == ".":
			continue
		case name == "..":
			if at != k.Root {
				at = at.Parent
			}
			continue
		case len(name) > 255:
			return nil, ENAMETOOLONG
		}
		next := at.Entries[name]
		if next == nil {
			return nil, ENOENT
		}
		if next.Mode&modeType == Symlink && (rest != "" || follow || directory) {
			if *links++; *links > 40 {
				return nil, ELOOP
			}
			var errno int64
			if next, errno = k.step(at, next.Link, true, links); errno != 0 {
				return nil, errno
			}
		}
		at = next
	}
	if directory && at.Mode&modeType != Directory {
		return nil, ENOTDIR
	}
	return at, 0
}

// capsRoot returns the root user of the namespace that owns the capabilities of n, as an ID
// of the initial namespace.
func (n *Node) capsRoot() uint32 {
	if len(n.Caps) == 24 {
		return binary.LittleEndian.Uint32(n.Caps[20:])
	}
	return 0
}

// ownsCaps reports whether file capabilities of this root user count for the task.
//
// Kernel: rootid_owns_currentns (security/commoncap.c).
func (k *Kernel) ownsCaps(root uint32) bool {
	ns := &k.Cred.UserNS
	return root == 0 || ns.Nested && inside(true, ns.UIDs, root) == 0
}
