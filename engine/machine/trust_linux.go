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

// untrusted reports that a user who is not trusted can write a file.
type untrusted struct {
	path   string // the file or a directory above it
	reason string
	hint   string // what to do, mostly a command
}

// Error returns the path and the reason.
func (e *untrusted) Error() string { return e.path + " " + e.reason }

// ReadTrusted returns the first max bytes of a regular file. It reads the file once, from
// one open descriptor. If strict, it fails if another user could change the file, a
// directory on the way to it, or a symbolic link on the way. Callers with privilege must
// set strict, see [HasPrivilege]. The error is an *Error, or an error of the system.
//
// Strict requires, for the file and for each directory on the way:
//
//   - The owner is root, the user in SUDO_UID if the real uid is 0, or a user that the
//     user namespace does not map. The real uid of another caller is not trusted, because
//     processes of that user without the caller's privileges could write the file.
//   - Neither everyone, nor a group other than gid 0, nor another user or group in the
//     access control list may write.
//
// There are two exceptions. A sticky directory may be writable; then the owner of the
// entry in it must be trusted, also if the entry is a symbolic link. (In another directory
// the owner of a link does not matter: only a user who can write the directory can replace
// the link.) A directory that cannot be written through any mount of this mount namespace
// may have any mode. A file may not, because it can have another name elsewhere.
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
		return nil, errors.New("it changed while caprun opened it")
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

// trust checks the owners and permissions of files.
type trust struct {
	uid    uint32   // the caller's real uid
	owners []uint32 // the trusted users

	// sticky reports that the next entry is in a sticky directory.
	sticky bool

	maps *ownerMaps // read for the first other owner
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

// isTrusted reports whether uid is a trusted user.
func (t *trust) isTrusted(uid uint32) bool { return slices.Contains(t.owners, uid) }

// checkOwner refuses an owner that is neither a trusted user nor unmapped.
func (t *trust) checkOwner(fd int, path string, st *unix.Stat_t) error {
	if t.isTrusted(st.Uid) {
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
		// In the initial namespace it could be any owner, hidden by an idmapped mount.
		return nil
	case mapped != answerYes && st.Uid == overflow && (t.maps.ns.Nested || !t.maps.nsKnown):
		e := &untrusted{path: path, hint: "pass the profile with -profile -"}
		e.reason = fmt.Sprintf("belongs to uid %d or to an unmapped user, and caprun cannot determine which ", st.Uid)
		switch {
		case !t.maps.nsKnown:
			e.reason += "without /proc"
			e.hint = "mount -t proc proc /proc, or " + e.hint
		case isLink:
			e.reason += "for a symbolic link"
			e.hint = "name the file without the link, or " + e.hint
		default:
			e.reason += "without cap_fowner in effect, a local file system and the permission to read"
		}
		return e
	case st.Uid == t.uid:
		return &untrusted{path, fmt.Sprintf("belongs to uid %d, the caller's own, and processes of that user without the caller's capabilities could change it", st.Uid),
			"copy the profile to /etc/caprun as root, pass it with -profile -, or start caprun with sudo(8)"}
	}
	chown := "chown root "
	if isLink {
		chown = "chown -h root "
	}
	// A developer's checkout belongs to the developer: chown is not the only choice.
	hint := fmt.Sprintf("%s, copy the profile to /etc/caprun, or start caprun with sudo(8) as uid %d", chown+quote(path), st.Uid)
	return &untrusted{path, fmt.Sprintf("belongs to uid %d, who could change it", st.Uid), hint}
}

// readTrustedMaps is readOwnerMaps if /proc is a proc file system; otherwise it returns
// no facts, because other files in /proc could claim that every owner is unmapped.
func readTrustedMaps() *ownerMaps {
	proc, err := openProcFS()
	if err != nil {
		return &ownerMaps{}
	}
	defer unix.Close(proc)
	m := readOwnerMaps()
	return &m
}

// check checks an entry on the way to a file, or the file.
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
		refused.reason += fmt.Sprintf(", and caprun cannot determine where else its file system is mounted: %v", err)
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

// isWritableDir reports whether path is still the directory st, on a mount that is not
// read-only.
func isWritableDir(path string, st *unix.Stat_t) bool {
	fd, err := openDir(unix.AT_FDCWD, path)
	if err != nil {
		return false
	}
	defer unix.Close(fd)
	var there unix.Stat_t
	return unix.Fstat(fd, &there) == nil && identifyFile(&there) == identifyFile(st) && !readOnly(fd)
}

// hintReadOnly adds to the hint of an *untrusted error that the command fails on this
// mount, if the mount is read-only.
func hintReadOnly(fd int, err error) error {
	var refused *untrusted
	if errors.As(err, &refused) && readOnly(fd) {
		refused.hint += " where it is mounted for writing, or pass the profile with -profile -"
	}
	return err
}

// checkWriters refuses an entry that its mode or access control list lets another user
// write. The access control list of a file is checked once the file is open.
func (t *trust) checkWriters(fd int, path string, st *unix.Stat_t) error {
	switch {
	case st.Mode&worldWrites != 0:
		return &untrusted{path, "is writable by everyone", "chmod o-w " + quote(path)}
	case st.Gid != 0:
		return &untrusted{path, fmt.Sprintf("is writable by group %d", st.Gid), "chmod g-w " + quote(path)}
	case st.Mode&unix.S_IFMT == unix.S_IFREG:
		return nil
	}
	dir, err := openForACL(fd)
	if err != nil {
		return fmt.Errorf("access control list of %s: %w", path, err)
	}
	defer unix.Close(dir)
	return t.checkACL(dir, path)
}

// The mode bits that let other users write.
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
