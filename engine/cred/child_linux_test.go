//go:build linux && (amd64 || arm64)

package cred_test

import (
	"encoding/binary"
	"encoding/json"
	"fmt"
	"io"
	"os"
	"runtime"
	"syscall"
	"unsafe"

	"caprun/engine/cred"

	"golang.org/x/sys/unix"
)

// A childCall is a system call that a child makes between its creation and exec, and its
// counterpart in the model. forkCalls makes the call.
type childCall struct {
	text  string
	model func(cred.Cred, cred.Rules) (cred.Cred, cred.Errno)
	call  rawCall
}

// A rawCall is a system call with its arguments. keep references what its pointers point to.
type rawCall struct {
	number  uintptr
	a, b, c uintptr
	keep    any
}

// askForTracer returns c with a tracer that the task itself asked for. The kernel then
// uses the task's credentials as those of the tracer.
func askForTracer(c cred.Cred) cred.Cred {
	c.Traced, c.TracerUID = !c.Effective.Has(sysPtrace), 0
	if c.Traced {
		c.TracerUID = c.EUID
	}
	return c
}

func childTraceMe() childCall {
	return childCall{
		"PTRACE_TRACEME",
		func(c cred.Cred, _ cred.Rules) (cred.Cred, cred.Errno) { return askForTracer(c), 0 },
		rawCall{number: unix.SYS_PTRACE, a: unix.PTRACE_TRACEME},
	}
}

func childSeteuid(u uint32) childCall {
	no := cred.NoID
	return childCall{
		fmt.Sprintf("Setresuid(-1, %d, -1)", int32(u)),
		func(c cred.Cred, _ cred.Rules) (cred.Cred, cred.Errno) { return c.Setresuid(no, u, no) },
		rawCall{number: unix.SYS_SETRESUID, a: uintptr(no), b: uintptr(u), c: uintptr(no)},
	}
}

func childUnshareUser() childCall {
	return childCall{
		"NewUserNamespace()",
		func(c cred.Cred, _ cred.Rules) (cred.Cred, cred.Errno) { return c.NewUserNamespace(cred.UserNS{}) },
		rawCall{number: unix.SYS_UNSHARE, a: unix.CLONE_NEWUSER},
	}
}

func childCapset(e, p, i cred.Caps) childCall {
	o := capset(e, p, i)
	header := &unix.CapUserHeader{Version: unix.LINUX_CAPABILITY_VERSION_3}
	data := &[2]unix.CapUserData{
		{Effective: uint32(e), Permitted: uint32(p), Inheritable: uint32(i)},
		{Effective: uint32(e >> 32), Permitted: uint32(p >> 32), Inheritable: uint32(i >> 32)},
	}
	return childCall{o.text, o.model, rawCall{
		number: unix.SYS_CAPSET,
		a:      uintptr(unsafe.Pointer(header)), b: uintptr(unsafe.Pointer(data)),
		keep: []any{header, data},
	}}
}

// childEnv is the environment of a reporter.
var childEnv = []string{"GOMAXPROCS=1", "GOGC=off", noRaceDelay}

// perform starts the child and returns its report, or the error number with which it failed
// to start.
func (e ending) perform() (*observation, cred.Errno, error) {
	var fds [2]int
	if err := unix.Pipe2(fds[:], unix.O_CLOEXEC); err != nil {
		return nil, 0, err
	}
	out := os.NewFile(uintptr(fds[0]), "report")
	defer out.Close()

	start := e.forkExec
	if len(e.calls) > 0 {
		start = e.forkCalls
	}
	pid, err := start(fds[1])
	unix.Close(fds[1])
	if number, ok := err.(syscall.Errno); ok {
		return nil, cred.Errno(number), nil
	}
	if err != nil {
		return nil, 0, err
	}

	var status unix.WaitStatus
	if e.traced || len(e.calls) > 0 {
		if err := wait(pid, &status, unix.WALL); err != nil {
			return nil, 0, fmt.Errorf("wait for exec: %w", err)
		}
		if !status.Stopped() {
			return nil, 0, fmt.Errorf("wait for exec: status %#x", int(status))
		}
		if err := unix.PtraceDetach(pid); err != nil {
			return nil, 0, fmt.Errorf("detach: %w", err)
		}
	}
	text, err := io.ReadAll(out)
	if err != nil {
		return nil, 0, err
	}
	if err := wait(pid, &status, 0); err != nil || status != 0 {
		return nil, 0, fmt.Errorf("reporter: status %#x, %v", int(status), err)
	}
	var o observation
	if err := json.Unmarshal(text, &o); err != nil {
		return nil, 0, fmt.Errorf("reporter: %w", err)
	}
	return &o, 0, nil
}

