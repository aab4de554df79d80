package machine

import (
	"errors"
	"fmt"
	"math"
	"slices"
	"strconv"

	"caprun/engine/cred"

	"golang.org/x/sys/unix"
)

// ReadProcess reads the credentials, root directory and namespaces of every thread of a
// process, and the file that the process executes. It reads until two passes over the
// threads agree. It holds the directory of the process in /proc open, so that it never
// reads another process that reuses the number. Securebits of another process cannot be
// read. The error is an *Error, which may wrap one of the errors of this package such as
// [ErrNoProcess]; on other systems than Linux it is cap.ErrNotLinux.
func ReadProcess(pid int) (*Process, error) {
	p, err := readProcess(pid)
	if err != nil {
		var known *Error
		if !errors.As(err, &known) {
			err = processError(pid, err, "")
		}
		return nil, err
	}
	return p, nil
}

// DirectoryID returns the identity of the directory at path, following symbolic links.
func DirectoryID(path string) (FileID, error) {
	fd, err := openDir(unix.AT_FDCWD, path)
	if err != nil {
		return FileID{}, err
	}
	defer unix.Close(fd)
	return directory(fd)
}

// directory returns the identity of an open file.
func directory(fd int) (FileID, error) {
	var st unix.Stat_t
	err := unix.Fstat(fd, &st)
	return FileID{uint64(st.Dev), st.Ino}, err
}

// reader reads a process.
type reader struct {
	proc int // /proc
	dir  int // /proc/PID
	*Process

	// own identifies the user namespace of the calling process.
	own    FileID
	ownErr error
	maps   cred.UserNS

	// mount identifies the mount namespace of the calling process.
	mount    FileID
	mountErr error
}

func readProcess(pid int) (*Process, error) {
	r := &reader{Process: &Process{PID: pid}}
	if pid < 1 || pid > math.MaxInt32 {
		return nil, ErrNoProcess
	}
	var err error
	if r.proc, err = openProc(); err != nil {
		return nil, processError(pid, err, "mount it: mount -t proc proc /proc")
	}
	defer unix.Close(r.proc)
	if r.dir, err = openDir(r.proc, strconv.Itoa(pid)); err != nil {
		return nil, r.missing(err)
	}
	defer unix.Close(r.dir)
	return r.Process, r.read()
}

// openProc opens /proc, which must be the proc file system of the pid namespace of the
// calling process.
func openProc() (int, error) {
	fd, err := openProcFS()
	if err != nil {
		return -1, err
	}
	var self [32]byte
	n, err := unix.Readlinkat(fd, "self", self[:])
	if err == nil && string(self[:n]) == strconv.Itoa(unix.Getpid()) {
		return fd, nil
	}
	unix.Close(fd)
	return -1, ErrNoProc
}

// openProcFS opens /proc, which must be a proc file system, of any pid namespace.
func openProcFS() (int, error) {
	fd, err := openDir(unix.AT_FDCWD, "/proc")
	if err != nil {
		return -1, ErrNoProc
	}
	var fs unix.Statfs_t
	if unix.Fstatfs(fd, &fs) == nil && fs.Type == unix.PROC_SUPER_MAGIC {
		return fd, nil
	}
	unix.Close(fd)
	return -1, ErrNoProc
}

// missing returns why the directory of the process cannot be opened.
func (r *reader) missing(err error) error {
	if !gone(err) {
		return err
	}
	// With hidepid=4, see proc(5), a hidden process looks like a missing one.
	if kill := unix.Kill(r.PID, 0); kill != nil && !errors.Is(kill, unix.EPERM) {
		return ErrNoProcess
	}
	return r.hidden()
}

func (r *reader) hidden() error {
	return processError(r.PID, ErrProcessHidden, "read it as root, or as the user of the process")
}

// unreadable returns why the first file in the directory of the process cannot be read.
func (r *reader) unreadable(err error) error {
	var st unix.Stat_t
	switch {
	case errors.Is(err, unix.EPERM), errors.Is(err, unix.EACCES):
		return r.hidden() // hidepid=1
	case gone(err) && unix.Fstat(r.dir, &st) != nil:
		// If the process had ended, fstat(2) of its directory would still succeed.
		return r.hidden() // hidepid=2
	}
	return r.ended(err)
}

