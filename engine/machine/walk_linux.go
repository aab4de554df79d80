package machine

import (
	"fmt"
	"path/filepath"
	"strings"

	"caprun/policy"

	"golang.org/x/sys/unix"
)

// resolver resolves paths inside a root directory, as the target does.
type resolver struct {
	root, cwd int // directories, opened with O_PATH

	formats []format  // of binfmt_misc
	as      *Accessor // who executes the program; nil where nothing is known of it

	// procLinks makes the kernel follow symbolic links of the proc file system, as
	// it does for the target: /proc/PID/root and others lead elsewhere than their
	// text says. A caller that checks every directory on the way leaves it false.
	procLinks bool

	observer pathObserver
}

// pathObserver has functions that a walk calls. Each may be nil. If one returns an error,
// the walk ends with it.
type pathObserver struct {
	onStart   func(path string)                               // gets the path, before the first entry
	onEntry   func(fd int, name string, st unix.Stat_t) error // gets every entry, also links, open with O_PATH
	onSymlink func(link string)                               // gets the text of a symbolic link, before the walk follows it
	onMissing func(dir int)                                   // gets the directory that lacks the next entry
	onOpen    func(fd int, st unix.Stat_t) error              // gets a program that is open for reading
}

// maxPath is PATH_MAX. maxLinks is the number of symbolic links that the kernel follows,
// see path_resolution(7).
const (
	maxPath  = 4096
	maxLinks = 40
)

// CheckDirectories checks that the root and the working directory of p can be opened, as
// a launch opens them. The error is an *Error.
func CheckDirectories(p *policy.Profile) error {
	r, err := openRoot(p)
	if err != nil {
		return err
	}
	r.close()
	return nil
}

func openRoot(p *policy.Profile) (*resolver, error) {
	r := &resolver{root: -1, cwd: -1, procLinks: true}
	root := "/"
	if p.Chroot != "" {
		root = p.Chroot
	}
	var err error
	if r.root, err = openDir(unix.AT_FDCWD, root); err != nil {
		return nil, rootError(p, root, err, "create it, or correct chroot")
	}
	switch {
	case p.Cwd != "":
		if r.cwd, err = r.dir(p.Cwd); err != nil {
			r.close()
			where := ""
			if root != "/" {
				where = " inside the root directory"
			}
			return nil, cwdError(p, p.Cwd, err, "create it"+where+", or correct cwd")
		}
	case p.Chroot != "":
		r.cwd, err = openDir(unix.AT_FDCWD, root)
	default:
		r.cwd, err = openDir(unix.AT_FDCWD, ".")
	}
	if err != nil {
		r.close()
		return nil, cwdError(p, ".", err, "start in a directory that can be searched, or set cwd")
	}
	return r, nil
}

// rootError returns the error for a root directory that cannot be opened.
func rootError(p *policy.Profile, path string, err error, hint string) *Error {
	return &Error{Profile: p, Key: "chroot", Subject: "root directory " + path, Err: err, Hint: hint}
}

// cwdError returns the error for a working directory that cannot be opened.
func cwdError(p *policy.Profile, path string, err error, hint string) *Error {
	return &Error{Profile: p, Key: "cwd", Subject: "working directory " + path, Err: err, Hint: hint}
}

// dir opens the directory at path inside the root.
func (r *resolver) dir(path string) (int, error) {
	f, err := r.walk(path)
	if err != nil {
		return -1, err
	}
	unix.Close(f.dir)
	if f.st.Mode&unix.S_IFMT != unix.S_IFDIR {
		unix.Close(f.fd)
		return -1, unix.ENOTDIR
	}
	return f.fd, nil
}

func (r *resolver) close() {
	for _, fd := range []int{r.root, r.cwd} {
		if fd >= 0 {
			unix.Close(fd)
		}
	}
}

// found is the file that a walk led to.
type found struct {
	fd   int // opened with O_PATH
	st   unix.Stat_t
	dir  int // where name was found
	name string

	// procLink reports that name is a symbolic link of the proc file system, which
	// the kernel followed.
	procLink bool
}

// close closes the descriptors that are not negative.
func (f *found) close() {
	for _, fd := range [...]int{f.fd, f.dir} {
		if fd >= 0 {
			unix.Close(fd)
		}
	}
}

// openRead opens the file for reading. It may be another file now than st describes.
func (f *found) openRead() (int, error) {
	if f.procLink {
		return openAt(f.dir, f.name, unix.O_RDONLY|unix.O_NONBLOCK|unix.O_NOCTTY)
	}
	return openRead(f.dir, f.name)
}

// walk resolves path inside the root. It needs three descriptors, whatever the length of
// path.
func (r *resolver) walk(path string) (found, error) { return r.walkAs(nil, path) }

// walkAs is walk with the permissions of a process: if it may not search a directory on
// the way, the error is a *searchError.
func (r *resolver) walkAs(as *Accessor, path string) (found, error) {
	if path == "" {
		return found{}, unix.ENOENT
	}
	if len(path) >= maxPath {
		return found{}, unix.ENAMETOOLONG
	}
	if r.observer.onStart != nil {
		r.observer.onStart(path)
	}
	dir, err := r.start(path)
	if err != nil {
		return found{}, err
	}
	w := pathWalk{r: r, as: as, found: found{fd: -1, dir: dir}, rest: path}
	for {
		done, err := w.step()
		if err != nil {
			w.close()
			return found{}, err
		}
		if done {
			return w.found, nil
		}
	}
}

