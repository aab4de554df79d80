package machine

import (
	"errors"
	"fmt"

	"caprun/engine/cred"
)

// Program is a program of this machine. The zero value stands for an unknown program
// without set-id bits and file capabilities.
type Program struct {
	// Path is the path for execve(2), as the target resolves it from its root and
	// working directory. It is empty for an unknown program.
	Path string

	// Args is the command line. Args[0] is the name that the program gets.
	Args []string

	// File has the facts about the file whose set-id bits and file capabilities
	// the kernel uses: the program, or the interpreter of a script.
	File cred.File

	// ForeignMount reports that the mount of the file belongs to another mount
	// namespace. File.NoSuid is then set.
	ForeignMount bool

	// Alternatives are other facts that may be true of the file instead of File,
	// because caprun cannot determine which are. A plan leads to the same state
	// for File and for each alternative.
	Alternatives []Alternative

	// FilePath is the path of the file that File is about.
	FilePath string

	// WritablePaths are the paths to the program and to the root directory that
	// the target's user can change.
	WritablePaths []WritablePath

	// passed are the paths that the search in PATH passed over, because the
	// target may not execute them.
	passed []string

	// pinned are the files that were read to fill File, the program first.
	pinned []pinnedFile
}

// pinnedFile is the path and the state of a file that was read.
type pinnedFile struct {
	path string
	fileState
}

// fileState is what decides which privileges exec of a file grants.
type fileState struct {
	id             fileStamp
	nosuid, noexec bool   // of its mount
	caps           string // its attribute security.capability; empty if it has none

	// mount is set only for a file with set-id bits or capabilities.
	mount mountFacts
}

// same reports whether s and a later state now are the same. If one of them does not
// tell whether the mount belongs to this mount namespace, the mount ID decides.
func (s fileState) same(now fileState) bool {
	if s.mount.ours == answerUnknown || now.mount.ours == answerUnknown {
		now.mount.ours = s.mount.ours
	}
	return now == s
}

// mountFacts are facts about the mount of a file.
type mountFacts struct {
	// id is the unique mount ID, or on kernels before 6.8 the reused one, see
	// statx(2). It is 0 if statx returns neither.
	id uint64

	// ours reports whether the mount belongs to the caller's mount namespace. The
	// kernel ignores set-id bits and file capabilities on other mounts:
	// mnt_may_suid (fs/namespace.c).
	ours answer
}

// fileStamp identifies a file and the last change of its inode.
type fileStamp struct {
	dev, ino         uint64
	mode, uid, gid   uint32
	ctimeSec, ctimeN int64
}

// ErrFileChanged reports that a file has changed since [FindProgram] read it.
var ErrFileChanged = errors.New("the file, its capabilities or its mount changed since it was checked")

// CheckFiles reads the state of the program's files again: the program and its
// interpreters. It returns the path of the first file that has changed, with
// [ErrFileChanged], or that cannot be read, with an error of the system.
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

// CheckSearch verifies the search in PATH with faccessat2(2), in the process that will
// execute the target: that process may not execute the files that the search passed
// over. It returns the path of the first file that the process may execute, or of which
// the kernel does not tell, and an error.
func (p *Program) CheckSearch() (path string, err error) {
	for _, path := range p.passed {
		may, err := executable(path)
		var unknown *accessError
		switch {
		case errors.As(err, &unknown):
			err = fmt.Errorf("caprun cannot determine whether the target may execute it, and it comes before %s in PATH: %w", p.Path, err)
		case err == nil && may:
			err = fmt.Errorf("it comes before %s in PATH, and the target may execute it although its mode does not grant that", p.Path)
		}
		if err != nil {
			return path, err
		}
	}
	return "", nil
}

// accessError reports that faccessat2(2) cannot be used, and why.
type accessError struct{ err error }

func (e *accessError) Error() string { return "faccessat2: " + e.err.Error() }
func (e *accessError) Unwrap() error { return e.err }

// ErrNoCommand reports that neither the command line nor the profile names a program.
var ErrNoCommand = errors.New("no program to start; write it after --, or set command in the profile")
