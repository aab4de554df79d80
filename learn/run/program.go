package run

import (
	"fmt"
	"slices"
	"time"
)

// Program is a program to run, and how to find out whether it works.
type Program struct {
	// Start starts a process that waits, and executes the program when Launch is called.
	Start func(Streams) (Child, error)

	// Test is a command for the shell. Its exit status is 0 if the program works. If it
	// is empty, the program works if its own exit status is 0.
	Test string

	// Reset is a command for the shell that runs before the program; empty for none.
	Reset string

	// Settle is how long a program must continue to run after the test has succeeded.
	Settle time.Duration

	// Timeout bounds the time until the program has ended or the test has succeeded.
	Timeout time.Duration

	// ResetTimeout bounds the reset command; 0 means Timeout. A run without a capability
	// has a short limit, but a reset command that does not end makes every result void.
	ResetTimeout time.Duration

	// Record, if it is not nil, is called with the process ID of the child before the
	// program is executed. It returns a function that is called after the last process
	// of the program has ended.
	Record func(pid int) (stop func() error, err error)
}

// Child is a process that waits to execute the program.
type Child struct {
	PID int

	// Launch lets the process execute the program. executed is false if it refused; the
	// process has then written the reason to its standard error, and exits.
	Launch func() (executed bool, err error)

	// Close is called instead of Launch. The process then ends without the program.
	Close func()
}

// Kind is how a program shows that it works.
type Kind int

const (
	// Unknown is the kind before the first run, which determines it.
	Unknown Kind = iota

	// Ends is a program that ends by itself. The test that decides runs after its last
	// process has ended. It also runs before, until it succeeds: it can be what the
	// program waits for.
	Ends

	// Continues is a program that still runs when the test succeeds, such as a server.
	Continues
)

// String returns a description, such as "ends by itself".
func (k Kind) String() string {
	switch k {
	case Ends:
		return "ends by itself"
	case Continues:
		return "runs until it is stopped"
	}
	return "unknown"
}

// Identity has the IDs of a process.
type Identity struct {
	UIDs, GIDs [4]uint32 // real, effective, saved and file system ID
	Groups     []uint32  // sorted
}

// Equal reports whether all IDs are the same.
func (id Identity) Equal(other Identity) bool {
	return id.UIDs == other.UIDs && id.GIDs == other.GIDs && slices.Equal(id.Groups, other.Groups)
}

// One returns the uid and the gid of a process that has no other ones; ok is false for a
// process whose real, effective, saved and file system IDs differ.
func (id Identity) One() (uid, gid uint32, ok bool) {
	for n := range id.UIDs {
		if id.UIDs[n] != id.UIDs[0] || id.GIDs[n] != id.GIDs[0] {
			return 0, 0, false
		}
	}
	return id.UIDs[0], id.GIDs[0], true
}

// Result is the result of one run. Texts of the program and of the commands are
// untrusted.
type Result struct {
	Works  bool
	Reason string // why it does not work; empty if it does

	// TimedOut reports that the time limit has decided: a slower machine would have come
	// to the same result with a program that works.
	TimedOut bool

	Kind   Kind
	Took   time.Duration // from the start of the program to the decision
	Output []string      // the last lines of the program

	// Exit is how the first process ended, such as "exit status 1", if the last process of
	// the program ended by itself before the test that decided; empty if one still ran, and
	// without a test. ExitOK reports whether it was exit status 0.
	Exit   string
	ExitOK bool

	// Identities are the IDs of its processes, as far as they were seen, in this order.
	Identities []Identity

	// Killed is the number of processes that SIGTERM did not end.
	Killed int
}

// RefusedError is the error if the launch itself failed.
type RefusedError struct {
	Status int      // the exit status of the launch
	Output []string // what it printed
}

// Error returns the last line of the launch.
func (e *RefusedError) Error() string {
	if len(e.Output) == 0 {
		return fmt.Sprintf("the launch failed with exit status %d", e.Status)
	}
	return e.Output[len(e.Output)-1]
}

// ResetError is the error if the reset command failed.
type ResetError struct {
	Reason string
	Output []string // its last lines, untrusted
}

// Error returns the reason, and the last line of the command.
func (e *ResetError) Error() string {
	text := "the reset command failed: " + e.Reason
	if len(e.Output) > 0 {
		text += ": " + e.Output[len(e.Output)-1]
	}
	return text
}
