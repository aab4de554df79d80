package machine

import (
	"errors"
	"fmt"
	"os"
	"slices"
	"strings"

	"caprun/engine/cred"

	"golang.org/x/sys/unix"
)

// untrusted says who else could have written a file.
type untrusted struct {
	path   string // the file or a directory above it
	reason string
	hint   string // what to do, mostly a command
}

// Error returns the path and the reason.
func (e *untrusted) Error() string { return e.path + " " + e.reason }

// ReadTrusted reads the first max bytes of a regular file, once, from one open
// descriptor. When strict, which callers with privilege ask for, no other user
// may be able to change the file or a directory or link on the way to it. The
// error is an *Error or one of the system.
//
// The owner must be root or, when the real uid is 0, the user in SUDO_UID. The
// real uid of another caller is not trusted: processes of that user without the
// privilege of the caller could write the file. An owner that the user namespace
// does not map is trusted. Neither the world nor a group other than gid 0 nor a
// user of an access control list may have the permission to write.
//
// In a sticky directory the owner of each entry counts, also of a symbolic link;
// elsewhere who can write the directory replaces a link, and nobody changes its
// text. A directory that this mount namespace cannot write may have any mode; a
// file may not, since it may have another name elsewhere.
func ReadTrusted(path string, max int, strict bool) ([]byte, error) {
	data, err := readTrusted(path, max, strict)
	var refused *untrusted
	if errors.As(err, &refused) {
		err = &Error{Err: err, Hint: refused.hint}
	}
	return data, err
}

