package cap

import "fmt"

// A Mode is a way to use capabilities that libcap has a name for: a combination of
// securebits and sets. Many states have no such name, so GetMode can only guess; to
// verify a state, compare its securebits and sets.
type Mode uint

// The modes. Only the last four can be set.
const (
	// ModeUncertain is a state without a name.
	ModeUncertain Mode = iota
	// ModeNoPriv has no capabilities and cannot gain any, not even by exec.
	ModeNoPriv
	// ModePure1EInit is ModePure1E with an empty inheritable set.
	ModePure1EInit
	// ModePure1E grants capabilities only through file capabilities: user ID 0
	// has no special meaning, and no ambient capability can be raised.
	ModePure1E
	// ModeHybrid is the default state of Linux, without securebits.
	ModeHybrid
)

var modeNames = [...]string{
	ModeUncertain:  "UNCERTAIN",
	ModeNoPriv:     "NOPRIV",
	ModePure1EInit: "PURE1E_INIT",
	ModePure1E:     "PURE1E",
	ModeHybrid:     "HYBRID",
}

// String returns the name of m in libcap, such as "PURE1E", or "UNKNOWN" for any other
// number.
func (m Mode) String() string {
	if m < Mode(len(modeNames)) {
		return modeNames[m]
	}
	return "UNKNOWN"
}

// ModeFromText returns the mode with this name, in upper case. The error wraps
// ErrBadMode. It is also returned for UNCERTAIN, which cannot be set.
func ModeFromText(name string) (Mode, error) {
	for m := ModeNoPriv; m <= ModeHybrid; m++ {
		if modeNames[m] == name {
			return m, nil
		}
	}
	return ModeUncertain, fmt.Errorf("%w: %q", ErrBadMode, name)
}
