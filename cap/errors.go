package cap

import (
	"errors"
	"strconv"
)

// The errors of capability values, sets and texts. Compare with errors.Is:
// some functions wrap them to say more.
var (
	// ErrBadMagic is returned for a portable set or a file attribute whose
	// magic number this package does not know.
	ErrBadMagic = errors.New("unsupported magic")

	// ErrBadMode is returned for a Mode that is not one of the four that can
	// be set, and for a name that is not a mode's.
	ErrBadMode = errors.New("unsupported mode")

	// ErrBadPath is returned by the functions that set file capabilities for
	// something other than a regular file.
	ErrBadPath = errors.New("file is not a regular executable")

	// ErrBadSet is returned for a nil Set, for a Set that was not made by a
	// function of this package, and for a request that no Set can satisfy.
	ErrBadSet = errors.New("bad capability set")

	// ErrBadSize is returned for a portable set or a file attribute of the
	// wrong length.
	ErrBadSize = errors.New("filecap bad size")

	// ErrBadText is returned for a text that is not a capability set.
	ErrBadText = errors.New("bad text")

	// ErrBadValue is returned for a capability, flag or vector out of range,
	// and for an IAB tuple that was not made by a function of this package.
	ErrBadValue = errors.New("bad capability value")

	// ErrOutOfRange is returned by Export for a MinExtFlagSize above 255.
	ErrOutOfRange = errors.New("flag length invalid for export")
)

// The errors of a launch.
var (
	// ErrLaunchFailed is returned when there is nothing to launch, or when a
	// callback ended its goroutine.
	ErrLaunchFailed = errors.New("launch failed")

	// ErrNoLaunch is returned where launching is not supported.
	ErrNoLaunch = errors.New("launch not supported")

	// ErrAmbiguousChroot is returned when a callback sets
	// SysProcAttr.Chroot: SetChroot is the one place for it.
	ErrAmbiguousChroot = errors.New("use Launcher for chroot")

	// ErrAmbiguousIDs is returned when a callback sets
	// SysProcAttr.Credential: SetUID and SetGroups are the place for it.
	ErrAmbiguousIDs = errors.New("use Launcher for uids and gids")

	// ErrAmbiguousAmbient is returned when a callback sets
	// SysProcAttr.AmbientCaps: SetIAB is the one place for it.
	ErrAmbiguousAmbient = errors.New("use Launcher for ambient caps")

	// ErrExecOnly is returned by Launch for a Launcher with a setting that
	// belongs to a whole process: working directory, umask, limits,
	// descriptors, session, a final set, a parent-death signal, or a function
	// to call before exec.
	ErrExecOnly = errors.New("only Exec can do this: it would change the calling process")

	// ErrLaunchOnly is returned by Exec for a Launcher with a callback.
	ErrLaunchOnly = errors.New("a callback is for Launch; use SetBeforeExec")

	// ErrBadID is returned for a uid or gid that no kernel id can be:
	// negative, or 4294967295 and more.
	ErrBadID = errors.New("not a user or group id")

	// ErrNotLinux is returned by every call to the system on another one.
	ErrNotLinux = errors.New("capabilities are a feature of Linux")

	// ErrBadLimit is returned for a umask or a resource limit out of range.
	ErrBadLimit = errors.New("limit out of range")
)

// maxQuoted bounds how many bytes of a word Error shows, so that a hostile
// text does not fill a log.
const maxQuoted = 64

// A TextError says what is wrong with the text of a set or of an IAB tuple,
// and where. It is an ErrBadText to errors.Is.
type TextError struct {
	Offset int    // where the word at fault begins, in bytes from the start of the text
	Length int    // how many bytes it has
	Word   string // the word: text[Offset:Offset+Length], a name, an operator, a flag or a comma
	Reason string // what is wrong with it, as a phrase without a capital
}

// Error names the word, its byte offset and the reason. A word of more than 64
// bytes is shown by its beginning.
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

// fault is a TextError that costs nothing as long as there is no error: where
// the word begins and ends, and the reason, which is empty for a good text.
type fault struct {
	from, to int
	reason   string
}

func (f fault) in(text string) *TextError {
	return &TextError{Offset: f.from, Length: f.to - f.from, Word: text[f.from:f.to], Reason: f.reason}
}
