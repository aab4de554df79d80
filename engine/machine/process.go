package machine

import (
	"errors"
	"fmt"
	"math/rand/v2"
	"slices"
	"time"

	"caprun/engine/cred"
)

// Process is the state of a running process at one instant. The process may change at
// any time after.
type Process struct {
	PID  int
	Name string // the name from prctl(2), PR_SET_NAME: up to 15 arbitrary bytes

	// States are the distinct states of its threads, that of the thread with the
	// lowest ID first. Most processes have one.
	States []ProcessState

	// UserNS reports whether the process is in the user namespace of the calling
	// process, to which capabilities are relative.
	UserNS Namespace

	// UserNSErr is the reason if UserNS is NamespaceUnknown.
	UserNSErr error

	// File has the facts about the file that the process executes, unless FileErr
	// is set. FileID identifies the file; it is zero if that is unknown too.
	FileID  FileID
	File    cred.File
	FileErr error
}

// ProcessState is a state that one or more threads of a process are in.
type ProcessState struct {
	// Threads are the IDs of these threads, in ascending order.
	Threads []int

	// Cred has the IDs as seen in the user namespace of the calling process. Its
	// Securebits are 0, because those of another process cannot be read. UserNS,
	// Chrooted, SharedFS and Traced are not read either.
	Cred cred.Cred

	// Unmapped has the names of the fields with an ID that the user namespace of
	// the calling process does not map: "uid", "gid" and "groups". Such an ID is
	// cred.OverflowID, and may belong to any user.
	Unmapped []string

	// Root identifies the root directory, unless RootErr is set.
	Root    FileID
	RootErr error

	// MountNS reports whether the threads are in the mount namespace of the
	// calling process.
	MountNS Namespace
}

// FileID identifies a file or directory on this machine.
type FileID struct{ Dev, Ino uint64 }

// Namespace reports whether a process is in the same namespace as the calling process.
type Namespace int

const (
	NamespaceSame Namespace = iota
	NamespaceOther

	// NamespaceUnknown reports that the calling process may not read the namespace,
	// see ptrace(2), "Ptrace access mode checking".
	NamespaceUnknown
)

var namespaceNames = [...]string{"same", "other", "unknown"}

// String returns "same", "other" or "unknown".
func (n Namespace) String() string { return namespaceNames[n] }

// processError returns the error for a process that cannot be read. err is one of the
// errors below, or an error of the system.
func processError(pid int, err error, hint string) *Error {
	return &Error{Subject: fmt.Sprintf("process %d", pid), Err: err, Hint: hint}
}

// The reasons why a process cannot be read.
var (
	ErrNoProcess       = errors.New("no such process")
	ErrProcessEnded    = errors.New("ended while caprun read it")
	ErrProcessHidden   = errors.New("hidden from this user by the proc file system (hidepid)")
	ErrProcessThread   = errors.New("the ID of a thread, not of a process")
	ErrProcessZombie   = errors.New("a zombie: it has ended, and its parent has not waited for it")
	ErrProcessKernel   = errors.New("a kernel thread")
	ErrProcessChanging = errors.New("its credentials or threads change faster than caprun can read them")
	ErrNoProc          = errors.New("the proc file system of this pid namespace is not mounted on /proc")
)

// Bounds of what is read of a process.
const (
	maxStatus  = 1 << 20 // in bytes: 65536 groups of ten digits
	maxThreads = 1 << 16
	maxStates  = 1 << 10 // distinct ones

	// The kernel reads the credentials twice for one status file, for the IDs and
	// for the capabilities. If they change in between, the file shows a state that
	// never existed. Only the thread itself changes them. So if a thread did not
	// run during agreeingAsleep equal reads, the state is right. Of a thread that
	// runs, agreeingAwake reads at random times must agree.
	agreeingAsleep = 3
	agreeingAwake  = 16

	// maxReads bounds the reads of one thread in a pass, maxPasses the passes
	// over all of them.
	maxReads  = 200
	maxPasses = 100
)

// stableStatus reads the status of a thread until enough reads agree.
func stableStatus(read func() (threadStatus, error)) (threadStatus, error) {
	var last threadStatus
	agree, asleep := 0, 0
	for range maxReads {
		s, err := read()
		if err != nil {
			return s, err
		}
		if agree == 0 || !s.cred.Equal(last.cred) || s.ended() != last.ended() {
			agree, asleep = 0, 0
		}
		if !s.asleep() || s.switches != last.switches {
			asleep = 0
		}
		agree++
		if s.asleep() {
			asleep++
		}
		last = s
		if asleep == agreeingAsleep || agree == agreeingAwake {
			return last, nil
		}
		if !s.asleep() {
			// At random times, so as not to be in step with the thread.
			time.Sleep(rand.N(50 * time.Microsecond))
		}
	}
	return last, ErrProcessChanging
}

// add records the state of a thread.
func (p *Process) add(tid int, s ProcessState) error {
	for n := range p.States {
		if p.States[n].same(s) {
			p.States[n].Threads = append(p.States[n].Threads, tid)
			return nil
		}
	}
	if len(p.States) == maxStates {
		return fmt.Errorf("its threads are in more than %d different states", maxStates)
	}
	s.Threads = []int{tid}
	p.States = append(p.States, s)
	return nil
}

// same reports whether two states are equal except for their threads. All errors about
// the root directory count as equal.
func (s ProcessState) same(o ProcessState) bool {
	return s.Root == o.Root && s.MountNS == o.MountNS && (s.RootErr == nil) == (o.RootErr == nil) && s.Cred.Equal(o.Cred)
}

// unmapped returns the fields of c that have IDs which ns does not map: see
// ProcessState.Unmapped. If ns maps cred.OverflowID, it finds none, because an unmapped
// ID then looks like the mapped one.
func unmapped(ns cred.UserNS, c cred.Cred) []string {
	var list []string
	if !ns.MapsUID(cred.OverflowID) && slices.Contains([]uint32{c.UID, c.EUID, c.SUID, c.FSUID}, cred.OverflowID) {
		list = append(list, "uid")
	}
	if ns.Nested && !slices.ContainsFunc(ns.GIDs, func(x cred.Extent) bool {
		return x.Inside <= cred.OverflowID && cred.OverflowID-x.Inside < x.Count
	}) {
		if slices.Contains([]uint32{c.GID, c.EGID, c.SGID, c.FSGID}, cred.OverflowID) {
			list = append(list, "gid")
		}
		if slices.Contains(c.Groups, cred.OverflowID) {
			list = append(list, "groups")
		}
	}
	return list
}

// agrees reports whether two passes over the threads found the same states, and every
// thread that is in both passes in the same state. Threads may start and end in
// between.
func (p *Process) agrees(o *Process) bool {
	if len(p.States) != len(o.States) || p.UserNS != o.UserNS {
		return false
	}
	state := map[int]*ProcessState{}
	for n := range p.States {
		s := &p.States[n]
		if !slices.ContainsFunc(o.States, s.same) {
			return false
		}
		for _, tid := range s.Threads {
			state[tid] = s
		}
	}
	for _, s := range o.States {
		for _, tid := range s.Threads {
			if before := state[tid]; before != nil && !before.same(s) {
				return false
			}
		}
	}
	return true
}
