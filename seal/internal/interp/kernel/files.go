package kernel

import (
	"encoding/binary"
	"slices"
)

// flags checks that the value has no flags but the known ones.
func (c *call) flags(n int, known uint64) uint64 {
	v := uint64(c.id(n))
	if v&^known != 0 {
		c.fail("argument %d has flags %#x", n+1, v&^known)
	}
	return v
}

const (
	atCwd       = -100
	atNoFollow  = 0x100
	atEffective = 0x200
	atNoAuto    = 0x800
	atEmptyPath = 0x1000
)

// at returns the file that a directory descriptor and a path name, or an error number.
func (c *call) at(fd int, path string, flags uint64) (*Node, int64) {
	dir := c.Cwd
	if fd != atCwd && (path == "" || path[0] != '/') {
		f, ok := c.Files[fd]
		if !ok {
			return nil, EBADF
		}
		dir = f.Node
	}
	if path == "" && flags&atEmptyPath != 0 {
		return dir, 0
	}
	return c.walk(dir, path, flags&atNoFollow == 0)
}

func (c *call) chroot() int64 {
	n, errno := c.walk(c.Cwd, c.text(c.args[0]), true)
	switch {
	case errno != 0:
		return -errno
	case n.Mode&modeType != Directory:
		return -ENOTDIR
	case !c.may(n, mayExec):
		return -EACCES
	}
	result := c.try(c.Cred.Chroot())
	if result == 0 {
		c.Root = n
	}
	return result
}

func (c *call) chdir() int64 {
	n, errno := c.walk(c.Cwd, c.text(c.args[0]), true)
	switch {
	case errno != 0:
		return -errno
	case n.Mode&modeType != Directory:
		return -ENOTDIR
	case !c.may(n, mayExec):
		return -EACCES
	}
	c.Cwd = n
	return 0
}

const (
	statxBasic    = 0x7ff
	statxBirth    = 0x800
	statxMount    = 0x1000
	statxMountNew = 0x4000
)

// statx writes struct statx of 256 bytes.
func (c *call) statx() int64 {
	flags := c.flags(2, atNoFollow|atNoAuto|atEmptyPath)
	mask := c.flags(3, statxBasic|statxBirth|statxMount|statxMountNew)
	n, errno := c.at(c.fd(0), c.text(c.args[1]), flags)
	if errno != 0 {
		return -errno
	}
	have, mount := uint32(statxBasic|statxMount), n.Mount.OldID
	if mask&statxMountNew != 0 && !c.OldMountIDs {
		have, mount = statxBasic|statxMountNew, n.Mount.ID
	}
	uid, gid := c.owner(n)
	b := make([]byte, 256)
	put := func(at int, v uint32) { binary.LittleEndian.PutUint32(b[at:], v) }
	put(0, have)
	put(4, 4096)
	put(16, 1)
	put(20, shown(uid))
	put(24, shown(gid))
	binary.LittleEndian.PutUint16(b[28:], uint16(n.Mode))
	binary.LittleEndian.PutUint64(b[32:], n.Ino)
	binary.LittleEndian.PutUint64(b[40:], uint64(len(n.Content)))
	put(96, 1_700_000_000) // time of change
	if n.Terminal {
		put(128, 5)
	}
	put(136, n.Mount.Dev)
	put(140, 1)
	binary.LittleEndian.PutUint64(b[144:], mount)
	c.write(c.args[4], b)
	return 0
}

// fstatfs writes struct statfs of 120 bytes, on 64-bit machines.
func (c *call) fstatfs() int64 {
	const valid, nosuid, noexec = 0x20, 2, 8
	f, ok := c.Files[c.fd(0)]
	if !ok {
		return -EBADF
	}
	flags := uint64(valid)
	if f.Node.Mount.NoSuid {
		flags |= nosuid
	}
	if f.Node.Mount.NoExec {
		flags |= noexec
	}
	b := make([]byte, 120)
	binary.LittleEndian.PutUint64(b, f.Node.Mount.Type)
	binary.LittleEndian.PutUint64(b[8:], 4096)
	binary.LittleEndian.PutUint64(b[80:], flags)
	c.write(c.args[1], b)
	return 0
}

func (c *call) getxattr() int64 {
	n, errno := c.walk(c.Cwd, c.text(c.args[0]), true)
	if errno != 0 {
		return -errno
	}
	return c.attribute(n)
}

// attribute returns security.capability of n. The root user is as the task sees it.
//
// Kernel: cap_inode_getsecurity (security/commoncap.c).
func (c *call) attribute(n *Node) int64 {
	if name := c.text(c.args[1]); name != "security.capability" {
		c.fail("attribute %q", name)
	}
	if n.Caps == nil {
		return -ENODATA
	}
	value := slices.Clone(n.Caps)
	if len(value) != 20 && len(value) != 24 {
		return -EINVAL
	}
	ns := &c.Cred.UserNS
	root := inside(ns.Nested, ns.UIDs, n.capsRoot())
	switch {
	case root != shownRoot && root != 0:
		value = binary.LittleEndian.AppendUint32(value[:20], root)
		value[3] = 3
	case !c.ownsCaps(n.capsRoot()):
		return -EOVERFLOW
	default:
		value = value[:20]
		value[3] = 2
	}
	switch size := c.args[3]; {
	case size == 0:
	case size < uint64(len(value)):
		return -ERANGE
	default:
		c.write(c.args[2], value)
	}
	return int64(len(value))
}

// shownRoot is the ID of a root user that the namespace does not map.
const shownRoot = ^uint32(0)

