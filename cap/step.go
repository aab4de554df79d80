package cap

import "strconv"

// StepKind says what a [Step] does.
type StepKind uint

// The kinds of step, in the order in which [Launcher.Steps] lists them.
// Each step runs while the capabilities that it needs are
// still effective, and nothing that a later step needs is locked away.
const (
	// StepCloseOnExec marks every descriptor above 2 that is not in Keep
	// close-on-exec, and no descriptor is closed: close_range(2).
	StepCloseOnExec StepKind = iota + 1

	// StepRaise makes the effective set equal to the permitted set: capset(2).
	StepRaise

	// StepNewSession leaves the calling process without a controlling
	// terminal: setsid(2), or for the leader of a process group, which cannot
	// have a session of its own, TIOCNOTTY of ioctl_tty(2).
	StepNewSession

	// StepKeyring gives the calling thread a new, empty session keyring:
	// keyctl(2) KEYCTL_JOIN_SESSION_KEYRING. It comes before the change of ids,
	// because the keyring counts against the quota of the user who makes it. It
	// changes nothing where no call can reach a key: [KeysUnreachable].
	StepKeyring

	// StepGroups makes the supplementary groups Groups: setgroups(2).
	StepGroups

	// StepGID makes the real, effective, saved and file system gid ID: setresgid(2).
	StepGID

	// StepChroot makes Path the root directory, and the new root the
	// working directory: chroot(2), chdir(2).
	StepChroot

	// StepChdir makes Path the working directory: chdir(2).
	StepChdir

	// StepInheritable makes the inheritable set Caps, and the effective set
	// equal to the permitted set: capset(2).
	StepInheritable

	// StepBound removes Caps from the bounding set: prctl(2) PR_CAPBSET_DROP.
	// Capabilities that the kernel does not have are not in it.
	StepBound

	// StepUID makes the real, effective, saved and file system uid ID, keeps
	// the permitted set and makes all of it effective: prctl(2)
	// PR_SET_KEEPCAPS, setresuid(2), capset(2). SECBIT_NO_SETUID_FIXUP is set
	// temporarily instead where keep-caps is locked off, and where the ambient
	// set could not be raised again. Where neither can be set, the capabilities
	// are lost.
	// The ambient set may be empty afterwards.
	StepUID

	// StepAmbient makes the ambient set Caps: prctl(2) PR_CAP_AMBIENT.
	// SECBIT_NO_CAP_AMBIENT_RAISE, where it is not locked, is cleared
	// temporarily.
	StepAmbient

	// StepSecbits makes the securebits Secbits: prctl(2) PR_SET_SECUREBITS.
	StepSecbits

	// StepUmask makes the file mode creation mask Umask: umask(2).
	StepUmask

	// StepRlimit makes the limits of Resource Soft and Hard: setrlimit(2).
	StepRlimit

	// StepFinal makes the permitted and effective sets Caps: capset(2).
	// The ambient set shrinks to what is left.
	StepFinal

	// StepNoNewPrivs sets no_new_privs: prctl(2) PR_SET_NO_NEW_PRIVS.
	StepNoNewPrivs

	// StepDeathSignal makes the kernel send Signal to the caller when the
	// thread that forked it ends, and fails unless the parent is Parent: prctl(2)
	// PR_SET_PDEATHSIG, getppid(2). A change of ids or capabilities would take
	// it back, so no such step follows.
	StepDeathSignal

	// StepExec runs Path with Args and Env in place of the caller: execve(2).
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

// StepKinds is one more than the largest [StepKind].
const StepKinds = StepKind(len(stepNames))

// String returns the words for k that messages use: "set uid".
func (k StepKind) String() string {
	if k == 0 || k >= StepKinds {
		return "step " + strconv.Itoa(int(k))
	}
	return stepNames[k]
}

// Step is one step of a launch: its kind, and the arguments that the kind
// reads. The other fields are zero.
//
// A step states what is true after it. The executor skips a step that would
// change nothing, because the kernel refuses some without privilege even then.
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

	Keep []int // StepCloseOnExec: the descriptors to leave as they are

	Signal int // StepDeathSignal: 1 to 64
	Parent int // StepDeathSignal: a pid; 0 for a parent outside of the pid namespace

	Args, Env []string // StepExec
}

// StepError says which step of a launch failed, and in which system call.
type StepError struct {
	Step Step
	Call string // the system call, as its man page names it
	Err  error  // usually a syscall.Errno
}

// Error returns the step, the call and the cause.
func (e *StepError) Error() string {
	return e.Step.Kind.String() + ": " + e.Call + ": " + e.Err.Error()
}

// Unwrap returns the cause.
func (e *StepError) Unwrap() error { return e.Err }
