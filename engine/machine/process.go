package machine

import (
	"errors"
	"fmt"
	"math/rand/v2"
	"slices"
	"time"

	"caprun/engine/cred"
)

// Process is what could be read of a running process at one instant. It may
// change at any time after.
type Process struct {
	PID  int
	Name string // as the process calls itself, up to 15 bytes; it may contain anything

	// States are the distinct states of its threads, that of the lowest
	// thread number first. Most processes have one.
	States []ProcessState

	// UserNS says whether it lives in the user namespace of the reader.
	// Capabilities are relative to that.
	UserNS Namespace

	// UserNSErr says why UserNS is NamespaceUnknown.
	UserNSErr error

	// File has the facts of the file that it executes; FileErr says why they
	// are not known, as those of a file of another mount namespace. FileID
	// identifies the file; it is zero where even that is not known.
	FileID  FileID
	File    cred.File
	FileErr error
}

// ProcessState is a state that one or more threads are in.
type ProcessState struct {
	// Threads are their numbers, in ascending order.
	Threads []int

	// Cred has the ids as the reader's user namespace shows them. Securebits
	// of another process cannot be read, and are 0 here; UserNS, Chrooted,
	// SharedFS and Traced are not read.
	Cred cred.Cred

	// Unmapped names what has an id that the reader's user namespace does not
	// map, "uid", "gid" and "groups": it shows as cred.OverflowID, and can be
	// anyone's.
	Unmapped []string

	// Root identifies the root directory; RootErr says why it cannot be read.
	Root    FileID
	RootErr error

	// MountNS says whether the threads are in the mount namespace of the reader,
	// where a directory has the same path.
	MountNS Namespace
}

// FileID tells a directory, or a file, from every other one on the machine.
type FileID struct{ Dev, Ino uint64 }

// Namespace says where a process lives, next to the reader.
type Namespace int

const (
	NamespaceSame Namespace = iota
	NamespaceOther

	// NamespaceUnknown is that of a process which the reader may not look
	// into: ptrace(2), "Ptrace access mode checking".
	NamespaceUnknown
)

var namespaceNames = [...]string{"same", "other", "unknown"}

// String returns "same", "other" or "unknown".
func (n Namespace) String() string { return namespaceNames[n] }

// processError says why a process cannot be read: err is one of the errors below,
// or of the system.
func processError(pid int, err error, hint string) *Error {
	return &Error{Subject: fmt.Sprintf("process %d", pid), Err: err, Hint: hint}
}

// The reasons why a process cannot be read.
var (
	ErrNoProcess       = errors.New("no such process")
	ErrProcessEnded    = errors.New("it ended while it was read")
	ErrProcessHidden   = errors.New("the proc file system hides it from this user (hidepid)")
	ErrProcessThread   = errors.New("this is the number of a thread, not of a process")
	ErrProcessZombie   = errors.New("it has ended, and its parent has not waited for it")
	ErrProcessKernel   = errors.New("it is a thread of the kernel")
	ErrProcessChanging = errors.New("it does not hold still: its credentials or its threads change faster than they can be read")
	ErrNoProc          = errors.New("the proc file system of this pid namespace is not mounted on /proc")
)

// Bounds of what is read of a process.
const (
	maxStatus  = 1 << 20 // 65536 groups of ten digits
	maxThreads = 1 << 16
	maxStates  = 1 << 10 // distinct ones

	// The ids and the capabilities of one read of a status file come from two
	// looks at the credentials, so that it can show a state that never was.
	// Only the thread itself changes them: of agreeingAsleep reads between
	// which it did not run, the last but one is true. Of a thread that runs,
	// agreeingAwake reads at random times must agree: one that changes faster
	// than it can be read does not hold still.
	agreeingAsleep = 3
	agreeingAwake  = 16

	// maxReads bounds the reads of one thread in a pass, maxPasses the passes
	// over all of them.
	maxReads  = 200
	maxPasses = 100
)

// stableStatus reads the status of a thread until it is known to be true.
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
			// Not in step with a thread that changes all the time.
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

// same reports whether two states are the same but for their threads. Errors
// about the root directory count as the same.
func (s ProcessState) same(o ProcessState) bool {
	return s.Root == o.Root && s.MountNS == o.MountNS && (s.RootErr == nil) == (o.RootErr == nil) && s.Cred.Equal(o.Cred)
}

// unmapped returns what has ids that ns does not map. In a namespace that maps
// cred.OverflowID itself, such an ID looks like that one.
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

// agrees reports whether two passes over the threads saw the same: the same
// states, and every thread that both saw in the same one. Threads may come and
// go meanwhile.
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
