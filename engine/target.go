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

	// FilePath is where File was found.
	FilePath string

	// User is the entry of the profile's user; nil when not looked up.
	User *User

	// Death is the signal that the target gets when its parent ends.
	Death DeathSignal

	// exposed is what the target's user could change on the way to the program
	// and to the root directory.
	exposed []Exposure

	// pins are the files that were read to fill File, the program first.
	pins []pin
}

// OrdinaryTarget is a program that is not set-id and has no file
// capabilities, on the newest kernel known, for a user not looked up: what
// check, explain and diff plan for.
func OrdinaryTarget() Target { return Target{Kernel: cred.Latest()} }

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
