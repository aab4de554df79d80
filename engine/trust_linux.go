package engine

import (
	"errors"
	"fmt"
	"os"
	"slices"
	"strings"

	"caprun/engine/cred"

	"golang.org/x/sys/unix"
)

// TrustError says who else could have written a file.
type TrustError struct {
	Path   string // the file or a directory above it
	Reason string
	Hint   string // the command that mends it
}

// Error returns the path, the reason and the command that mends it.
func (e *TrustError) Error() string { return e.Path + " " + e.Reason + "; " + e.Hint }

// ReadTrusted reads the first max bytes of a regular file, once, from one open
// descriptor. When strict, the file and every directory and link on the way
// to it must be out of the reach of others: owned by root, by the real uid or,
// when that is 0, by the uid in SUDO_UID, and not writable by the world, a
// group other than gid 0 or whom an access control list names. The entries of a
// sticky directory are safe when they have such an owner themselves, a read-only
// mount counts as unwritable, and an owner that the user namespace does not map
// is trusted. The error is a *TrustError or one of the system.
func ReadTrusted(path string, max int, strict bool) ([]byte, error) {
	if !strings.HasPrefix(path, "/") {
		dir, err := unix.Getwd()
		if err != nil {
			return nil, fmt.Errorf("working directory: %w", err)
		}
		path = dir + "/" + path
	}
	root, err := openDir(unix.AT_FDCWD, "/")
	if err != nil {
		return nil, err
	}
	defer unix.Close(root)
	r := &resolver{root: root, cwd: root}
	t := newTrust()
	at := trail("/")
	if strict {
		var st unix.Stat_t
		if err := unix.Fstat(root, &st); err != nil {
			return nil, err
		}
		if err := t.check(root, "/", &st); err != nil {
			return nil, err
		}
		r.passes = func(fd int, name string, st unix.Stat_t) error {
			at.enter(name)
			return t.check(fd, string(at), &st)
		}
		r.jumps = at.follow
	}
	f, err := r.walk(path)
	if err != nil {
		return nil, err
	}
	defer f.close()
	if f.st.Mode&unix.S_IFMT != unix.S_IFREG {
		return nil, errNotRegular
	}
	fd, err := openRead(f.dir, f.name)
	if err != nil {
		return nil, err
	}
	defer unix.Close(fd)
	var st unix.Stat_t
	if err := unix.Fstat(fd, &st); err != nil {
		return nil, err
	}
	if identifyFile(&st) != identifyFile(&f.st) {
		return nil, errors.New("it changed while it was opened")
	}
	if strict && st.Mode&groupWrites != 0 && !readOnly(fd) {
		if err := t.checkACL(fd, string(at)); err != nil {
			return nil, err
		}
	}
	data, err := readDescriptor(fd, max)
	if errors.Is(err, unix.EFBIG) {
		err = nil
	}
	return data, err
}

var errNotRegular = errors.New("not a regular file")

// trust knows whose files can be believed.
type trust struct {
	uid    uint32 // who asks
	owners []uint32

	// The user namespace is read when an owner is none of these.
	readNS  bool
	ns      cred.UserNS
	knowsNS bool // its maps could be read
}

func newTrust() *trust {
	uid := uint32(os.Getuid())
	t := &trust{uid: uid, owners: []uint32{0, uid}}
	if uid == 0 {
		if text := os.Getenv("SUDO_UID"); text != "" {
			if sudo, err := parseID(text); err == nil {
				t.owners = append(t.owners, sudo)
			}
		}
	}
	return t
}

func (t *trust) owner(uid uint32) bool {
	return slices.Contains(t.owners, uid) || !t.mapsUID(uid)
}

// mapsUID reports whether the user namespace has a uid.
func (t *trust) mapsUID(uid uint32) bool {
	if !t.readNS {
		t.readNS = true
		t.ns, t.knowsNS = readUserNS()
		if !t.ns.MapsUID(t.uid) && t.uid != cred.OverflowID {
			// The map lacks who asks: it was not read right, and would make
			// every owner one that it does not have.
			t.ns, t.knowsNS = cred.UserNS{}, false
		}
	}
	return t.ns.MapsUID(uid)
}

// chown returns what makes an owner trusted.
func (t *trust) chown(path string, st *unix.Stat_t) string {
	switch {
	case !t.knowsNS && st.Uid == cred.OverflowID:
		return "in a user namespace mount /proc, where caprun sees that nobody there is this owner, or use -profile -"
	case st.Mode&unix.S_IFMT == unix.S_IFLNK:
		return "chown -h root " + quote(path)
	}
	return "chown root " + quote(path)
}

// check looks at one entry on the way to a file.
func (t *trust) check(fd int, path string, st *unix.Stat_t) error {
	kind := st.Mode & unix.S_IFMT
	switch {
	case kind != unix.S_IFREG && kind != unix.S_IFDIR && kind != unix.S_IFLNK:
		return errNotRegular
	case !t.owner(st.Uid):
		return &TrustError{path, fmt.Sprintf("belongs to uid %d, who could change it", st.Uid), t.chown(path, st)}
	case kind == unix.S_IFLNK:
		// A link has no mode: who may write its directory may replace it.
		return nil
	}
	if kind == unix.S_IFDIR && st.Mode&unix.S_ISVTX != 0 {
		// Only the owner of an entry can replace it, and its owner is checked next.
		return nil
	}
	world, group := st.Mode&worldWrites != 0, st.Mode&groupWrites != 0
	switch {
	case !world && !group, readOnly(fd):
		return nil
	case world:
		return &TrustError{path, "is writable by everyone", "chmod o-w " + quote(path)}
	case st.Gid == 0 && kind == unix.S_IFDIR:
		dir, err := openAt(fd, ".", unix.O_RDONLY|unix.O_DIRECTORY)
		if err != nil {
			return fmt.Errorf("access control list of %s: %w", path, err)
		}
		defer unix.Close(dir)
		return t.checkACL(dir, path)
	case st.Gid == 0:
		// The list of a file is read once it is open.
		return nil
	}
	return &TrustError{path, fmt.Sprintf("is writable by group %d", st.Gid), "chmod g-w " + quote(path)}
}

// The bits of a mode that let others write.
const worldWrites, groupWrites = 0o002, 0o020

// readOnly reports whether the mount of a file cannot be written.
func readOnly(fd int) bool {
	var fs unix.Statfs_t
	err := unix.Fstatfs(fd, &fs)
	return err == nil && fs.Flags&unix.ST_RDONLY != 0
}

// quote returns path as a word for a shell.
func quote(path string) string {
	plain := func(r rune) bool {
		return r == '/' || r == '.' || r == '_' || r == '-' || r >= '0' && r <= '9' || r >= 'a' && r <= 'z' || r >= 'A' && r <= 'Z'
	}
	if strings.IndexFunc(path, func(r rune) bool { return !plain(r) }) < 0 {
		return path
	}
	return "'" + strings.ReplaceAll(path, "'", `'\''`) + "'"
}
