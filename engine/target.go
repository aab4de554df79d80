package engine

import (
	"errors"

	"caprun/engine/cred"
)

// Target is what the plan is made for on a machine: the program, and the
// entry of the user that the profile names. [OrdinaryTarget]
// stands for a program of which nothing is known.
type Target struct {
	// Kernel is the version of the kernel's rules.
	Kernel cred.Rules

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

	// User is the entry of the profile's user; nil when not looked up.
	User *User

	// Death is the signal that the target gets when its parent ends.
	Death DeathSignal

	// Surroundings are those of the caller; nil for one who is not known, of
	// whom only the credentials decide about a step.
	Surroundings *Surroundings

	// exposed is what the target's user could change on the way to the program
	// and to the root directory.
	exposed []Exposure

	// passed are the paths that the search in PATH passed over, because the
	// target may not execute them.
	passed []string

	// pins are the files that were read to fill File, the program first.
	pins []pin
}

// OrdinaryTarget is a program that is not set-id and has no file
// capabilities, on the newest kernel known, for a user not looked up: what
// check, explain and diff plan for.
func OrdinaryTarget() Target { return Target{Kernel: cred.Latest()} }

// Alternative is what the kernel may take a file for.
type Alternative struct {
	File cred.File

	// Unknown says what caprun cannot determine about the file, and Hint what to
	// do about it.
	Unknown, Hint string
}

// pin remembers what was found at a path.
type pin struct {
	path string
	sight
}

// sight is what decides about the privilege that a file brings.
type sight struct {
	id             fileID
	nosuid, noexec bool   // of its mount
	caps           string // its attribute security.capability; empty without

	// mount is read for a file with set-id bits or capabilities only.
	mount mountFacts
}

// same reports whether a later look at a file shows the same. Whether the mount is
// of this mount namespace may be known no more: then its id has to do.
func (s sight) same(now sight) bool {
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

// fileID tells a file and its state from every other one.
type fileID struct {
	dev, ino         uint64
	mode, uid, gid   uint32
	ctimeSec, ctimeN int64
}

// ErrNoCommand is returned when neither the caller nor the profile names a program.
var ErrNoCommand = errors.New("no program to start; write it after --, or as command: in the profile")

// TargetError says why a program cannot be run.
type TargetError struct {
	Path   string
	Reason string
	Hint   string

	// Missing tells that there is no such program, as opposed to one that
	// cannot be executed: status 127 of a shell, not 126.
	Missing bool

	// passed is the path of the file that is missing or may not be executed, as
	// opposed to one that caprun refuses: execvp(3) passes over it.
	passed string
}

// Error returns the path and the reason.
func (e *TargetError) Error() string { return e.Path + ": " + e.Reason }

// DirectoryError says why a launch cannot have its root or working directory.
type DirectoryError struct {
	Key  string // of the profile: chroot or cwd
	Path string
	Err  error
	Hint string
}

// Error returns what the directory is for, its path and the cause.
func (e *DirectoryError) Error() string {
	what := "root directory "
	if e.Key == "cwd" {
		what = "working directory "
	}
	return what + e.Path + ": " + e.Err.Error()
}

// Unwrap returns the cause.
func (e *DirectoryError) Unwrap() error { return e.Err }
