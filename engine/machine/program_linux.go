package machine

import (
	"errors"
	"fmt"
	"slices"
	"strings"

	"caprun/engine/cred"
	"caprun/policy"

	"golang.org/x/sys/unix"
)

// FindProgram finds the program that argv names as the target will find it: inside the
// profile's root directory, also for symbolic links, and from its working directory. It
// searches a name without a slash in the PATH of env, the environment of the target. It
// reads what the prediction needs, for the program and for the interpreter that the kernel
// executes instead of it: set-id bits, file capabilities and mount flags.
//
// as is the process that will execute the program: FindProgram applies its permissions. A
// nil as stands for an unknown process. The error is [ErrNoCommand] or an *Error.
func FindProgram(p *policy.Profile, id Identity, as *Accessor, argv, env []string) (Program, error) {
	if len(argv) == 0 {
		return Program{}, ErrNoCommand
	}
	if argv[0] == "" {
		return Program{}, missingProgram(`""`, errors.New("empty program name"), "write the name of the program")
	}
	// First, because reading needs descriptors, and few are open now.
	formats, err := readFormats()
	if err != nil {
		err = fmt.Errorf("%w: %w", errFormat, err)
		return Program{}, notExecutable(argv[0], err, readHint(err))
	}
	r, err := openRoot(p)
	if err != nil {
		return Program{}, err
	}
	defer r.close()
	r.formats, r.as = formats, as
	w := newWritablePathFinder(id)
	if w != nil {
		cwd := p.Cwd
		if cwd == "" && p.Chroot != "" {
			cwd = "/"
		}
		w.observe(r, strings.TrimRight(p.Chroot, "/"), cwd)
	}
	var program Program
	if name := argv[0]; strings.Contains(name, "/") {
		program, err = r.target(name, argv)
	} else {
		program, err = r.search(name, argv, env)
	}
	if err == nil && w != nil {
		program.WritablePaths, err = w.all(p)
	}
	return program, err
}

// search finds a name without a slash in the PATH of env, like execvp(3). It passes over
// files that are missing, and those that the target may not search or execute; if it finds
// no other, it returns the error of the latter. A script whose interpreter is missing
// counts as missing, because execve(2) fails with ENOENT. So does a file that caprun does
// not find either, below a directory that the target may not search: execvp(3) would
// return EACCES. Any other error ends the search.
// An empty or relative entry, which execvp(3) would use, is an error.
func (r *resolver) search(name string, argv, env []string) (Program, error) {
	path, ok := lookupEnv(env, "PATH")
	if !ok {
		return Program{}, missingProgram(name, errors.New("PATH is not set in the environment of the target"),
			"write the path of the program, or set PATH in env")
	}
	var denied, lacking error
	var passed, closed []string
	for dir := range strings.SplitSeq(path, ":") {
		if !strings.HasPrefix(dir, "/") {
			return Program{}, missingProgram(name, fmt.Errorf("relative entry %q in PATH", dir),
				"write the path of the program, or correct PATH")
		}
		file := strings.TrimRight(dir, "/") + "/" + name
		t, err := r.target(file, argv)
		var failed *Error
		var unreachable *searchError
		switch {
		case err == nil:
			t.passed = passed
			return t, nil
		case !errors.As(err, &failed) || failed.skipped == "":
			return Program{}, err
		case failed.lacksInterpreter && lacking == nil:
			failed.Missing, failed.NotExecutable = true, false
			lacking = failed
		case failed.Missing, failed.lacksInterpreter:
		case errors.As(err, &unreachable) && !r.exists(file):
			if why := unreachable.Error(); !slices.Contains(closed, why) {
				closed = append(closed, why)
			}
		case denied == nil:
			denied = err
		}
		passed = append(passed, failed.skipped)
	}
	if denied != nil {
		return Program{}, denied
	}
	if lacking != nil {
		return Program{}, lacking
	}
	why := strings.Join(append([]string{"not found in PATH=" + path}, closed...), ", and ")
	return Program{}, missingProgram(name, errors.New(why), "install it, or write its path")
}

// exists reports whether caprun itself finds a file at path.
func (r *resolver) exists(path string) bool {
	unobserved := *r
	unobserved.observer = pathObserver{}
	f, err := unobserved.walkAs(nil, path)
	if err != nil {
		return false
	}
	f.close()
	return true
}

func lookupEnv(env []string, name string) (string, bool) {
	for _, entry := range env {
		if value, ok := strings.CutPrefix(entry, name+"="); ok {
			return value, true
		}
	}
	return "", false
}