// gone reports whether an error says that a process or thread has ended.
func gone(err error) bool { return errors.Is(err, unix.ENOENT) || errors.Is(err, unix.ESRCH) }

// read reads the process.
func (r *reader) read() error {
	leader, err := readStatus(r.dir)
	switch {
	case err != nil:
		return r.unreadable(err)
	case leader.tgid != r.PID || leader.pid != r.PID:
		return processError(r.PID, ErrProcessThread, fmt.Sprintf("use process %d", leader.tgid))
	}
	r.Name = leader.name
	stat, err := readFileAt(r.dir, "stat", maxStatus)
	if err != nil {
		return r.ended(err)
	}
	kernel, err := kernelThread(stat)
	switch {
	case err != nil:
		return err
	case kernel:
		return ErrProcessKernel
	}
	if err := r.threads(leader); err != nil {
		return err
	}
	r.FileID, r.File, r.FileErr = r.executable()
	// The process still exists, so all that was read belongs to it.
	if _, err := readStatus(r.dir); err != nil {
		return r.ended(err)
	}
	return nil
}

// ended returns ErrProcessEnded for an error that gone reports, and other errors unchanged.
func (r *reader) ended(err error) error {
	if gone(err) {
		return ErrProcessEnded
	}
	return err
}

// threads reads every thread, until two passes agree. Then all threads were in these
// states at once, between the passes.
func (r *reader) threads(leader threadStatus) error {
	task, err := openAt(r.dir, "task", unix.O_RDONLY|unix.O_DIRECTORY)
	if err != nil {
		return r.ended(err)
	}
	defer unix.Close(task)
	r.own, r.ownErr = namespace(r.proc, "self/ns/user")
	r.mount, r.mountErr = namespace(r.proc, "self/ns/mnt")
	var known bool
	if r.maps, known = readUserNS(); !known {
		// Without maps, treat every ID as unmapped.
		r.maps.Nested = true
	}
	var last *Process
	for range maxPasses {
		now, err := r.pass(task)
		switch {
		case err != nil:
			return r.ended(err)
		case now == nil:
			last = nil
			continue
		case len(now.States) == 0 && leader.ended():
			return ErrProcessZombie
		case len(now.States) == 0:
			return ErrProcessEnded
		case last != nil && last.agrees(now):
			r.States, r.UserNS, r.UserNSErr = now.States, now.UserNS, now.UserNSErr
			return nil
		}
		last = now
	}
	return ErrProcessChanging
}

// pass reads every thread once. It returns nil if a thread ended before it was read.
func (r *reader) pass(task int) (*Process, error) {
	tids, err := listNumbers(task, maxThreads)
	if err != nil {
		return nil, err
	}
	p := &Process{}
	for _, tid := range tids {
		switch err := r.thread(p, task, tid); {
		case gone(err):
			return nil, nil
		case err != nil:
			return nil, err
		}
	}
	return p, nil
}

// thread reads one thread. It skips one that has ended: the kernel lists a leader that
// ended until the other threads have ended.
func (r *reader) thread(p *Process, task, tid int) error {
	dir, err := openDir(task, strconv.Itoa(tid))
	if err != nil {
		return err
	}
	defer unix.Close(dir)
	status, err := stableStatus(func() (threadStatus, error) { return readStatus(dir) })
	if err != nil {
		return err
	}
	if status.ended() {
		return nil
	}
	s := ProcessState{Cred: status.cred, Unmapped: unmapped(r.maps, status.cred)}
	if s.Root, s.RootErr = magicDirectory(dir, "root"); gone(s.RootErr) {
		return s.RootErr
	}
	switch mount, err := namespace(dir, "ns/mnt"); {
	case gone(err):
		return err
	case r.mountErr != nil || err != nil:
		s.MountNS = NamespaceUnknown
	case mount != r.mount:
		s.MountNS = NamespaceOther
	}
	ns, err := namespace(dir, "ns/user")
	switch {
	case errors.Is(r.ownErr, unix.ENOENT):
		// A kernel without user namespaces.
	case gone(err):
		return err
	case r.ownErr != nil:
		p.UserNS, p.UserNSErr = NamespaceUnknown, r.ownErr
	case err != nil && p.UserNS == NamespaceSame:
		p.UserNS, p.UserNSErr = NamespaceUnknown, err
	case err == nil && ns != r.own:
		p.UserNS, p.UserNSErr = NamespaceOther, nil
	}
	return p.add(tid, s)
}