const (
	openReadWrite = 2
	openNoTTY     = 0x100
	openNonBlock  = 0x800
	openCloexec   = 0x80000
	openPath      = 0x200000
)

// anonymous is the file of every eventfd, which has no type.
var anonymous = &Node{Ino: 3, Mode: 0o600, Mount: &Mount{ID: 1 << 31, OldID: 14, Type: 0x09041934, Dev: 14}}

// openat knows only flags that have the same value on every architecture: O_DIRECTORY and
// O_NOFOLLOW have not.
func (c *call) openat() int64 {
	flags := c.flags(2, openReadWrite|openNoTTY|openNonBlock|openCloexec|openPath)
	n, errno := c.at(c.fd(0), c.text(c.args[1]), 0)
	if errno != 0 {
		return -errno
	}
	f := File{Node: n, CloseOnExec: flags&openCloexec != 0, Path: flags&openPath != 0}
	if !f.Path {
		want := uint32(mayRead)
		if flags&openReadWrite != 0 {
			want |= mayWrite
		}
		switch kind := n.Mode & modeType; {
		case kind == Directory && want&mayWrite != 0:
			c.fail("open a directory for writing")
		case !c.may(n, want):
			return -EACCES
		case n.Terminal && !c.Terminal:
			return -ENXIO
		case kind == Pipe && flags&openNonBlock == 0:
			c.fail("open of a FIFO waits for a writer")
		}
	}
	return c.install(f, 0)
}

// install opens the lowest free descriptor, at least first.
func (c *call) install(f File, first int) int64 {
	for fd := first; uint64(fd) < c.Limits[limitNofile].Soft; fd++ {
		if _, used := c.Files[fd]; !used {
			c.Files[fd] = f
			return int64(fd)
		}
	}
	return -EMFILE
}

// content returns what read(2) returns of a file.
func (c *call) content(f File) ([]byte, int64) {
	switch {
	case f.Path:
		return nil, EBADF
	case f.Node.Mode&modeType == Directory:
		return nil, EISDIR
	case f.Node.Status:
		return c.status(), 0
	case f.Node.Mode&modeType != Regular:
		c.fail("read of a file with mode %o", f.Node.Mode)
	}
	return f.Node.Content, 0
}

func (c *call) pread() int64 {
	f, ok := c.Files[c.fd(0)]
	if !ok {
		return -EBADF
	}
	b, errno := c.content(f)
	if errno != 0 {
		return -errno
	}
	b = b[min(c.args[3], uint64(len(b))):]
	b = b[:min(c.args[2], uint64(len(b)))]
	c.write(c.args[1], b)
	return int64(len(b))
}

// readFile is read(2). The model has no file positions: it is always at the beginning, so a
// second read of the same file is an error of the test.
func (c *call) readFile() int64 {
	f, ok := c.Files[c.fd(0)]
	if !ok {
		return -EBADF
	}
	b, errno := c.content(f)
	if errno != 0 {
		return -errno
	}
	if f.used {
		c.fail("a second read of descriptor %d", c.fd(0))
	}
	f.used = true
	c.Files[c.fd(0)] = f
	b = b[:min(c.args[2], uint64(len(b)))]
	c.write(c.args[1], b)
	return int64(len(b))
}

func (c *call) close() int64 {
	if _, ok := c.Files[c.fd(0)]; !ok {
		return -EBADF
	}
	delete(c.Files, c.fd(0))
	return 0
}

// closeRange is CLOSE_RANGE_CLOEXEC.
func (c *call) closeRange() int64 {
	const cloexec = 4
	if c.args[2] != cloexec {
		c.fail("close_range flags %#x", c.args[2])
	}
	first, last := c.id(0), c.id(1)
	if first > last {
		return -EINVAL
	}
	for fd, f := range c.Files {
		if uint32(fd) >= first && uint32(fd) <= last {
			f.CloseOnExec = true
			c.Files[fd] = f
		}
	}
	return 0
}

func (c *call) eventfd() int64 {
	c.zero(0)
	flags := c.flags(1, openCloexec|openNonBlock)
	return c.install(File{Node: anonymous, CloseOnExec: flags&openCloexec != 0}, 0)
}

func (c *call) fcntl() int64 {
	const dup, getFlags, setFlags, dupCloexec = 0, 1, 2, 1030
	fd := c.fd(0)
	f, ok := c.Files[fd]
	if !ok {
		return -EBADF
	}
	switch operation := c.args[1]; operation {
	case getFlags:
		return yes(f.CloseOnExec)
	case setFlags:
		c.need(3)
		f.CloseOnExec = c.args[2]&1 != 0
		c.Files[fd] = f
		return 0
	case dup, dupCloexec:
		c.need(3)
		if c.args[2] >= c.Limits[limitNofile].Soft {
			return -EINVAL
		}
		f.CloseOnExec = operation == dupCloexec
		return c.install(f, int(c.args[2]))
	}
	c.fail("fcntl operation %d", c.args[1])
	return 0
}

// faccessat is for the effective IDs.
//
// Kernel: do_faccessat (fs/open.c).
func (c *call) faccessat() int64 {
	mode := uint32(c.flags(2, 7))
	if flags := c.flags(3, atEffective|atNoFollow|atEmptyPath); flags&atEffective == 0 {
		c.fail("faccessat2 without AT_EACCESS")
	}
	n, errno := c.at(c.fd(0), c.text(c.args[1]), c.args[3])
	switch {
	case errno != 0:
		return -errno
	case mode&mayExec != 0 && n.Mode&modeType == Regular && n.Mount.NoExec:
		return -EACCES
	case !c.may(n, mode):
		return -EACCES
	}
	return 0
}
