package evidence

// Report is what learn found out. Its JSON form has the format version 1: names and
// meanings do not change without another version; names can be added. All texts are in
// ASCII and without control characters. [Report.JSON] writes it.
type Report struct {
	Version int `json:"version"` // 1

	Program []string `json:"program"`
	Test    string   `json:"test,omitempty"`
	Reset   string   `json:"reset,omitempty"`
	UID     uint32   `json:"uid"` // with which the program starts
	GID     uint32   `json:"gid"`

	// Works reports whether the program worked with Capabilities, the smallest set with
	// which it did.
	Works        bool     `json:"works"`
	Capabilities []string `json:"capabilities"` // names such as "cap_kill", in the order of their numbers

	// Proved reports that the set worked in each of at least two more runs, that a run
	// without each one of its capabilities failed, and that nothing shows that the test
	// succeeds although the program does not work. If it is false, Limits say why.
	Proved bool `json:"proved"`

	Confirmations int     `json:"confirmations"` // runs with the set that worked after the search
	Runs          int     `json:"runs"`          // all runs
	Seconds       float64 `json:"seconds"`       // from the first run to the last

	// Verdicts has the capabilities of the set, and those of which a check was recorded.
	Verdicts []Verdict `json:"verdicts"`

	// Alternatives are other sets of the same size with which the program worked.
	Alternatives [][]string `json:"alternatives,omitempty"`

	// Identities are those to which processes changed by themselves.
	Identities []Identity `json:"identities,omitempty"`

	// NoNewPrivs and NoRoot are "not tried", "passed", "failed" or "in base".
	NoNewPrivs string `json:"no_new_privs"`
	NoRoot     string `json:"noroot"`

	Limits []Limit `json:"limits"` // what the result does not show
	Trials []Trial `json:"trials"` // the runs of the search, in order

	// Profile is the text of the profile, "" if there is none.
	Profile string `json:"profile,omitempty"`

	base     Base
	settings Settings
	composed []byte // Input.Profile
}

// Kind is the verdict on a capability.
type Kind string

const (
	// Needed: without it alone, the program failed.
	Needed Kind = "needed"

	// Unconfirmed: the search did not end, its outcomes contradict each other, or the test
	// succeeded although the program failed, or without it. The capability is in the
	// smallest set that worked.
	Unconfirmed Kind = "unconfirmed"

	// CallFails: the program works without it, but a system call fails that did not fail in
	// the reference run, as far as that was recorded.
	CallFails Kind = "call-fails"

	// FirstRunOnly: it was checked in the reference run and in no later one, none of which
	// lost events. A start from the state before the first run may need it.
	FirstRunOnly Kind = "first-run-only"

	// NotNeeded: it was checked, and the program works without it.
	NotNeeded Kind = "not-needed"

	// Undecided: it was checked, and the program worked with no set.
	Undecided Kind = "undecided"
)

// Verdict is what the runs showed about one capability.
type Verdict struct {
	Capability string `json:"capability"` // such as "cap_kill"
	Number     int    `json:"number"`
	Kind       Kind   `json:"verdict"`

	// Checks is the number of checks in the reference run, without those of memory
	// accounting and those against other user namespaces. It is 0 if none was recorded:
	// then the capability was found by trial. With the limit "incomplete" it may be too
	// small.
	Checks int `json:"checks"`

	// Calls are the system calls of these checks, the most frequent first.
	Calls      []Call   `json:"calls,omitempty"`
	OtherCalls int      `json:"other_calls,omitempty"` // the number of checks by other calls
	Commands   []string `json:"commands,omitempty"`    // names of threads

	// Without is the run without only this capability, nil if there was none or it worked.
	Without *Failure `json:"without,omitempty"`

	// Failing are the calls that fail because the capability is missing, for CallFails.
	Failing []Call `json:"failing,omitempty"`

	// Instead are capabilities with which the program works instead of this one.
	Instead []string `json:"instead,omitempty"`

	// Paths are files for which the kernel checked a capability that overrides file
	// ownership and permissions.
	Paths []Path `json:"paths,omitempty"`

	unrecorded bool // the reference run was not recorded

	// incomplete reports that events of the reference run were lost, unseenLater that the
	// verdict would be FirstRunOnly, had no events of later runs been lost.
	incomplete, unseenLater bool
}

