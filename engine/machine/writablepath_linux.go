package machine

import (
	"fmt"
	"slices"
	"strings"

	"caprun/policy"

	"golang.org/x/sys/unix"
)

// writablePathFinder collects the paths that the target's user can change on the way to a
// file.
type writablePathFinder struct {
	id    Identity
	key   string
	root  string // what the paths are below
	at    walkedPath
	found []WritablePath

	// sticky reports that the next entry is in a sticky directory, where only its
	// owner can replace it.
	sticky bool
}

// newWritablePathFinder returns a finder for the target's user. It returns nil for uid 0,
// which may write everything, and for an unknown user.
func newWritablePathFinder(id Identity) *writablePathFinder {
	if id.UID == 0 || !id.Resolved {
		return nil
	}
	return &writablePathFinder{id: id, key: "command"}
}

// WritablePathsToRoot returns the paths that the target's user can change on the way to
// the root directory of p. The error is an *Error if the root or the working directory of
// p is missing.
func WritablePathsToRoot(p *policy.Profile, id Identity) ([]WritablePath, error) {
	if err := CheckDirectories(p); err != nil {
		return nil, err
	}
	w := newWritablePathFinder(id)
	if w == nil {
		return nil, nil
	}
	return w.all(p)
}

// observe makes w examine every entry on the walks of r below root. cwd is the directory
// where relative paths begin; empty for the caller's working directory.
func (w *writablePathFinder) observe(r *resolver, root, cwd string) {
	w.root = root
	r.observer = pathObserver{
		onStart: func(path string) {
			if !strings.HasPrefix(path, "/") {
				w.walkCwd(r, cwd)
				return
			}
			w.at, w.sticky = "/", false
		},
		onEntry: w.noteEntry,
		onSymlink: func(link string) {
			w.at.follow(link)
			if strings.HasPrefix(link, "/") {
				w.sticky = false
			}
		},
		onMissing: w.noteMissing,
		onOpen: func(fd int, st unix.Stat_t) error {
			if st.Mode&groupWrites == 0 || w.isMember(st.Gid) {
				return nil
			}
			return w.noteACL(fd)
		},
	}
}

// walkCwd examines the way to the working directory, where a relative path begins. A
// working directory that has been removed has no path; w ignores it.
func (w *writablePathFinder) walkCwd(r *resolver, cwd string) {
	if cwd == "" {
		cwd, _ = unix.Getwd()
	}
	if strings.HasPrefix(cwd, "/") {
		if fd, err := r.dir(cwd); err == nil {
			unix.Close(fd)
		}
	}
	w.at, w.sticky = walkedPath(cwd), false
}

// noteMissing notes a directory that the search in PATH passed over, if the user can put
// a program there.
func (w *writablePathFinder) noteMissing(dir int) {
	var st unix.Stat_t
	if err := unix.Fstat(dir, &st); err != nil || st.Mode&unix.S_ISVTX == 0 {
		return // noteEntry notes it
	}
	if st.Mode&worldWrites != 0 || st.Mode&groupWrites != 0 && (w.isMember(st.Gid) || w.aclLetsWrite(dir)) {
		path := w.root + string(w.at)
		w.add(dir, "is writable by the target's user, and comes before the directory of the program in PATH", "remove "+quote(path)+" from PATH")
	}
}

// all returns the paths that the user can change on the way to the program, and to the
// root directory of p if it has one.
func (w *writablePathFinder) all(p *policy.Profile) ([]WritablePath, error) {
	if p.Chroot == "" {
		return w.found, nil
	}
	root, err := openDir(unix.AT_FDCWD, "/")
	if err != nil {
		return nil, err
	}
	defer unix.Close(root)
	r := &resolver{root: root, cwd: root}
	w.key = "chroot"
	w.observe(r, "", "/")
	fd, err := r.dir(p.Chroot)
	if err != nil {
		return nil, rootError(p, p.Chroot, err, "create it, or correct chroot")
	}
	return w.found, unix.Close(fd)
}

func (w *writablePathFinder) noteEntry(fd int, name string, st unix.Stat_t) error {
	w.at.enter(name)
	sticky := w.sticky
	w.sticky = false
	switch kind := st.Mode & unix.S_IFMT; {
	case kind == unix.S_IFLNK:
		w.sticky = sticky // a relative link continues in the same directory
		if sticky && st.Uid == w.id.UID {
			w.note(fd, fmt.Sprintf("belongs to uid %d, the target's own user", st.Uid), "chown -h root ")
		}
	case st.Uid == w.id.UID:
		w.note(fd, fmt.Sprintf("belongs to uid %d, the target's own user", st.Uid), "chown root ")
	case kind == unix.S_IFDIR && st.Mode&unix.S_ISVTX != 0:
		w.sticky = true
	case st.Mode&groupWrites != 0 && w.isMember(st.Gid):
		w.note(fd, fmt.Sprintf("is writable by group %d, which the target has", st.Gid), "chmod g-w ")
	case st.Mode&worldWrites != 0 && !w.isMember(st.Gid):
		w.note(fd, "is writable by everyone", "chmod o-w ")
	case st.Mode&groupWrites != 0 && kind == unix.S_IFDIR:
		dir, err := openForACL(fd)
		if err != nil {
			// Unreadable: skip its access control list.
			return nil
		}
		defer unix.Close(dir)
		return w.noteACL(dir)
	}
	return nil
}

// noteACL notes a file, open for reading, if its access control list grants the user
// write permission.
func (w *writablePathFinder) noteACL(fd int) error {
	users, groups, err := aclWriters(fd)
	if err != nil {
		return fmt.Errorf("access control list of %s: %w", w.at, err)
	}
	if slices.Contains(users, w.id.UID) || slices.ContainsFunc(groups, w.isMember) {
		w.note(fd, "is writable by the target's user (an access control list)", "setfacl -b ")
	}
	return nil
}

// aclLetsWrite reports whether the access control list of a directory grants the user write
// permission.
func (w *writablePathFinder) aclLetsWrite(fd int) bool {
	dir, err := openForACL(fd)
	if err != nil {
		return false
	}
	defer unix.Close(dir)
	users, groups, err := aclWriters(dir)
	return err == nil && (slices.Contains(users, w.id.UID) || slices.ContainsFunc(groups, w.isMember))
}

// openForACL opens a directory for reading its access control list.
func openForACL(fd int) (int, error) { return openAt(fd, ".", unix.O_RDONLY|unix.O_DIRECTORY) }

func (w *writablePathFinder) isMember(gid uint32) bool {
	return gid == w.id.GID || slices.Contains(w.id.Groups, gid)
}

func (w *writablePathFinder) note(fd int, reason, fix string) {
	w.add(fd, reason, fix+quote(w.root+string(w.at)))
}

// add notes the current entry, of which fd is a descriptor, unless it is already noted or
// on a file system that cannot be written.
func (w *writablePathFinder) add(fd int, reason, hint string) {
	path := w.root + string(w.at)
	seen := slices.ContainsFunc(w.found, func(e WritablePath) bool { return e.Path == path })
	if !seen && !isUnwritable(fd) {
		w.found = append(w.found, WritablePath{w.key, path, reason, hint})
	}
}