// target reads the program at path, and its interpreters.
func (r *resolver) target(path string, argv []string) (Program, error) {
	t := Program{Path: path, Args: slices.Clone(argv)}
	next, fix, decided := path, "", false
	for depth := 0; ; depth++ {
		f, err := r.file(next)
		if err != nil {
			var failed *Error
			if depth > 0 && errors.As(err, &failed) {
				outer := notExecutable(path, fmt.Errorf("its interpreter %s: %w", next, failed.Err), "install the interpreter, or "+fix)
				outer.skipped, outer.lacksInterpreter = failed.skipped, failed.Missing
				return t, outer
			}
			return t, err
		}
		t.pinned = append(t.pinned, pinnedFile{next, f.fileState})
		if !decided {
			t.File, t.Alternatives, t.FilePath = f.facts, f.alternatives, next
			t.ForeignMount = f.mount.ours == answerNo
		}
		if f.interpreter == "" {
			return t, nil
		}
		if depth == maxInterpreters {
			return t, notExecutable(path, errors.New("more than five nested interpreters"), "name an interpreter that is not a script")
		}
		next, fix = f.interpreter, "correct the first line of the script"
		if f.format != nil {
			fix = "remove the format " + f.format.name + " of binfmt_misc"
			decided = decided || f.format.credentials
			if f.format.fixed {
				return r.fixed(t, f.format, decided)
			}
		}
	}
}

// fixed is target for a program whose interpreter the kernel holds open since the format
// was registered (flag F). The file at the interpreter's path in the target's root
// directory need not be this interpreter. fixed reads the one in caprun's root directory,
// and refuses it unless it has no set-id bits, no file capabilities and no interpreter.
func (r *resolver) fixed(t Program, f *format, decided bool) (Program, error) {
	if decided {
		return t, nil
	}
	prog, err := r.readHere(f.interpreter)
	switch {
	case err != nil:
		err = fmt.Errorf("cannot be read: %w", err)
	case prog.facts.Setuid || prog.facts.Setgid || prog.facts.HasCaps:
		err = errors.New("is set-id or has file capabilities")
	case prog.interpreter != "":
		err = errors.New("has an interpreter itself")
	default:
		t.File, t.Alternatives, t.FilePath = prog.facts, nil, f.interpreter
		return t, nil
	}
	return t, notExecutable(t.Path, fmt.Errorf("its interpreter %s, of the format %s of binfmt_misc with flag F, %w", f.interpreter, f.name, err),
		"register the format with flag C too, or remove it")
}

// programFile has what decides about the execution of a file.
type programFile struct {
	fileState
	facts        cred.File
	alternatives []Alternative
	interpreter  string  // its path; empty if the file has none
	format       *format // of binfmt_misc, that names the interpreter; nil for a script
}

func (r *resolver) file(path string) (programFile, error) {
	fail := func(err error, hint string) (programFile, error) {
		return programFile{}, notExecutable(path, err, hint)
	}
	// For the errors after which execvp(3) continues: ENOENT, ENOTDIR and EACCES.
	skip := func(err error, hint string, missing bool) (programFile, error) {
		e := notExecutable(path, err, hint)
		e.Missing, e.skipped = missing, path
		return programFile{}, e
	}
	found, err := r.walkAs(r.as, path)
	var denied *searchError
	const check = "check the path as the target sees it: from its root and working directory"
	switch {
	case errors.As(err, &denied):
		return skip(err, fmt.Sprintf("chmod or chown it, or name a program that %s can reach", denied.who), false)
	case errors.Is(err, unix.ENOENT), errors.Is(err, unix.ENOTDIR):
		return skip(err, check, true)
	case errors.Is(err, unix.EACCES):
		return skip(err, check, false)
	case err != nil:
		return fail(err, check)
	}
	defer found.close()
	st := &found.st
	if st.Mode&unix.S_IFMT != unix.S_IFREG {
		return skip(errNotRegular, "name a program", false)
	}
	if !r.as.may(st.Mode, st.Uid, st.Gid) {
		what := "not executable"
		if r.as != nil {
			what = r.as.Name + " may not execute it"
		}
		return skip(fmt.Errorf("%s (mode %04o, owner %d:%d)", what, st.Mode&0o7777, st.Uid, st.Gid),
			"chmod or chown it", false)
	}
	prog, err := r.readProgram(path, &found)
	switch {
	case errors.Is(err, errNoExec):
		return skip(err, readHint(err), false)
	case err != nil:
		return fail(err, readHint(err))
	}
	return prog, nil
}

// notExecutable returns the error for a program that cannot be executed.
func notExecutable(path string, err error, hint string) *Error {
	return &Error{Subject: path, Err: err, Hint: hint, NotExecutable: true}
}

// missingProgram returns the error for a program that does not exist.
func missingProgram(path string, err error, hint string) *Error {
	return &Error{Subject: path, Err: err, Hint: hint, NotExecutable: true, Missing: true}
}

