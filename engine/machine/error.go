package machine

import "caprun/policy"

// Error is an error with a hint what to do. Packages machine and engine return it for a
// file, a user or a process of this machine, for the text of a caller's credentials,
// and for a step of a launch.
type Error struct {
	// Profile and Key are the place in the profile that the error is about. Key is
	// empty if the error is about the whole profile. Profile is nil if the error
	// is not about a profile.
	Profile *policy.Profile
	Key     string

	Subject string // the object or the step; empty where the cause names it
	Err     error  // the cause
	Hint    string // what to do; empty if nothing is known to help

	// NotExecutable reports that the program cannot be executed (status 126 of a
	// shell). Missing reports that it does not exist (status 127).
	NotExecutable, Missing bool

	// skipped is the path of a program that execvp(3) passes over, because it is
	// missing or may not be executed. It is empty for one that caprun refuses.
	skipped string

	// lacksInterpreter reports that the program exists and its interpreter does not.
	lacksInterpreter bool
}

// Error returns the message and the hint: "SUBJECT: CAUSE; HINT".
func (e *Error) Error() string {
	if e.Hint == "" {
		return e.Message()
	}
	return e.Message() + "; " + e.Hint
}

// Message returns the message without the hint: "SUBJECT: CAUSE".
func (e *Error) Message() string {
	if e.Subject == "" {
		return e.Err.Error()
	}
	return e.Subject + ": " + e.Err.Error()
}

// Unwrap returns the cause.
func (e *Error) Unwrap() error { return e.Err }
