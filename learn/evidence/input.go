package evidence

import (
	"time"

	"caprun/learn/classify"
	"caprun/learn/observe"
	"caprun/learn/search"
)

// Input is what was run and recorded. The zero value of a field stands for what is unknown
// or was not done.
type Input struct {
	// Program is the program and its arguments; Test and Reset are the commands of the
	// user, or "".
	Program     []string
	Test, Reset string

	// Base is what the profile is written for. UID and GID are the effective IDs with which
	// the program starts.
	Base     Base
	UID, GID uint32

	// Profile is the text of the profile that was learned, without the evidence, if the
	// caller composed it; nil for the one that Base composes.
	Profile []byte

	// Reference is the run with all capabilities of the base.
	Reference Run

	// Ended is how the program ended by itself in the reference run, before the test that
	// decided; nil if it still ran, and without a test.
	Ended *Exit

	// TestAlone reports that the test succeeded without the program: before the first run,
	// and then there is none, or after the program had worked without any capability.
	TestAlone bool

	// Baseline are the calls that fail in the reference run too.
	Baseline classify.Baseline

	// Executed and Identities are what the reference run showed of the process tree. If
	// the search was complete, Executed also has what the last run that worked showed.
	Executed   classify.Executed
	Identities []classify.Identity

	// FileCapabilities are the capabilities of the program's file as text, such as
	// "cap_net_raw=ep"; "" for none.
	FileCapabilities string

	// Untraced is the reason why capability checks were not recorded, as a phrase such as
	// "-no-trace"; "" if they were.
	Untraced string

	// Search is the result of the search, and Runs has what its runs showed, by
	// [search.Trial.Run]. An entry may be missing.
	Search search.Result
	Runs   map[int]Run

	// Interrupted reports that the user ended learn before its last run.
	Interrupted bool

	// NoNewPrivs and NoRoot are what runs with no_new_privs, and with noroot and its lock,
	// showed.
	NoNewPrivs, NoRoot Attempt

	// HardeningLost reports that one of these is NotTried because the program worked, but
	// events of the run were lost: a call may have failed.
	HardeningLost bool

	// TotalRuns is the number of all runs: the search's, and those before and after it.
	TotalRuns int

	// Took is the time from the first run to the last.
	Took time.Duration
}

// Shown reports whether a test that succeeds shows that the program works: the program
// reported no failure when it ended, and the test did not succeed without the program.
func (in *Input) Shown() bool {
	return !in.TestAlone && (in.Ended == nil || !in.Ended.Failed)
}

// Exit is how a program has ended by itself.
type Exit struct {
	Status string // such as "exit status 1"
	Failed bool   // Status is not exit status 0
	Output string // the last line that the program printed, untrusted; "" for none
}

// Run is what one run showed. [NewRun] makes one from a recording.
type Run struct {
	// Number is the number of the run in progress messages; 0 for that of the search.
	Number int

	// Reason is why the program did not work, such as the status or the last line of the
	// test; "" if it worked.
	Reason string

	// Traced reports whether the run was recorded. Without it the fields below are empty.
	Traced bool

	Uses    classify.Uses
	Failed  classify.Calls // calls that failed, and not in the reference run
	Lost    uint64         // events that are missing
	Symbols bool           // whether the kernel's symbols were readable
}

// NewRun returns what a run showed. recording is nil for a run that was not recorded. The
// result does not refer to the recording.
func NewRun(reason string, recording *observe.Recording, baseline classify.Baseline) Run {
	if recording == nil {
		return Run{Reason: reason}
	}
	return Run{
		Reason: reason, Traced: true, Uses: classify.Summarize(recording),
		Failed: baseline.NewFailures(recording), Lost: recording.Lost, Symbols: recording.Symbols,
	}
}

// Outcome returns the run as the search takes it.
func (r Run) Outcome() search.Outcome {
	return search.Outcome{Works: r.Reason == "", Denied: r.Uses.Denied()}
}

// Attempt is the result of runs with a setting that restricts the program further.
type Attempt int

// The results of an attempt.
const (
	// NotTried: no run was made, it did not end, or its events were lost.
	NotTried Attempt = iota

	// Passed: the program worked, so the profile has the setting.
	Passed

	// Failed: the program did not work.
	Failed

	// InBase: the base profile, or the caller, already has the setting.
	InBase
)

// String returns "not tried", "passed", "failed" or "in base".
func (a Attempt) String() string {
	switch a {
	case Passed:
		return "passed"
	case Failed:
		return "failed"
	case InBase:
		return "in base"
	}
	return "not tried"
}
