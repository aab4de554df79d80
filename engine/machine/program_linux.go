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

// FindProgram finds the program that argv names as the target will see it:
// inside the profile's root directory, symbolic links too, from its working
// directory, and for a bare name in the PATH of env, the environment of the
// target. It reads what the prediction needs: set-id bits, file capabilities,
// mount flags, and the same of what runs in its place: the interpreter of a
// script, or of a format of binfmt_misc. The error is ErrNoCommand, a
// *TargetError or a *DirectoryError.
//
// Permission is that of the process as; nil where nothing is known of it.
func FindProgram(p *policy.Profile, id Identity, as *Accessor, argv, env []string) (Program, error) {
	if len(argv) == 0 {
		return Program{}, ErrNoCommand
	}
	if argv[0] == "" {
		return Program{}, &TargetError{Path: `""`, Missing: true, Reason: "no program has an empty name", Hint: "write the name of the program"}
	}
	// First, while few descriptors are open.
	formats, err := readFormats()
	if err != nil {
		err = fmt.Errorf("%w: %w", errFormat, err)
		return Program{}, &TargetError{Path: argv[0], Reason: err.Error(), Hint: readHint(err)}
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
		program.WritablePaths, err = w.all(p.Chroot)
	}
	return program, err
}

// search looks for a bare name in the PATH of env, as execvp(3) does: it passes
// over what is missing and what the target may not search or execute, and the
// second wins when nothing is found. A script whose interpreter is missing counts as
// missing: execve(2) fails with ENOENT. Whatever else is in the way ends the search.
// It does where execvp(3) would take an empty or relative entry, too.
func (r *resolver) search(name string, argv, env []string) (Program, error) {
	path, ok := lookupEnv(env, "PATH")
	if !ok {
		return Program{}, &TargetError{Path: name, Missing: true, Reason: "PATH is not set in the environment of the target",
			Hint: "write the path of the program, or set PATH with env"}
	}
	var denied, lacking error
	var passed []string
	for dir := range strings.SplitSeq(path, ":") {
		if !strings.HasPrefix(dir, "/") {
			return Program{}, &TargetError{Path: name, Missing: true, Reason: fmt.Sprintf("PATH has the entry %q, which is not absolute", dir),
				Hint: "write the path of the program, or mend PATH"}
		}
		t, err := r.target(strings.TrimRight(dir, "/")+"/"+name, argv)
		var te *TargetError
		switch {
		case err == nil:
			t.passed = passed
			return t, nil
		case !errors.As(err, &te) || te.passed == "":
			return Program{}, err
		case te.lacksInterpreter && lacking == nil:
			te.Missing = true
			lacking = te
		case !te.Missing && !te.lacksInterpreter && denied == nil:
			denied = err
		}
		passed = append(passed, te.passed)
	}
	if denied != nil {
		return Program{}, denied
	}
	if lacking != nil {
		return Program{}, lacking
	}
	return Program{}, &TargetError{Path: name, Missing: true, Reason: "not found in PATH=" + path, Hint: "install it, or write its path"}
}

func lookupEnv(env []string, name string) (string, bool) {
	for _, entry := range env {
		if value, ok := strings.CutPrefix(entry, name+"="); ok {
			return value, true
		}
	}
	return "", false
}