func wait(pid int, status *unix.WaitStatus, options int) error {
	for {
		if _, err := unix.Wait4(pid, status, options, nil); err != unix.EINTR {
			return err
		}
	}
}

// forkExec starts the child with the descriptor out as its standard output.
func (e ending) forkExec(out int) (pid int, err error) {
	attr := &syscall.ProcAttr{
		Files: []uintptr{0, uintptr(out), 2},
		Env:   childEnv,
		Sys:   &syscall.SysProcAttr{Ptrace: e.traced},
	}
	if e.newUserNS {
		attr.Sys.Cloneflags |= unix.CLONE_NEWUSER
	}
	if e.sharedFS {
		attr.Sys.Cloneflags |= unix.CLONE_FS
	}
	return syscall.ForkExec("./"+e.path, []string{reporterName}, attr)
}

// forkCalls is forkExec for a child that makes calls before exec, which package syscall
// cannot make in their order.
func (e ending) forkCalls(out int) (pid int, err error) {
	path, err := unix.BytePtrFromString("./" + e.path)
	if err != nil {
		return 0, err
	}
	argv, err := syscall.SlicePtrFromStrings([]string{reporterName})
	if err != nil {
		return 0, err
	}
	envv, err := syscall.SlicePtrFromStrings(childEnv)
	if err != nil {
		return 0, err
	}
	var calls []rawCall
	for _, c := range e.calls {
		calls = append(calls, c.call)
	}
	calls = append(calls,
		rawCall{number: unix.SYS_DUP3, a: uintptr(out), b: 1},
		rawCall{
			number: unix.SYS_EXECVE,
			a:      uintptr(unsafe.Pointer(path)),
			b:      uintptr(unsafe.Pointer(unsafe.SliceData(argv))),
			c:      uintptr(unsafe.Pointer(unsafe.SliceData(envv))),
		})

	var fds [2]int
	if err := unix.Pipe2(fds[:], unix.O_CLOEXEC); err != nil {
		return 0, err
	}
	failure := os.NewFile(uintptr(fds[0]), "failure")
	defer failure.Close()
	syscall.ForkLock.Lock()
	pid, errno := forkRaw(calls, uintptr(fds[1]))
	syscall.ForkLock.Unlock()
	unix.Close(fds[1])
	runtime.KeepAlive([]any{path, argv, envv, calls})
	if errno != 0 {
		return 0, fmt.Errorf("clone: %w", errno)
	}
	text, err := io.ReadAll(failure)
	if err != nil {
		return 0, err
	}
	if len(text) == 0 {
		return pid, nil // exec closed the pipe
	}
	var status unix.WaitStatus
	if err := wait(pid, &status, 0); err != nil {
		return 0, err
	}
	return 0, syscall.Errno(binary.NativeEndian.Uint64(text))
}

// forkRaw creates a child that makes the calls and ends with the first one that
// fails, whose error number it writes to the descriptor failure as a machine
// word. The last call is execve. The child has no Go runtime: nothing here may
// be preempted or grow the stack.
//
//go:norace
//go:nosplit
func forkRaw(calls []rawCall, failure uintptr) (pid int, errno syscall.Errno) {
	child, _, errno := syscall.RawSyscall6(syscall.SYS_CLONE, uintptr(syscall.SIGCHLD), 0, 0, 0, 0, 0)
	if errno != 0 || child != 0 {
		return int(child), errno
	}
	for i := range calls {
		c := &calls[i]
		if _, _, errno = syscall.RawSyscall(c.number, c.a, c.b, c.c); errno != 0 {
			break
		}
	}
	syscall.RawSyscall(syscall.SYS_WRITE, failure, uintptr(unsafe.Pointer(&errno)), unsafe.Sizeof(errno))
	for {
		syscall.RawSyscall(syscall.SYS_EXIT_GROUP, 1, 0, 0)
	}
}
