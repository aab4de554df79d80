// Package cap reads, prints, compares and sets Linux capabilities: those of
// processes, threads and files. It has the documented API of
// kernel.org/pub/linux/libs/security/libcap/cap, implemented from that
// documentation alone, and some additions.
//
// Three types hold the state:
//
//   - [Set] holds the effective, permitted and inheritable capabilities of a
//     process or a file. Its text is "cap_net_raw=ep", read by [FromText].
//   - [IAB] holds what a process passes on through exec: the inheritable, ambient
//     and blocked capabilities. Blocked is the complement of the bounding set. Its
//     text is "^cap_net_raw,!cap_sys_admin", read by [IABFromText].
//   - [Secbits] and [Mode] say how the kernel treats user ID 0.
//
// A [Launcher] starts a program with a different state.
//
// A set can be built, printed and compared without the kernel:
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
// # Text
//
// A text of any length is either read completely or rejected: no part of it is
// cut off or ignored. Reading what String has printed gives an equal set or tuple.
// On the same kernel, two values that print the same are equal. A Set or IAB holds
// all 64 bits: capabilities newer than this package are kept, compared, and printed
// as numbers.
//
// In a text, "all", and "=" without names, mean the capabilities of the running
// kernel. [ParseText] and [Set.Text] do not depend on the running kernel: the
// caller passes the number of capabilities.
//
// # Errors
//
// No argument makes these types panic: a nil or zero Set, or a flag or value that
// is out of range, causes an error. The functions that libcap's package also has
// return errors that are not wrapped, an Err variable or a syscall.Errno, and can be
// compared with ==. The other functions may wrap them: use errors.Is. [ParseText]
// and [ParseIAB] return a [TextError], which has the position of the error.
//
// # Processes
//
// A function that changes the process changes all of its threads, those of the Go
// runtime and those of C code: see package psx. A function that first raises a
// capability in the effective set says so. All of these except [IAB.SetProc] leave
// the effective set empty, even when they fail.
//
// # Launching
//
// [Launcher.Launch] starts a child process from a new thread, which ends with the
// launch. It applies each setting as the function of the same name does: that raises
// the capability that it needs, and leaves no capability effective for the next
// setting.
//
// [Launcher.Exec] replaces the calling process. It performs the steps that
// [Launcher.Steps] returns, which depend only on the configuration. One of them
// makes the effective set equal to the permitted set. A step describes the state
// after it. A step that would change nothing is skipped, because the kernel rejects
// some such calls. If a step fails, Exec returns a [StepError], and the target does
// not run.
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
// # Concurrent use
//
// Several goroutines may use a Set or an IAB: every method locks it. A method with
// two of them reads one before it locks the other, so two goroutines cannot
// deadlock. Copy them only with Dup. MinExtFlagSize is a variable without a lock:
// set it before use.
//
// # Differences from libcap's package
//
// Everything else behaves as in version 1.2.78: results, errors by == and by text,
// and the state of the process. Tests run each exported function and method of both
// packages, from processes in several states, and fail for a difference that is not
// in this table. This package differs where that version contradicts its
// documentation, loses something without an error, or does only a part of what was
// requested:
//
//	What                            There                          Here, and why
//	------------------------------  -----------------------------  -------------------------------------
//	"=ep-e"                         "-e" is ignored, unless names  "=p": in the grammar "=" stands for
//	                                come first                     all
//	text with a word of 64 KiB      the text ends there without    read completely: a set with a part
//	                                an error                       missing is another set
//	Value 64; a bad Flag in         index out of range: panic      ErrBadValue, ErrBadSet: an argument
//	 SetFlag, IAB.Fill                                             causes no panic
//	GetNSOwner, SetNSOwner of nil   panic                          ErrBadSet, and no effect: as in every
//	                                                               other method
//	tuple with a capability that    read but not printed;          printed as a number, and can be set:
//	 the kernel lacks               GetVector and SetVector        tuples that print the same are equal
//	                                reject it
//	IAB.Fill of Bound               blocks numbers up to 63        blocks only those of the kernel: the
//	                                                               others are not printed, but make Cf
//	                                                               report a difference
//	IAB.SetVector with an error     the values before the bad one  nothing is changed; a bad vector is
//	                                are changed                    an error without values, too
//	IAB.SetProc, grant of a         ignored                        ErrBadValue before any change: a
//	 capability that the kernel                                    request is fulfilled or rejected
//	 lacks
//	IAB.SetProc, bounding set that  not lowered, without an error  lowered, or EPERM: as above
//	 cannot be read
//	IABGetPID, status file without  the vector counts as empty     ErrBadValue: an unknown vector is not
//	 a vector                                                      an empty one
//	GetPID, pid of more than 32     truncated: the result is that  ESRCH: no process has this ID
//	 bits                           of another process
//	SetFile of a Set with an owner  EINVAL, always                 stored as version 3, as documented;
//	                                                               ErrBadID for an invalid user ID
//	GetFd, SetFd of a closed file   use descriptor 0               os.ErrClosed: otherwise standard
//	                                                               input gets the capabilities
//	SetFile of a FIFO               waits for a writer             ErrBadPath at once: nothing is opened
//	SetFile of a zero Set           EINVAL of the kernel           ErrBadSet, as in every other method
//	Secbits.Set                     raises nothing, and does not   raises CAP_SETPCAP and then empties
//	                                change the effective set       the effective set: as documented
//	                                                               there
//	SetUID, keep-caps locked off    succeeds, and all privilege    EPERM: it is documented to keep the
//	                                is lost                        permitted set
//	Mode.Set of NOPRIV              its last steps may fail        returns their errors: the mode is not
//	                                without an error               in effect
//	id below -1 or of more than 32  truncated: 1<<32 is root; the  EINVAL, as for -1, before any change:
//	 bits; -1 as a group            gid is changed when a group    no other ID is used
//	                                is rejected
//	SetUID, SetGroups on 386 and    IDs are truncated to 16 bits   IDs have 32 bits: 100000 must not
//	 arm                                                           become 34464
//	NewLauncher, env empty but not  the environment of the caller  empty, as in os/exec: only nil
//	 nil                                                           inherits
//	Launcher: PURE1E or NOPRIV      EPERM after other changes      ErrBadMode before any change: the two
//	 with an ambient tuple                                         contradict each other
//	Launcher: PURE1E_INIT or        the tuple undoes the mode, or  ErrBadMode before any change: as
//	 NOPRIV with an inheritable     EPERM                          above
//	 tuple
//	Launcher: SetIAB of a zero IAB  no tuple: the target keeps     ErrBadValue: as in every other use of
//	                                everything                     it
//	Launcher: SetChroot, pa.Dir     the working directory stays    the new root: a directory outside
//	 empty                          outside the new root           would be a way out
//	Launcher: callback that sets    SetChroot has no effect: the   the root is changed whenever
//	 pa.Sys                         child runs outside             SetChroot was called
//	Launcher: callback that ends    every later change of the      ErrLaunchFailed for this launch, and
//	 in Goexit                      process blocks without end     no other effect
//	Launcher: callback that calls   blocks without end             takes effect in the next launch
//	 its setters
//	Launcher: groups, arguments,    the slices of the caller       copied: changing a slice later does
//	 environment                                                   not change a launch
//	FuncLauncher(nil)               panic in another goroutine     Launch returns ErrLaunchFailed
//	O_PATH                          a constant of open(2),         not exported: it is unix.O_PATH, and
//	                                exported                       not about capabilities
//	package psx, second result      the content of a register      0: no supported machine has one
//	package psx with cgo            two concurrent calls, Setuid   both calls are served, or return an
//	                                of syscall or C at the same    error before any thread has changed
//	                                time, or no /proc: blocks
//	                                without end, or the process
//	                                ends
//
// As documented there, but unlike the C library: "=" resets all capabilities, not
// only the named ones; an empty text is ErrBadText; names are lower-case, and
// numbers decimal.
package cap