// target reads the program at path, and the interpreters of a script.
func (r *resolver) target(path string, argv []string) (Program, error) {
	t := Program{Path: path, Args: slices.Clone(argv)}
	next, fix, decided := path, "", false
	for depth := 0; ; depth++ {
		f, err := r.file(next)
		if err != nil {
			var te *TargetError
			if depth > 0 && errors.As(err, &te) {
				return t, &TargetError{Path: path, Reason: fmt.Sprintf("its interpreter %s: %s", next, te.Reason),
					Hint: "install the interpreter, or " + fix, passed: te.passed, lacksInterpreter: te.Missing}
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
			return t, &TargetError{Path: path, Reason: "scripts run scripts more than five deep", Hint: "name a program as interpreter"}
		}
		next, fix = f.interpreter, "mend the first line of the script"
		if f.format != nil {
			fix = "remove the format " + f.format.name + " of binfmt_misc"
			decided = decided || f.format.credentials
			if f.format.fixed {
				return r.fixed(t, f.format, decided)
			}
		}
	}
}

// fixed is target for a program whose interpreter the kernel holds open since
// the format was made: what lies at its path in this root directory says
// nothing. It is looked up in that of caprun, and it has to bring nothing and to
// be no script: whose interpreter is looked for where the target is.
func (r *resolver) fixed(t Program, f *format, decided bool) (Program, error) {
	if decided {
		return t, nil
	}
	prog, err := r.readHere(f.interpreter)
	switch {
	case err != nil:
		err = fmt.Errorf("cannot be looked at: %w", err)
	case prog.facts.Setuid || prog.facts.Setgid || prog.facts.HasCaps:
		err = errors.New("is set-id or has file capabilities")
	case prog.interpreter != "":
		err = errors.New("is itself run by another program, which brings its own")
	default:
		t.File, t.Alternatives, t.FilePath = prog.facts, nil, f.interpreter // it brings nothing
		return t, nil
	}
	return t, &TargetError{Path: t.Path, Reason: fmt.Sprintf("its interpreter %s, of the format %s of binfmt_misc with flag F, %v", f.interpreter, f.name, err),
		Hint: "make the format with flag C too, or remove it"}
}

// programFile is what one file says about its execution.
type programFile struct {
	fileState
	facts        cred.File
	alternatives []Alternative
	interpreter  string  // empty for a file that is no script
	format       *format // of binfmt_misc, that names the interpreter; nil without
}

func (r *resolver) file(path string) (programFile, error) {
	fail := func(why, hint string) (programFile, error) {
		return programFile{}, &TargetError{Path: path, Reason: why, Hint: hint}
	}
	// Where execve(2) fails with ENOENT, ENOTDIR or EACCES.
	pass := func(why, hint string, missing bool) (programFile, error) {
		return programFile{}, &TargetError{Path: path, Reason: why, Hint: hint, Missing: missing, passed: path}
	}
	found, err := r.walkAs(r.as, path)
	var denied *searchError
	const check = "check the path as the target sees it: from its root and working directory"
	switch {
	case errors.As(err, &denied):
		return pass(err.Error(), fmt.Sprintf("chmod or chown it, or name a program that %s can reach", denied.who), false)
	case errors.Is(err, unix.ENOENT), errors.Is(err, unix.ENOTDIR):
		return pass(err.Error(), check, true)
	case errors.Is(err, unix.EACCES):
		return pass(err.Error(), check, false)
	case err != nil:
		return fail(err.Error(), check)
	}
	defer found.close()
	st := &found.st
	if st.Mode&unix.S_IFMT != unix.S_IFREG {
		return pass("not a regular file", "name a program", false)
	}
	if !r.as.may(st.Mode, st.Uid, st.Gid) {
		what := "it is not executable"
		if r.as != nil {
			what = r.as.Name + " may not execute it"
		}
		return pass(fmt.Sprintf("%s (mode %04o, owner %d:%d)", what, st.Mode&0o7777, st.Uid, st.Gid),
			"chmod or chown it", false)
	}
	prog, err := r.readProgram(path, &found)
	switch {
	case errors.Is(err, errNoExec):
		return pass(err.Error(), readHint(err), false)
	case err != nil:
		return fail(err.Error(), readHint(err))
	}
	return prog, nil
}

var (
	errReplaced      = errors.New("it changed while it was read")
	errNoExec        = errors.New("its file system is mounted noexec")
	errNoInterpreter = errors.New("its first line names no interpreter")
	errFormat        = errors.New("what binfmt_misc makes of it cannot be seen")
)

// readHint says what to do about an error of readProgram.
func readHint(err error) string {
	switch {
	case errors.Is(err, unix.EMFILE), errors.Is(err, unix.ENFILE):
		return "allow caprun some ten descriptors: RLIMIT_NOFILE"
	case errors.Is(err, errForeignCaps):
		return "remove them"
	case errors.Is(err, errReplaced):
		return "start again, and see who can write it"
	case errors.Is(err, errNoExec):
		return "move the program to a file system that is mounted exec"
	case errors.Is(err, errFormat):
		return "let caprun read " + formatsDir + ", or remove the format there"
	case errors.Is(err, errNoInterpreter):
		return "mend the first line of the script"
	}
	return "make it readable for the user who starts caprun"
}

// readProgram reads what decides about the privilege of a program. path is what
// the kernel gets for it.
func (r *resolver) readProgram(path string, f *found) (programFile, error) {
	fd, err := f.openRead()
	if err != nil {
		return programFile{}, fmt.Errorf("cannot be read to see what privileges it brings: %w", err)
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

// readHere is readProgram for a path in the root directory of caprun.
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

// readOpen is readProgram for a file that is open.
func (r *resolver) readOpen(path string, fd int, st *unix.Stat_t) (prog programFile, err error) {
	if prog.fileState, err = statOpen(fd, st); err != nil {
		return programFile{}, err
	}
	if prog.facts, err = fileFacts(st, prog.fileState); err != nil {
		return programFile{}, err
	}
	prog.facts, prog.alternatives = settle(prog.facts, prog.mount.ours, func() answer { return mapsOwners(fd, st) })
	var head [headSize]byte
	n, err := unix.Pread(fd, head[:], 0)
	if err != nil {
		return programFile{}, fmt.Errorf("its first line cannot be read: %w", err)
	}
	// The kernel asks binfmt_misc before it looks for a first line.
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

func identifyFile(st *unix.Stat_t) fileID {
	return fileID{
		dev: uint64(st.Dev), ino: st.Ino, mode: st.Mode, uid: st.Uid, gid: st.Gid,
		ctimeSec: int64(st.Ctim.Sec), ctimeN: int64(st.Ctim.Nsec),
	}
}

// fileFacts returns what the model wants to know about an executable.
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
