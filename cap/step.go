package cap

import "strconv"

// A StepKind is the kind of a [Step].
type StepKind uint

// The kinds of steps, in the order in which [Launcher.Steps] returns them. The order
// ensures that the capabilities that a step needs are still effective, and that no step
// locks what a later step needs.
const (
	// StepCloseOnExec marks every descriptor above 2 that is not in Keep
	// close-on-exec. It closes no descriptor: close_range(2).
	StepCloseOnExec StepKind = iota + 1

	// StepRaise makes the effective set equal to the permitted set: capset(2).
	StepRaise

	// StepNewSession removes the controlling terminal of the process: setsid(2).
	// The leader of a process group cannot create a session; it gives up the
	// terminal: TIOCNOTTY of ioctl_tty(2).
	StepNewSession

	// StepKeyring gives the calling thread a new, empty session keyring:
	// keyctl(2) KEYCTL_JOIN_SESSION_KEYRING. It precedes the change of IDs,
	// because the keyring counts against the quota of the user who creates it. It
	// is skipped where no system call can reach a key: see [KeysUnreachable].
	StepKeyring

	// StepGroups sets the supplementary groups to Groups: setgroups(2).
	StepGroups

	// StepGID sets the real, effective, saved and file system group ID to ID:
	// setresgid(2).
	StepGID

	// StepChroot sets the root directory and the working directory to Path:
	// chroot(2), chdir(2).
	StepChroot

	// StepChdir sets the working directory to Path: chdir(2).
	StepChdir

	// StepInheritable sets the inheritable set to Caps, and makes the effective
	// set equal to the permitted set: capset(2).
	StepInheritable

	// StepBound removes Caps from the bounding set: prctl(2) PR_CAPBSET_DROP. It
	// ignores capabilities that the kernel does not have.
	StepBound

	// StepUID sets the real, effective, saved and file system user ID to ID,
	// keeps the permitted set, and makes the effective set equal to it: prctl(2)
	// PR_SET_KEEPCAPS, setresuid(2), capset(2). Where keep_caps is locked off,
	// and where the ambient set could not be raised again, it temporarily sets
	// SECBIT_NO_SETUID_FIXUP instead. Where neither can be set, the capabilities
	// are lost. The ambient set may be empty afterwards.
	StepUID

	// StepAmbient sets the ambient set to Caps: prctl(2) PR_CAP_AMBIENT. It
	// temporarily clears SECBIT_NO_CAP_AMBIENT_RAISE if that is not locked.
	StepAmbient

	// StepSecbits sets the securebits to Secbits: prctl(2) PR_SET_SECUREBITS.
	StepSecbits

	// StepUmask sets the file mode creation mask to Umask: umask(2).
	StepUmask

	// StepRlimit sets the limits of Resource to Soft and Hard: setrlimit(2).
	StepRlimit

	// StepFinal sets the permitted and effective sets to Caps: capset(2). The
	// kernel lowers the ambient capabilities that are not in Caps.
	StepFinal

	// StepNoNewPrivs sets no_new_privs: prctl(2) PR_SET_NO_NEW_PRIVS.
	StepNoNewPrivs

	// StepDeathSignal makes the kernel send Signal to the process when the thread
	// that forked it ends, and fails unless the parent is Parent: prctl(2)
	// PR_SET_PDEATHSIG, getppid(2). A later change of IDs or capabilities would
	// clear the signal.
	StepDeathSignal

	// StepExec replaces the process by the program Path with Args and Env:
	// execve(2).
	StepExec
)

var stepNames = [...]string{
	StepCloseOnExec: "close descriptors on exec",
	StepRaise:       "raise the effective set",
	StepNewSession:  "leave the terminal",
	StepKeyring:     "replace the session keyring",
	StepGroups:      "set groups",
	StepGID:         "set gid",
	StepChroot:      "change root",
	StepChdir:       "change directory",
	StepUID:         "set uid",
	StepInheritable: "set the inheritable set",
	StepAmbient:     "set the ambient set",
	StepBound:       "drop from the bounding set",
	StepSecbits:     "set securebits",
	StepUmask:       "set umask",
	StepRlimit:      "set limit",
	StepFinal:       "lower the permitted set",
	StepNoNewPrivs:  "set no_new_privs",
	StepDeathSignal: "set the parent-death signal",
	StepExec:        "exec",
}

// StepKinds is the largest [StepKind] plus one.
const StepKinds = StepKind(len(stepNames))

// String returns the name of k in messages, such as "set uid".
func (k StepKind) String() string {
	if k == 0 || k >= StepKinds {
		return "step " + strconv.Itoa(int(k))
	}
	return stepNames[k]
}

// A Step is one step of a launch: its kind and the arguments of that kind. The other
// fields are zero.
//
// A step describes the state after it. Exec skips a step that would change nothing,
// because some calls need a privilege even if they change nothing.
type Step struct {
	Kind StepKind

	ID      uint32   // StepUID, StepGID: 0 to 4294967294
	Groups  []uint32 // StepGroups
	Path    string   // StepChroot, StepChdir, StepExec
	Caps    Mask     // StepInheritable, StepAmbient, StepBound, StepFinal
	Secbits Secbits  // StepSecbits
	Umask   uint32   // StepUmask: 0 to 0777

	Resource   int    // StepRlimit: an RLIMIT_ number of setrlimit(2)
	Soft, Hard uint64 // StepRlimit: 1<<64-1 is RLIM_INFINITY

	Keep []int // StepCloseOnExec: the descriptors to leave unchanged

	Signal int // StepDeathSignal: 1 to 64
	Parent int // StepDeathSignal: a process ID; 0 for a parent outside the PID namespace

	Args, Env []string // StepExec
}

// A StepError is the error of a step of a launch.
type StepError struct {
	Step Step
	Call string // the system call that failed, such as "prctl PR_SET_KEEPCAPS"
	Err  error  // usually a syscall.Errno
}

// Error returns the step, the call and the cause.
func (e *StepError) Error() string {
	return e.Step.Kind.String() + ": " + e.Call + ": " + e.Err.Error()
}

// Unwrap returns the cause.
func (e *StepError) Unwrap() error { return e.Err }
