// Package cap handles Linux capabilities: sets of them, their text, and what
// processes, threads and files hold. It offers the documented API of
// kernel.org/pub/linux/libs/security/libcap/cap, written anew from that
// documentation, and a few calls more.
//
// Three types carry the state:
//
//   - [Set] has the effective, permitted and inheritable capabilities of a
//     process or a file. Its text is "cap_net_raw=ep", read by [FromText].
//   - [IAB] has what a process hands on through exec: inheritable, ambient and
//     blocked (the complement of the bounding set). Its text is
//     "^cap_net_raw,!cap_sys_admin", read by [IABFromText].
//   - [Secbits] and [Mode] say what the kernel does for user ID 0.
//
// A [Launcher] starts a program with a state of its own.
//
// A set is built, printed and compared without the kernel:
//
//	c, err := cap.FromText("cap_net_bind_service,cap_setuid=p")
//	if err != nil {
//		return err
//	}
//	if err := c.Fill(cap.Effective, cap.Permitted); err != nil {
//		return err
//	}
//	fmt.Println(c) // cap_setuid,cap_net_bind_service=ep, in order of numbers
//
// # What holds
//
// A text is read whole, whatever its length, or refused: nothing in it is cut
// or skipped. What String prints is read back as an equal set or tuple, and
// what prints alike on one kernel is equal. A Set or IAB holds all 64 bits, so
// capabilities newer than this package are kept, printed as numbers and
// compared. "all" in a text, and "=" without names, mean the capabilities of
// the running kernel; [ParseText] and [Set.Text] do the same for a kernel with
// a given number of them, with the same result on every system.
// A program that shows such a text gets its words from [ReadText] and [ReadIAB]; one
// that computes with sets takes them as a [Mask] from [Set.Masks] and [IAB.Masks].
//
// No argument makes these types panic: a nil or zero Set, or a flag or value
// out of range, is an error. The functions that libcap's package has return its
// errors unwrapped, an Err variable or a syscall.Errno, so that == works; those
// that only this package has may wrap them: use errors.Is. [ParseText] and
// [ParseIAB] return a [TextError], which says where in the text the fault is.
//
// # Processes
//
// The calls that change a process change all of its threads, Go's and those of
// C code alike: package psx does that. Where a call needs a capability and its
// doc says so, it raises that in the effective set and leaves the effective set
// empty, whether it succeeds or not.
//
// # Launching
//
// [Launcher.Launch] starts a child from a thread of its own, whose changes end
// with it. It applies each setting as the call of the same name does: with no
// more in the effective set than that takes, and nothing of it for the next.
//
// [Launcher.Exec] replaces the process. It performs the list that
// [Launcher.Steps] returns, plain data that depends on the configuration alone.
// One of its steps makes the effective set equal to the permitted set. A step
// states what holds after it, and one that holds already is skipped: the kernel
// refuses some changes that change nothing. A step that fails is a [StepError],
// and the target does not run.
//
//	l := cap.NewLauncher("/srv/web", []string{"web"}, nil)
//	l.SetUID(33)
//	l.SetGroups(33, []int{33})
//	iab, err := cap.IABFromText("^cap_net_bind_service")
//	if err != nil {
//		return err
//	}
//	l.SetIAB(iab)
//	l.SetNoNewPrivs()
//	return l.Exec()
//
// # Threads
//
// A Set or an IAB may be used by several goroutines: every method locks it. A
// method of two of them reads the one before it locks the other, so none waits
// for another for ever. Copy them with Dup only. MinExtFlagSize is a plain
// variable, to be set before use.
//
// # Differences from libcap's package
//
// All else behaves as in version 1.2.78: results, errors by == and by text, and
// the state of the process. Tests run both, each exported function and method of
// theirs from processes in several states, and fail for a difference that is
// not in this table. It differs where that version contradicts its own
// documentation, loses something without a word, or does half of what it was
// asked for:
//
//	What                            There                          Here, and why
//	------------------------------  -----------------------------  -------------------------------------
//	"=ep-e"                         "-e" is ignored, unless names  "=p": the grammar lets "=" stand for
//	                                come first                     all
//	text with a word of 64 KiB      ends there without an error;   read whole: a set that is cut is
//	                                what came before counts        another set
//	Value 64; a bad Flag in         index out of range: panic      ErrBadValue, ErrBadSet: arguments are
//	 SetFlag, IAB.Fill                                             data, and cause no panic
//	GetNSOwner, SetNSOwner of nil   panic                          ErrBadSet, and nothing: as every
//	                                                               other method does
//	tuple with a capability that    read, never shown; GetVector   shown as a number and settable:
//	 the kernel lacks               and SetVector refuse it        tuples that print alike are equal
//	IAB.Fill of Bound               raises the numbers up to 63    raises the kernel's only: the others
//	                                                               are invisible there, and differ in Cf
//	IAB.SetVector with an error     the values before the bad one  changes nothing, and a bad vector is
//	                                stay                           an error without values too
//	IAB.SetProc, grant of a         ignored                        ErrBadValue before any change: what
//	 capability that the kernel                                    is asked for is done or refused
//	 lacks
//	IAB.SetProc, bounding set that  not lowered, without an error  lowered, or EPERM: as above
//	 cannot be read
//	IABGetPID, status file without  the vector counts as empty     ErrBadValue: an unknown vector is not
//	 a vector                                                      an empty one
//	GetPID, pid of more than 32     cut: another process answers   ESRCH: there is no such process
//	 bits
//	SetFile of a Set with an owner  EINVAL, always                 stored as version 3, as documented;
//	                                                               ErrBadID for an owner that is no uid
//	GetFd, SetFd of a closed file   work on descriptor 0           os.ErrClosed: else standard input
//	                                                               gets the capabilities
//	SetFile of a FIFO               waits for a writer             ErrBadPath at once: nothing is opened
//	SetFile of a zero Set           EINVAL of the kernel           ErrBadSet, as every other method
//	Secbits.Set                     raises nothing, and leaves     raises CAP_SETPCAP and empties the
//	                                the effective set              effective set after: its
//	                                                               documentation
//	SetUID, keep-caps locked off    succeeds, and all privilege    EPERM: it promises to keep the
//	                                is lost                        permitted set
//	Mode.Set of NOPRIV              its last steps may fail        their errors are returned: a mode
//	                                without a word                 that is not in force is no success
//	id below -1 or of more than 32  cut: 1<<32 is root; the gid    EINVAL, as for -1, before any change:
//	 bits; -1 as a group            is changed when a group is     no other id is meant
//	                                refused
//	SetUID, SetGroups on 386 and    ids are cut to 16 bits         the calls of 32 bits: 100000 must not
//	 arm                                                           become 34464
//	NewLauncher, env empty but not  the environment of the caller  empty, as in os/exec: only nil
//	 nil                                                           inherits
//	Launcher: PURE1E or NOPRIV      EPERM after other changes      ErrBadMode before any change: the two
//	 with an ambient tuple                                         contradict each other
//	Launcher: PURE1E_INIT or        the tuple undoes the mode, or  ErrBadMode before any change: as
//	 NOPRIV with an inheritable     EPERM                          above
//	 tuple
//	Launcher: SetIAB of a zero IAB  no tuple: the target keeps     ErrBadValue: as every other use of it
//	                                everything
//	Launcher: SetChroot, pa.Dir     the working directory stays    it is the new root: an open directory
//	 empty                          outside of the new root        outside leads out
//	Launcher: callback that sets    SetChroot is lost: the child   the root is changed whenever it was
//	 pa.Sys                         runs outside                   asked for
//	Launcher: callback that ends    every later change of the      ErrLaunchFailed for this launch, and
//	 in Goexit                      process waits for ever         nothing else
//	Launcher: callback that calls   waits for itself for ever      counts from the next launch on
//	 its setters
//	Launcher: groups, arguments,    kept as the slices of the      copied: a later change of a slice is
//	 environment                    caller                         no change of a launch
//	FuncLauncher(nil)               panic in another goroutine     Launch returns ErrLaunchFailed
//	O_PATH                          a constant of open(2),         not here: it is unix.O_PATH, and no
//	                                exported                       part of this subject
//	package psx, second result      whatever the register holds    0: no supported machine has one
//	package psx with cgo            two callers at once, Setuid    each is served, or is an error before
//	                                of syscall or C beside it, or  any thread has changed
//	                                no /proc: waits for ever or
//	                                dies
//
// Kept, although the C library does otherwise: "=" resets all capabilities and
// not only those named with it, as documented; an empty text is ErrBadText;
// names are lower-case, and numbers decimal.
package cap