// namespace returns the identity of a namespace.
func namespace(dir int, name string) (FileID, error) {
	var st unix.Stat_t
	err := unix.Fstatat(dir, name, &st, 0)
	return FileID{uint64(st.Dev), st.Ino}, err
}

// magicDirectory returns the identity of the directory that a magic link of /proc leads
// to.
func magicDirectory(dir int, name string) (FileID, error) {
	fd, err := openAt(dir, name, unix.O_PATH|unix.O_DIRECTORY)
	if err != nil {
		return FileID{}, err
	}
	defer unix.Close(fd)
	return directory(fd)
}

func readStatus(dir int) (threadStatus, error) {
	data, err := readFileAt(dir, "status", maxStatus)
	if err != nil {
		return threadStatus{}, err
	}
	return parseStatus(data)
}

// errForeignFile is why the set-id bits and file capabilities of an executable are not
// read.
var errForeignFile = errors.New("its mount may belong to another mount namespace, whose owner could block the read")

// executable returns the identity of the file that the process executes, and the facts
// about it. It neither opens nor reads a file of another mount namespace: the owner of
// that namespace can mount a file system that never answers, and a process that waits for
// it cannot be killed. openat(2) with O_PATH does not ask the file system, and statx(2)
// with AT_STATX_DONT_SYNC returns what the kernel has cached.
func (r *reader) executable() (FileID, cred.File, error) {
	fd, err := openAt(r.dir, "exe", unix.O_PATH)
	if err != nil {
		return FileID{}, cred.File{}, err
	}
	defer unix.Close(fd)
	cached := func(mask int, st *unix.Statx_t) error {
		return unix.Statx(fd, "", unix.AT_EMPTY_PATH|unix.AT_STATX_DONT_SYNC|unix.AT_NO_AUTOMOUNT, mask, st)
	}
	var at unix.Statx_t
	if err := ignoreEINTR(func() error { return cached(unix.STATX_INO|unix.STATX_TYPE, &at) }); err != nil {
		return FileID{}, cred.File{}, err
	}
	id := FileID{unix.Mkdev(at.Dev_major, at.Dev_minor), at.Ino}
	if at.Mode&unix.S_IFMT != unix.S_IFREG {
		return id, cred.File{}, errNotRegular
	}
	if readMount(cached).ours != answerYes {
		return id, cred.File{}, errForeignFile
	}
	file, err := r.attributes(fd)
	return id, file, err
}

// attributes returns the facts about the file that fd, open with O_PATH, stands for. It
// opens the file by the descriptor, because the process may execute another file now.
func (r *reader) attributes(fd int) (cred.File, error) {
	file, err := openAt(r.proc, fmt.Sprintf("self/fd/%d", fd), unix.O_RDONLY|unix.O_NONBLOCK|unix.O_NOCTTY)
	if err != nil {
		return cred.File{}, err
	}
	defer unix.Close(file)
	var st unix.Stat_t
	if err := unix.Fstat(file, &st); err != nil {
		return cred.File{}, err
	}
	s, err := statOpen(file, &st)
	if err != nil {
		return cred.File{}, err
	}
	return fileFacts(&st, s)
}

// listNumbers returns the entries of a directory whose names are numbers, sorted.
func listNumbers(dir, max int) ([]int, error) {
	if _, err := unix.Seek(dir, 0, unix.SEEK_SET); err != nil {
		return nil, err
	}
	var numbers []int
	buf := make([]byte, 1<<15)
	for {
		n, err := unix.ReadDirent(dir, buf)
		switch {
		case err == unix.EINTR:
			continue
		case err != nil:
			return nil, err
		case n == 0:
			slices.Sort(numbers)
			return slices.Compact(numbers), nil
		}
		_, _, names := unix.ParseDirent(buf[:n], -1, nil)
		for _, name := range names {
			if number, err := strconv.Atoi(name); err == nil {
				numbers = append(numbers, number)
			}
		}
		if len(numbers) > max {
			return nil, fmt.Errorf("more than %d threads", max)
		}
	}
}
