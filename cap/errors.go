package cap

import (
	"errors"
	"strconv"
)

// Errors of capability values, sets, IAB tuples, modes and files. Some functions
// wrap them to add details; errors.Is works for all.
var (
	// ErrBadMagic is returned for an exported set or a file attribute with an
	// unknown magic number.
	ErrBadMagic = errors.New("unsupported magic")

	// ErrBadMode is returned for a Mode that cannot be set, for an unknown name
	// of a mode, and for a mode that contradicts another setting of a Launcher.
	ErrBadMode = errors.New("unsupported mode")

	// ErrBadPath is returned by SetFile and SetFd for a file that is not a
	// regular file.
	ErrBadPath = errors.New("file is not a regular executable")

	// ErrBadSet is returned for a nil Set, and for a Set that no function of
	// this package has made. ClearFlag and IAB.Fill also return it for an
	// argument that is out of range.
	ErrBadSet = errors.New("bad capability set")

	// ErrBadSize is returned for an exported set or a file attribute of the
	// wrong length.
	ErrBadSize = errors.New("filecap bad size")

	// ErrBadText is returned for a text that is not the text of a set.
	ErrBadText = errors.New("bad text")

	// ErrBadValue is returned for a capability, flag or vector that is out of
	// range, for a nil IAB, and for an IAB that no function of this package has
	// made.
	ErrBadValue = errors.New("bad capability value")

	// ErrOutOfRange is returned by Export for a MinExtFlagSize above 255.
	ErrOutOfRange = errors.New("flag length invalid for export")
)

// Errors of a launch, and of system calls.
var (
	// ErrLaunchFailed is returned for a Launcher without a program, arguments
	// or function, and when a callback has ended its goroutine.
	ErrLaunchFailed = errors.New("launch failed")

	// ErrNoLaunch exists for compatibility. No function returns it.
	ErrNoLaunch = errors.New("launch not supported")

	// ErrAmbiguousChroot is returned when a callback sets SysProcAttr.Chroot.
	// Use Launcher.SetChroot.
	ErrAmbiguousChroot = errors.New("use Launcher for chroot")

	// ErrAmbiguousIDs is returned when a callback sets SysProcAttr.Credential.
	// Use Launcher.SetUID and Launcher.SetGroups.
	ErrAmbiguousIDs = errors.New("use Launcher for uids and gids")

	// ErrAmbiguousAmbient is returned when a callback sets
	// SysProcAttr.AmbientCaps. Use Launcher.SetIAB.
	ErrAmbiguousAmbient = errors.New("use Launcher for ambient caps")

	// ErrExecOnly is returned by Launch for a Launcher with a setting that only
	// Exec supports: working directory, umask, resource limits, descriptors,
	// session, session keyring, final set, parent-death signal, or a function to
	// call before exec.
	ErrExecOnly = errors.New("Launch does not support this setting; use Exec")

	// ErrLaunchOnly is returned by Exec for a Launcher with a callback.
	ErrLaunchOnly = errors.New("Exec does not support a callback; use SetBeforeExec")

	// ErrBadID is returned for a user or group ID that the kernel does not
	// have: negative, or above 4294967294.
	ErrBadID = errors.New("invalid user or group ID")

	// ErrNotLinux is returned on systems other than Linux by every function
	// that makes a system call of Linux.
	ErrNotLinux = errors.New("capabilities exist only on Linux")

	// ErrBadLimit is returned for a umask, a resource limit, a descriptor, or a
	// parent-death signal that is out of range.
	ErrBadLimit = errors.New("limit out of range")
)

// maxQuoted is the maximal number of bytes of a word in a message, so that an
// untrusted text cannot fill a log.
const maxQuoted = 64

// A TextError describes an error in the text of a set or of an IAB tuple.
// errors.Is(err, ErrBadText) is true for it.
type TextError struct {
	Offset int    // of the word with the error, in bytes from the start of the text
	Length int    // of the word, in bytes
	Word   string // text[Offset:Offset+Length]: a name, an operator, a flag or a comma
	Reason string // what is wrong, such as "unknown capability"
}

// Error returns the word, its offset and the reason. It shows only the first 64
// bytes of a longer word.
func (e *TextError) Error() string {
	if e.Word == "" {
		return ErrBadText.Error() + ": " + e.Reason
	}
	word, cut := e.Word, ""
	if len(word) > maxQuoted {
		word, cut = word[:maxQuoted], "..."
	}
	return ErrBadText.Error() + ": " + strconv.Quote(word) + cut +
		" at byte " + strconv.Itoa(e.Offset) + ": " + e.Reason
}

// Is reports whether target is ErrBadText.
func (e *TextError) Is(target error) bool { return target == ErrBadText }

// fault is a TextError that needs no allocation: where the word begins and ends, and
// the reason, which is empty if there is no error.
type fault struct {
	from, to int
	reason   string
}

func (f fault) in(text string) *TextError {
	return &TextError{Offset: f.from, Length: f.to - f.from, Word: text[f.from:f.to], Reason: f.reason}
}
