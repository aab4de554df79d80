package observe

// A Recording is what an Observer recorded. Its lists are in the order of time. Texts in
// it are under the control of the observed programs: escape them before printing.
type Recording struct {
	Checks    []Check    // of capabilities
	Failures  []Failure  // system calls that failed with EPERM or EACCES
	Execs     []Exec     // executed programs
	IDChanges []IDChange // successful calls of setuid(2), setgid(2), setgroups(2) and their variants

	Forks   int // processes that the tree created, without threads
	Threads int // threads that the tree created

	// Lost is the number of events that are not in the lists: the kernel dropped them
	// because a ring was full, or they exceed the limit of the recorder. If it is not 0,
	// the recording is incomplete.
	Lost uint64

	// Symbols reports whether the kernel's symbols were readable. Without them, Functions
	// is nil, Memory is false, NoAudit is known only before Linux 6.14, and the name of a
	// check's system call is known only if the call failed or the program's code shows it.
	Symbols bool
}

// A Call is a system call.
type Call struct {
	Name string // such as "openat", or "" if it is unknown, or if no system call caused the event

	// Args has the arguments that matter, as text: `"/etc/shadow"`, `33, 33, -1` or
	// `0.0.0.0:80`. It has only what was read, and is "" if nothing was. Strings are
	// quoted as by strconv.QuoteToASCII.
	Args string
}

// A Check is one decision of the kernel's function cap_capable: may this thread use a
// capability?
type Check struct {
	PID, TID int    // in the recorder's PID namespace
	Time     uint64 // nanoseconds of CLOCK_MONOTONIC
	Command  string // the thread's name, at most 15 bytes: /proc/PID/comm

	Cap    int // number of the capability, 0 to 63
	Denied bool

	// NoAudit reports that the kernel asked without a record for the audit log. It
	// does so where the call works without the capability, too, if perhaps differently.
	NoAudit bool

	// Memory reports that the kernel asked for cap_sys_admin only to account for memory:
	// security_vm_enough_memory_mm. It does so at each mapping of memory of any program,
	// and nearly always grants the memory without the capability, too.
	Memory bool

	// Foreign reports that the capability was needed over another user namespace than
	// the recorder's own.
	Foreign bool

	Functions []string // kernel functions, innermost first; nil if unknown
	Call      Call

	// Errno is EPERM (1) or EACCES (13) if the system call then failed with it, also for
	// a check that was not denied. It is 0 if the call did not, or if this is unknown.
	Errno int

	// Count is the number of checks that this entry stands for, at least 1. Checks with
	// Memory, and all checks once the recorder's limit is exceeded, are counted in the
	// first entry with the same Cap, Denied, NoAudit, Memory, Foreign and Call.Name. Any
	// other entry stands for one check.
	Count int
}

// A Failure is a system call that failed with EPERM or EACCES.
type Failure struct {
	PID, TID int
	Time     uint64 // nanoseconds of CLOCK_MONOTONIC
	Command  string
	Call     Call
	Errno    int // EPERM (1) or EACCES (13)

	// Count is the number of failures that this entry stands for, at least 1: as for
	// Check, those with the same Call.Name and Errno.
	Count int
}

// An Exec is the execution of a program.
type Exec struct {
	PID     int
	Time    uint64 // nanoseconds of CLOCK_MONOTONIC
	Command string // the thread's new name

	// Path is the path as the program was executed. If Unobserved, it is the path that
	// /proc/PID/exe showed then, or "" if that was unreadable.
	Path string

	// Interpreter is the program that the kernel executed for Path if that is a script:
	// the last one of the #! lines. It is "" if there is none, or if it is unknown.
	Interpreter string

	// Privileged reports whether the program (for a script, the interpreter) is
	// set-user-ID or set-group-ID or has file capabilities, whether or not they took
	// effect. If the process ended before its file was read, this is about the file with
	// this path in the recorder's root directory.
	Privileged Tristate

	// Unobserved reports that the kernel ended the observation of this process here: the
	// program gained privilege by exec, or the user may not read its file. What the
	// process did from then on is not recorded, nor what its children did.
	Unobserved bool
}

// An IDChange is a successful system call that sets user IDs, group IDs or supplementary
// groups: setuid, setreuid, setresuid, setgid, setregid, setresgid or setgroups.
type IDChange struct {
	PID, TID int
	Time     uint64 // nanoseconds of CLOCK_MONOTONIC
	Command  string
	Call     Call

	// UID and GID are the effective IDs that the call set, or -1 if it did not set them.
	UID, GID int64

	// Groups are the supplementary groups that setgroups set, if GroupsKnown.
	Groups      []uint32
	GroupsKnown bool

	// After are the IDs of the thread that /proc showed after the call, or nil if the
	// thread had ended. The thread may have changed them again before they were read:
	// Settled reports that those that the call set were the same.
	After   *IDs
	Settled bool
}

// IDs are the effective IDs of a thread, in the recorder's user namespace.
type IDs struct {
	UID, GID uint32
	Groups   []uint32 // supplementary groups
}

// A Tristate is the answer to a question that may remain open.
type Tristate uint8

// The answers. The zero value is Unknown.
const (
	Unknown Tristate = iota
	No
	Yes
)

// String returns "unknown", "no" or "yes".
func (t Tristate) String() string {
	switch t {
	case No:
		return "no"
	case Yes:
		return "yes"
	}
	return "unknown"
}