func readTrusted(path string, max int, strict bool) ([]byte, error) {
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
	at := walkedPath("/")
	if strict {
		var st unix.Stat_t
		if err := unix.Fstat(root, &st); err != nil {
			return nil, err
		}
		if err := t.check(root, "/", &st); err != nil {
			return nil, err
		}
		onRoot := t.sticky
		r.observer = pathObserver{
			onEntry: func(fd int, name string, st unix.Stat_t) error {
				at.enter(name)
				return t.check(fd, string(at), &st)
			},
			onSymlink: func(link string) {
				at.follow(link)
				if strings.HasPrefix(link, "/") {
					t.sticky = onRoot
				}
			},
		}
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
	if strict && st.Mode&groupWrites != 0 {
		if err := t.checkACL(fd, string(at)); err != nil {
			return nil, hintReadOnly(fd, err)
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
	uid    uint32 // the caller's real uid
	owners []uint32

	// sticky tells that the next entry lies in a sticky directory.
	sticky bool

	maps *ownerMaps // read when an owner is none of these
}

func newTrust() *trust {
	t := &trust{uid: uint32(os.Getuid()), owners: []uint32{0}}
	if t.uid == 0 {
		if text := os.Getenv("SUDO_UID"); text != "" {
			if sudo, err := ParseID(text); err == nil {
				t.owners = append(t.owners, sudo)
			}
		}
	}
	return t
}

// named reports whether a uid is that of a trusted user.
func (t *trust) named(uid uint32) bool { return slices.Contains(t.owners, uid) }

// checkOwner refuses an owner that is neither trusted by name nor unmapped.
func (t *trust) checkOwner(fd int, path string, st *unix.Stat_t) error {
	if t.named(st.Uid) {
		return nil
	}
	if t.maps == nil {
		t.maps = readTrustedMaps()
	}
	mapped := mapsOwner(*t.maps, fd, st)
	overflow := t.maps.overflow.uid
	if !t.maps.overflow.known {
		overflow = cred.OverflowID
	}
	isLink := st.Mode&unix.S_IFMT == unix.S_IFLNK
	switch {
	case mapped == answerNo && t.maps.nsKnown && t.maps.ns.Nested:
		// In the initial namespace it would be an owner that an idmapped mount
		// hides, who can be any user.
		return nil
	case mapped != answerYes && st.Uid == overflow && (t.maps.ns.Nested || !t.maps.nsKnown):
		e := &untrusted{path: path, hint: "pass the profile with -profile -"}
		e.reason = fmt.Sprintf("belongs to uid %d, or to a user whom the user namespace does not map: ", st.Uid)
		switch {
		case !t.maps.nsKnown:
			e.reason += "without /proc caprun cannot tell"
			e.hint = "mount -t proc proc /proc, or " + e.hint
		case isLink:
			e.reason += "of a symbolic link caprun cannot tell"
			e.hint = "name the file without the link, or " + e.hint
		default:
			e.reason += "caprun can tell only with cap_fowner in effect, on a local file system and with the permission to read"
		}
		return e
	case st.Uid == t.uid:
		return &untrusted{path, fmt.Sprintf("belongs to uid %d, the caller's own, and processes of that user without the caller's capabilities could change it", st.Uid),
			"copy the profile to /etc/caprun as root, pass it with -profile -, or start caprun with sudo(8)"}
	}
	hint := "chown root " + quote(path)
	switch {
	case isLink:
		hint = "chown -h root " + quote(path)
	case st.Mode&unix.S_IFMT == unix.S_IFDIR:
		hint += ", or copy the profile to /etc/caprun"
	}
	return &untrusted{path, fmt.Sprintf("belongs to uid %d, who could change it", st.Uid), hint}
}

// readTrustedMaps is readOwnerMaps where /proc is a proc file system: a file in
// its place could call every owner unmapped.
func readTrustedMaps() *ownerMaps {
	proc, err := openProcFS()
	if err != nil {
		return &ownerMaps{}
	}
	defer unix.Close(proc)
	m := readOwnerMaps()
	return &m
}

// check checks one entry on the way to a file.
func (t *trust) check(fd int, path string, st *unix.Stat_t) error {
	kind := st.Mode & unix.S_IFMT
	if kind != unix.S_IFREG && kind != unix.S_IFDIR && kind != unix.S_IFLNK {
		return errNotRegular
	}
	if kind == unix.S_IFLNK && !t.sticky {
		return nil
	}
	if err := t.checkOwner(fd, path, st); err != nil || kind == unix.S_IFLNK {
		return err
	}
	t.sticky = kind == unix.S_IFDIR && st.Mode&unix.S_ISVTX != 0
	if t.sticky {
		// Only the owner of an entry can replace it, and its owner is checked next.
		return nil
	}
	if st.Mode&(worldWrites|groupWrites) == 0 {
		return nil
	}
	err := t.checkWriters(fd, path, st)
	if kind == unix.S_IFREG {
		return hintReadOnly(fd, err)
	}
	var refused *untrusted
	if !errors.As(err, &refused) || !readOnly(fd) {
		return err
	}
	elsewhere, err := writableAs(fd)
	switch {
	case err != nil:
		refused.reason += fmt.Sprintf(", and caprun cannot tell where else its file system is mounted: %v", err)
		refused.hint = "pass the profile with -profile -"
		return refused
	case elsewhere == "":
		return nil
	case !isWritableDir(elsewhere, st):
		refused.reason += " through another mount, which is hidden"
		return hintReadOnly(fd, refused)
	}
	if errors.As(t.checkWriters(fd, elsewhere, st), &refused) {
		refused.path = path
		refused.reason += " through " + elsewhere
		refused.hint += ", or pass the profile with -profile -"
	}
	return refused
}

// isWritableDir reports whether path still leads to the directory st, by a mount
// that is not read-only.
func isWritableDir(path string, st *unix.Stat_t) bool {
	fd, err := openDir(unix.AT_FDCWD, path)
	if err != nil {
		return false
	}
	defer unix.Close(fd)
	var there unix.Stat_t
	return unix.Fstat(fd, &there) == nil && identifyFile(&there) == identifyFile(st) && !readOnly(fd)
}

// hintReadOnly completes the hint of err, where it is a *untrusted: on a mount
// that is read-only the command alone fails.
func hintReadOnly(fd int, err error) error {
	var refused *untrusted
	if errors.As(err, &refused) && readOnly(fd) {
		refused.hint += " where it is mounted for writing, or pass the profile with -profile -"
	}
	return err
}

// checkWriters refuses what the mode or the access control list lets other users
// write. The list of a file is read once it is open.
func (t *trust) checkWriters(fd int, path string, st *unix.Stat_t) error {
	switch {
	case st.Mode&worldWrites != 0:
		return &untrusted{path, "is writable by everyone", "chmod o-w " + quote(path)}
	case st.Gid != 0:
		return &untrusted{path, fmt.Sprintf("is writable by group %d", st.Gid), "chmod g-w " + quote(path)}
	case st.Mode&unix.S_IFMT == unix.S_IFREG:
		return nil
	}
	dir, err := openList(fd)
	if err != nil {
		return fmt.Errorf("access control list of %s: %w", path, err)
	}
	defer unix.Close(dir)
	return t.checkACL(dir, path)
}

// The bits of a mode that let others write.
const worldWrites, groupWrites = 0o002, 0o020

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
