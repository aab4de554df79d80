package cap

import "fmt"

// Mode is one of libcap's names for a way to use capabilities: a combination
// of securebits and vectors. What is read back is a guess, because many states
// have no such name: compare sets, where it matters.
type Mode uint

// The modes. Only the last four can be set.
const (
	// ModeUncertain is any state that has no name.
	ModeUncertain Mode = iota
	// ModeNoPriv has no capability and no way to get one, not even by exec.
	ModeNoPriv
	// ModePure1EInit is ModePure1E with an empty inheritable set.
	ModePure1EInit
	// ModePure1E has capabilities by file and by inheritance only: user ID 0
	// means nothing, and ambient capabilities are off.
	ModePure1E
	// ModeHybrid is the traditional state of Linux: no securebits.
	ModeHybrid
)

var modeNames = [...]string{
	ModeUncertain:  "UNCERTAIN",
	ModeNoPriv:     "NOPRIV",
	ModePure1EInit: "PURE1E_INIT",
	ModePure1E:     "PURE1E",
	ModeHybrid:     "HYBRID",
}

// String returns libcap's name of m, and "UNKNOWN" for a number that is no
// mode.
func (m Mode) String() string {
	if m < Mode(len(modeNames)) {
		return modeNames[m]
	}
	return "UNKNOWN"
}

// ModeFromText returns the mode that is called name, in upper case. The error
// wraps ErrBadMode, for UNCERTAIN too, which cannot be set.
func ModeFromText(name string) (Mode, error) {
	for m := ModeNoPriv; m <= ModeHybrid; m++ {
		if modeNames[m] == name {
			return m, nil
		}
	}
	return ModeUncertain, fmt.Errorf("%w: %q", ErrBadMode, name)
}