var (
	errReplaced      = errors.New("it changed while caprun read it")
	errNoExec        = errors.New("its file system is mounted noexec")
	errNoInterpreter = errors.New("its first line names no interpreter")
	errFormat        = errors.New("cannot determine its binfmt_misc format")
)

// readHint returns what to do about an error of readProgram.
func readHint(err error) string {
	switch {
	case errors.Is(err, unix.EMFILE), errors.Is(err, unix.ENFILE):
		return "raise the limit of open files (RLIMIT_NOFILE): caprun needs about ten"
	case errors.Is(err, errForeignCaps):
		return "remove its file capabilities"
	case errors.Is(err, errReplaced):
		return "start caprun again, and check who can write the file"
	case errors.Is(err, errNoExec):
		return "move the program to a file system that is mounted without noexec"
	case errors.Is(err, errFormat):
		return "let caprun read " + formatsDir + ", or remove the format there"
	case errors.Is(err, errNoInterpreter):
		return "correct the first line of the script"
	}
	return "make it readable for the user who starts caprun"
}

// readProgram reads what decides about the execution of a file. path is its path for
// execve(2).
func (r *resolver) readProgram(path string, f *found) (programFile, error) {
	fd, err := f.openRead()
	if err != nil {
		return programFile{}, fmt.Errorf("cannot open it to determine the privileges that it grants: %w", err)
	}
	defer unix.Close(fd)
	var st unix.Stat_t
	if err := unix.Fstat(fd, &st); err != nil {
		return programFile{}, err
	}
	if identifyFile(&st) != identifyFile(&f.st) {
		return programFile{}, errReplaced
	}
	if r.observer.onOpen != nil {
		if err := r.observer.onOpen(fd, st); err != nil {
			return programFile{}, err
		}
	}
	return r.readOpen(path, fd, &st)
}

// readHere is readProgram for a path in caprun's root directory.
func (r *resolver) readHere(path string) (programFile, error) {
	fd, err := openAt(unix.AT_FDCWD, path, unix.O_RDONLY|unix.O_NONBLOCK|unix.O_NOCTTY)
	if err != nil {
		return programFile{}, err
	}
	defer unix.Close(fd)
	var st unix.Stat_t
	if err := unix.Fstat(fd, &st); err != nil {
		return programFile{}, err
	}
	return r.readOpen(path, fd, &st)
}

// readOpen is readProgram for an open file.
func (r *resolver) readOpen(path string, fd int, st *unix.Stat_t) (prog programFile, err error) {
	if prog.fileState, err = statOpen(fd, st); err != nil {
		return programFile{}, err
	}
	if prog.facts, err = fileFacts(st, prog.fileState); err != nil {
		return programFile{}, err
	}
	prog.facts, prog.alternatives = resolveFacts(prog.facts, prog.mount.ours, func() answer { return mapsOwners(fd, st) })
	var head [headSize]byte
	n, err := unix.Pread(fd, head[:], 0)
	if err != nil {
		return programFile{}, fmt.Errorf("cannot read its first line: %w", err)
	}
	// The kernel tries the formats of binfmt_misc before scripts.
	if prog.format, err = findFormat(r.formats, path, head[:n]); err != nil {
		return programFile{}, fmt.Errorf("%w: %w", errFormat, err)
	}
	if prog.format != nil {
		prog.interpreter = prog.format.interpreter
		return prog, nil
	}
	line, script := interpreter(head[:n])
	if script && line == "" {
		return programFile{}, errNoInterpreter
	}
	prog.interpreter = line
	return prog, nil
}

func identifyFile(st *unix.Stat_t) fileStamp {
	return fileStamp{
		dev: uint64(st.Dev), ino: st.Ino, mode: st.Mode, uid: st.Uid, gid: st.Gid,
		ctimeSec: int64(st.Ctim.Sec), ctimeN: int64(st.Ctim.Nsec),
	}
}

// fileFacts returns the facts about an executable that the model needs. It returns an
// error for a file on a noexec mount.
func fileFacts(st *unix.Stat_t, s fileState) (cred.File, error) {
	if s.noexec {
		return cred.File{}, errNoExec
	}
	file := cred.File{
		Setuid:    st.Mode&unix.S_ISUID != 0,
		Setgid:    st.Mode&unix.S_ISGID != 0,
		GroupExec: st.Mode&unix.S_IXGRP != 0,
		UID:       st.Uid,
		GID:       st.Gid,
		NoSuid:    s.nosuid,
	}
	data := []byte(s.caps)
	if len(data) == 0 {
		return file, nil
	}
	if root := fileCapsRoot(data); root != 0 {
		ns, known := readUserNS()
		owned, err := ownsFileCaps(root, ns, known)
		if err != nil || !owned {
			return file, err
		}
		clear(data[rootOffset:])
	}
	return file, decodeFileCaps(data, &file)
}
