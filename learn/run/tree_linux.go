package run

import (
	"errors"
	"fmt"
	"os"
	"os/signal"
	"slices"
	"sync"
	"syscall"

	"golang.org/x/sys/unix"
)

// Streams are the standard streams of a child.
type Streams struct{ Stdin, Stdout, Stderr *os.File }

// Tree is this process and all processes below it. There must be only one, and nothing
// else in this process may wait for children.
type Tree struct {
	mu       sync.Mutex
	closed   bool
	children map[int]chan unix.WaitStatus // those that were started and have not ended
	commands map[int]bool                 // the children that run a command
	null     *os.File

	// Command returns the arguments with which to execute this program again to run a
	// command of the shell: it must call RunCommand with the command.
	Command func(command string) []string
}

// NewTree makes this process the subreaper of everything that it starts, and begins to
// reap its children.
func NewTree() (*Tree, error) {
	if _, err := procRoot(); err != nil {
		return nil, err
	}
	if err := unix.Prctl(unix.PR_SET_CHILD_SUBREAPER, 1, 0, 0, 0); err != nil {
		return nil, fmt.Errorf("prctl PR_SET_CHILD_SUBREAPER: %w", err)
	}
	null, err := os.OpenFile(os.DevNull, os.O_RDWR, 0)
	if err != nil {
		return nil, err
	}
	t := &Tree{children: map[int]chan unix.WaitStatus{}, commands: map[int]bool{}, null: null}
	ended := make(chan os.Signal, 1)
	signal.Notify(ended, unix.SIGCHLD)
	go func() {
		for range ended {
			t.reap()
		}
	}()
	return t, nil
}

// errClosed is the error after KillAll.
var errClosed = errors.New("this process is about to exit")

// start calls a function that starts a child, and returns a channel with the status of
// the child.
func (t *Tree) start(command bool, f func() (pid int, err error)) (int, <-chan unix.WaitStatus, error) {
	// The child cannot be reaped before it is in the map.
	t.mu.Lock()
	defer t.mu.Unlock()
	if t.closed {
		return 0, nil, errClosed
	}
	pid, err := f()
	if err != nil {
		return 0, nil, err
	}
	status := make(chan unix.WaitStatus, 1)
	t.children[pid] = status
	if command {
		t.commands[pid] = true
	}
	return pid, status, nil
}

// reap reaps the children that have ended: those that were started, and orphans.
func (t *Tree) reap() {
	t.mu.Lock()
	defer t.mu.Unlock()
	t.reapLocked()
}

// reapLocked is reap. It reports whether no child is left.
func (t *Tree) reapLocked() (childless bool) {
	return reapChildren(func(pid int, ws unix.WaitStatus) {
		if status, ok := t.children[pid]; ok {
			status <- ws
			delete(t.children, pid)
			delete(t.commands, pid)
		}
	})
}

// reapChildren reaps the children of this process that have ended, and reports whether no
// child is left. Then no process is left below this one: the orphans of a subreaper are
// its children.
func reapChildren(reaped func(pid int, ws unix.WaitStatus)) (childless bool) {
	for {
		var ws unix.WaitStatus
		switch pid, err := unix.Wait4(-1, &ws, unix.WNOHANG, nil); {
		case err == unix.EINTR:
		case err != nil:
			return err == unix.ECHILD
		case pid <= 0:
			return false
		default:
			reaped(pid, ws)
		}
	}
}

// programLeft reports whether a process of the program is left. A list of all processes
// does not show that none is: one can have started another and ended meanwhile. But one
// of them is a child of this process at every moment, and remains in the list of children
// until it is reaped, which cannot happen meanwhile.
func (t *Tree) programLeft() (bool, error) {
	t.mu.Lock()
	defer t.mu.Unlock()
	switch childless := t.reapLocked(); {
	case childless:
		return false, nil
	case len(t.commands) == 0:
		return true, nil
	}
	pids, err := children()
	if err != nil {
		return false, err
	}
	return slices.ContainsFunc(pids, func(pid int) bool {
		if t.commands[pid] {
			return false
		}
		p, err := readProcess(pid)
		return err == nil && !p.dead
	}), nil
}

// anyLeft reports whether a process is left.
func (t *Tree) anyLeft() (bool, error) {
	t.mu.Lock()
	defer t.mu.Unlock()
	return !t.reapLocked(), nil
}

// roots returns the process IDs of the commands.
func (t *Tree) roots() []int {
	t.mu.Lock()
	defer t.mu.Unlock()
	var list []int
	for pid := range t.commands {
		list = append(list, pid)
	}
	return list
}

// program returns the processes of the program: those below this one, without the
// commands.
func (t *Tree) program() ([]process, error) { return descendants(t.roots()...) }

// KillAll kills every process below this one. No process can be started afterwards.
func (t *Tree) KillAll() error {
	t.mu.Lock()
	t.closed = true
	t.mu.Unlock()
	return killAll(t.anyLeft)
}

// statusText describes how a process has ended.
func statusText(ws unix.WaitStatus) string {
	if ws.Signaled() {
		return "signal " + unix.SignalName(ws.Signal())
	}
	return fmt.Sprintf("exit status %d", ws.ExitStatus())
}

// self is the path of this program.
const self = "/proc/self/exe"

// forkExec executes this program again, with other arguments.
func forkExec(args []string, files []uintptr, sys *syscall.SysProcAttr) (int, error) {
	return syscall.ForkExec(self, args, &syscall.ProcAttr{Env: os.Environ(), Files: files, Sys: sys})
}
