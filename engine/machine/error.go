package machine

import "caprun/policy"

// Error is the error of everything in this package and in engine that says what to
// do: about a file, a user or a process of this machine, the text of a caller's
// credentials, or a step of a launch.
type Error struct {
	// Profile and Key are the place that the error is about: Key is a key of the
	// profile, or empty for the profile as a whole. Profile is nil for an error
	// about no profile.
	Profile *policy.Profile
	Key     string

	Subject string // the object or the step; empty where the cause names it
	Err     error  // the cause
	Hint    string // what to do; empty where nothing is known to help

	// NotExecutable tells that the program cannot be executed: status 126 of a
	// shell. Missing tells that it does not exist: status 127.
	NotExecutable, Missing bool

	// skipped is the path of a program that is missing or may not be executed, as
	// opposed to one that caprun refuses: execvp(3) passes over it.
	skipped string

	// lacksInterpreter tells that the program is there and its interpreter is missing.
	lacksInterpreter bool
}

// Error returns the object, the cause and what to do.
func (e *Error) Error() string {
	if e.Hint == "" {
		return e.Message()
	}
	return e.Message() + "; " + e.Hint
}

// Message is Error without what to do.
func (e *Error) Message() string {
	if e.Subject == "" {
		return e.Err.Error()
	}
	return e.Subject + ": " + e.Err.Error()
}

// Unwrap returns the cause.
func (e *Error) Unwrap() error { return e.Err }