// pathWalk is the state of a walk. Between two steps found.dir is the directory where rest
// begins, and found.fd is not open. A step opens the next entry:
//
//	                    ┌ the last one        the walk is done
//	no symbolic link ───┼ a directory         becomes dir, rest loses a component
//	                    └ another file        ENOTDIR
//
//	symbolic link ──────┬ of the proc file system, with procLinks
//	                    │                     the kernel follows it: as above for its target
//	                    └ another one         rest begins with its text, absolute from the root
//
// If an error ends the walk, walkAs closes what is open.
type pathWalk struct {
	r  *resolver
	as *Accessor
	found
	rest  string // of the path
	links int    // number of symbolic links followed
}

// step takes the next component of the path. done reports that the walk has ended.
func (w *pathWalk) step() (done bool, err error) {
	name, tail, more := strings.Cut(strings.TrimLeft(w.rest, "/"), "/")
	if name == "" {
		name = "."
	}
	if err := w.as.search(w.dir); err != nil {
		return false, err
	}
	if w.fd, err = w.r.enter(w.dir, name); err != nil {
		if err == unix.ENOENT && w.r.observer.onMissing != nil {
			w.r.observer.onMissing(w.dir)
		}
		return false, err
	}
	if err := w.look(name); err != nil {
		return false, err
	}
	if w.st.Mode&unix.S_IFMT == unix.S_IFLNK {
		return w.follow(name, tail, more)
	}
	return w.proceed(name, tail, more)
}

// look reads the state of fd, and calls the observer. name is the entry or the text of
// the link that led there.
func (w *pathWalk) look(name string) error {
	if err := unix.Fstat(w.fd, &w.st); err != nil {
		return err
	}
	if w.r.observer.onEntry == nil {
		return nil
	}
	return w.r.observer.onEntry(w.fd, name, w.st)
}

// proceed continues in fd, which is not a symbolic link, with the remaining path. If
// there is none, the walk ends.
func (w *pathWalk) proceed(name, tail string, more bool) (done bool, err error) {
	switch {
	case !more:
		w.name = name
		return true, nil
	case w.st.Mode&unix.S_IFMT != unix.S_IFDIR:
		return false, unix.ENOTDIR
	}
	unix.Close(w.dir)
	w.dir, w.fd, w.rest = w.fd, -1, tail
	return false, nil
}

// follow continues where the symbolic link fd leads.
func (w *pathWalk) follow(name, tail string, more bool) (done bool, err error) {
	w.links++
	link, err := readLink(w.fd)
	onProc := w.r.procLinks && isProc(w.fd)
	unix.Close(w.fd)
	w.fd = -1
	switch {
	case err != nil:
		return false, err
	case w.links > maxLinks:
		return false, unix.ELOOP
	case onProc:
		return w.followProc(name, link, tail, more)
	case len(link)+1+len(tail) >= maxPath:
		return false, unix.ENAMETOOLONG
	}
	if strings.HasPrefix(link, "/") {
		unix.Close(w.dir)
		if w.dir, err = w.r.start(link); err != nil {
			return false, err
		}
	}
	if w.r.observer.onSymlink != nil {
		w.r.observer.onSymlink(link)
	}
	w.rest = link
	if more {
		w.rest = link + "/" + tail
	}
	return false, nil
}

// followProc makes the kernel follow the symbolic link name of the proc file system, which
// can lead elsewhere than its text says.
func (w *pathWalk) followProc(name, link, tail string, more bool) (done bool, err error) {
	if w.fd, err = openAt(w.dir, name, unix.O_PATH); err != nil {
		return false, err
	}
	if w.r.observer.onSymlink != nil {
		w.r.observer.onSymlink(link)
	}
	if err := w.look(link); err != nil {
		return false, err
	}
	w.procLink = !more
	return w.proceed(name, tail, more)
}

// isProc reports whether a file is on the proc file system.
func isProc(fd int) bool {
	var fs unix.Statfs_t
	return ignoreEINTR(func() error { return unix.Fstatfs(fd, &fs) }) == nil && fs.Type == unix.PROC_SUPER_MAGIC
}

// search returns an error if the process may not search the directory.
func (a *Accessor) search(dir int) error {
	if a == nil {
		return nil
	}
	var st unix.Stat_t
	if err := unix.Fstat(dir, &st); err != nil {
		return err
	}
	if a.may(st.Mode, st.Uid, st.Gid) {
		return nil
	}
	return &searchError{a.Name, directoryName(dir), st.Mode & 0o7777, st.Uid, st.Gid}
}

// directoryName returns the path of a directory for a message.
func directoryName(dir int) string {
	buf := make([]byte, maxPath)
	n, err := unix.Readlink(fmt.Sprintf("/proc/self/fd/%d", dir), buf)
	if err != nil {
		return "a directory on the way"
	}
	return quote(string(buf[:n]))
}

// start opens the directory where path begins.
func (r *resolver) start(path string) (int, error) {
	if strings.HasPrefix(path, "/") {
		return openDir(r.root, ".")
	}
	return openDir(r.cwd, ".")
}

// enter opens an entry of a directory. The parent of the root is the root.
func (r *resolver) enter(at int, name string) (int, error) {
	if name == ".." {
		var here, root unix.Stat_t
		if err := unix.Fstat(at, &here); err != nil {
			return -1, err
		}
		if err := unix.Fstat(r.root, &root); err != nil {
			return -1, err
		}
		if here.Dev == root.Dev && here.Ino == root.Ino {
			name = "."
		}
	}
	return openPath(at, name)
}

// walkedPath is the path of the present entry of a walk.
type walkedPath string

func (p *walkedPath) enter(name string) { *p = walkedPath(filepath.Join(string(*p), name)) }

// follow replaces a symbolic link by the directory where its text begins.
func (p *walkedPath) follow(link string) {
	*p = walkedPath(filepath.Dir(string(*p)))
	if strings.HasPrefix(link, "/") {
		*p = "/"
	}
}