// Call is a system call.
type Call struct {
	Text  string `json:"call"`            // such as `bind(0.0.0.0:80)`; "unknown call" if it is unknown
	Errno string `json:"errno,omitempty"` // such as "EACCES", if it failed
	Count int    `json:"count"`
}

// Failure is a run that failed.
type Failure struct {
	Run    int    `json:"run"`              // its number, as in Trials
	Reason string `json:"reason,omitempty"` // such as the last line of the test

	// Larger reports that the run had other capabilities besides those of the report's set:
	// the search did not come to leave this one out of the set itself.
	Larger bool `json:"larger_set,omitempty"`

	// Recorded reports whether the run was recorded. If not, the fields below are empty.
	Recorded bool `json:"recorded"`

	// Incomplete reports that events of the run were lost, perhaps the denied check.
	Incomplete bool `json:"incomplete,omitempty"`

	// Denied are calls in which the kernel denied the capability, failed ones first. Netlink
	// reports that one of them is a netlink request, whose error is in the reply.
	Denied  []Call `json:"denied,omitempty"`
	Netlink bool   `json:"netlink,omitempty"`

	// Failed are calls that failed in this run, if no denied call failed, and neither in the
	// reference run nor in a run that worked with the set of the report.
	Failed []Call `json:"failed,omitempty"`
}

// Path is a file that the program could not access as its user.
type Path struct {
	Path string `json:"path"`

	// Command is a command that changes the owner to the program's user; "" if the path
	// has characters that a shell could interpret.
	Command string `json:"command,omitempty"`
}

// Identity is a user to which a process of the tree changed.
type Identity struct {
	UID       uint32   `json:"uid"`
	GID       *uint32  `json:"gid,omitempty"`    // absent if unknown
	Groups    []uint32 `json:"groups,omitempty"` // absent if unknown or none
	Command   string   `json:"command"`          // the name of the first thread
	Processes int      `json:"processes"`
}

// Limit is something that the result does not show, or that its reader must know. Limits
// come in the order of this list of their codes:
//
//	interrupted          the user ended learn
//	limit-reached        the search ended at its limit
//	unstable             runs with the same set had different outcomes
//	ended-with-failure   the program failed in the first run, and the test succeeded
//	test-alone           the test succeeded without the program
//	ended                the program ended by itself in the first run, with exit status 0
//	no-set-works         no set that was tried works
//	nothing-needed       the program works without capabilities, or the test does not notice
//	no-tracing           checks were not recorded
//	incomplete           events were lost
//	no-symbols           the kernel's symbols were not readable
//	netlink              errors of netlink requests are not those of a system call
//	file-capabilities    the program's file has capabilities
//	executed-privileged  a set-id program, or one with file capabilities, was executed
//	executed-unknown     it is unknown whether one was
//	unobserved           the kernel ended the recording of a process
//	hardening-unknown    events of runs with no_new_privs or noroot were lost
//	not-with-no-new-privs, not-with-noroot
//	                     the program does not work with this setting
//	file-ownership       a capability overrides the ownership of files
//	alternatives         other sets of the same size work
//	changes-user         processes changed their user by themselves
//	memory-accounting    checks that were not counted
//	other-namespaces     checks that were not counted
type Limit struct {
	Code string `json:"code"`
	Text string `json:"text"` // sentences
}

// Trial is a run of the search.
type Trial struct {
	Run          int      `json:"run"`
	Purpose      string   `json:"purpose"` // as search.Purpose.String
	Capabilities []string `json:"capabilities"`
	Works        bool     `json:"works"`
	Reason       string   `json:"reason,omitempty"`
}
