package machine

import (
	"errors"
	"fmt"

	"caprun/engine/cred"
)

// Program is a program of this machine as the kernel sees it when a target
// executes it. The zero value is one of which nothing is known.
type Program struct {
	// Path is what execve(2) gets: as the target sees it, from its root and
	// working directory. Empty for a program of which nothing is known.
	Path string

	// Args is the command line, Args[0] the program's own name for itself.
	Args []string

	// File is the file that decides about privilege: the program, or the
	// interpreter of a script.
	File cred.File

	// ForeignMount says that the mount of the file belongs to another mount
	// namespace, which is why File has NoSuid.
	ForeignMount bool

	// Alternatives are what File may be to the kernel instead, where something
	// that decides about its privilege is not known. A plan leads to the same
	// state with each of them.
	Alternatives []Alternative

	// FilePath is where File was found.
	FilePath string

	// WritablePaths are what the target's user could change on the way to the program
	// and to the root directory.
	WritablePaths []WritablePath

	// passed are the paths that the search in PATH passed over, because the
	// target may not execute them.
	passed []string

	// pinned are the files that were read to fill File, the program first.
	pinned []pinnedFile
}

// pinnedFile remembers what was found at a path.
type pinnedFile struct {
	path string
	fileState
}

// fileState is what decides about the privilege that a file brings.
type fileState struct {
	id             fileStamp
	nosuid, noexec bool   // of its mount
	caps           string // its attribute security.capability; empty without

	// mount is read for a file with set-id bits or capabilities only.
	mount mountFacts
}

// same reports whether a later look at a file shows the same. Whether the mount is
// of this mount namespace may be known no more: then its id has to do.
func (s fileState) same(now fileState) bool {
	if s.mount.ours == answerUnknown || now.mount.ours == answerUnknown {
		now.mount.ours = s.mount.ours
	}
	return now == s
}

// mountFacts is what is known of the mount that a file was reached through.
type mountFacts struct {
	// id is its unique id, on a kernel that has none the one that statx(2)
	// shows otherwise; 0 where statx tells neither.
	id uint64

	// ours tells whether the mount belongs to the mount namespace of the
	// caller. The kernel ignores set-id bits and file capabilities elsewhere:
	// mnt_may_suid of fs/namespace.c.
	ours answer
}

// fileStamp tells a file and its state from every other one.
type fileStamp struct {
	dev, ino         uint64
	mode, uid, gid   uint32
	ctimeSec, ctimeN int64
}

// ErrFileChanged is the error of CheckFiles for a file that is another one now.
var ErrFileChanged = errors.New("the file, its capabilities or its mount changed since it was checked")

// CheckFiles compares the files that decide about the privilege of the program
// with what was found of them. It returns the path of the first that differs,
// with ErrFileChanged, or that cannot be reached.
func (p *Program) CheckFiles() (path string, err error) {
	for _, file := range p.pinned {
		now, err := statPath(file.path)
		if err != nil {
			return file.path, err
		}
		if !file.fileState.same(now) {
			return file.path, ErrFileChanged
		}
	}
	return "", nil
}

// CheckSearch asks the kernel, as the process that will execute the target,
// whether it may not execute what the search in PATH passed over. It returns the
// path of the first file that it may execute, or of which the kernel does not tell.
func (p *Program) CheckSearch() (path string, err error) {
	for _, path := range p.passed {
		may, err := executable(path)
		var unknown *accessError
		switch {
		case errors.As(err, &unknown):
			err = fmt.Errorf("caprun cannot determine whether the target may execute it, and it comes before %s in PATH: %w", p.Path, err)
		case err == nil && may:
			err = fmt.Errorf("it comes before %s in PATH, and the target may execute it, which its mode does not tell", p.Path)
		}
		if err != nil {
			return path, err
		}
	}
	return "", nil
}

// accessError says why the kernel cannot be asked whether a file may be executed.
type accessError struct{ err error }

func (e *accessError) Error() string { return "faccessat2: " + e.err.Error() }
func (e *accessError) Unwrap() error { return e.err }

// ErrNoCommand is returned when neither the caller nor the profile names a program.
var ErrNoCommand = errors.New("no program to start; write it after --, or as command: in the profile")
