package main

import (
	"fmt"
	"os"
	"os/signal"
	"reflect"
	"runtime"
	"strings"
	"syscall"
	"unsafe"

	"golang.org/x/sys/unix"
)

// lastSignal is the largest signal that every architecture has: SIGRTMAX.
const lastSignal = 64

// signals are those that caprun has caught and not yet handled. Each has a
// channel of its own with room for one: a signal may stand for several of its
// kind, as one that is pending does, and never makes another one get lost.
type signals struct {
	numbers  []unix.Signal
	channels []chan os.Signal
	cases    []reflect.SelectCase // the channels, and one more
}

// catchSignals begins to catch what a supervisor forwards or handles.
func catchSignals() *signals {
	s := &signals{}
	// What stops comes before what continues, whichever came first: a target
	// that runs does less harm than one that nobody knows to be stopped.
	order := []unix.Signal{unix.SIGCHLD, unix.SIGTSTP, unix.SIGTTIN, unix.SIGTTOU}
	for sig := unix.Signal(1); sig <= lastSignal; sig++ {
		if forwarded(sig) && sig != unix.SIGTSTP && sig != unix.SIGTTIN && sig != unix.SIGTTOU {
			order = append(order, sig)
		}
	}
	for _, sig := range order {
		if sig != unix.SIGCHLD && ignored(sig) {
			// To catch it would be to ignore it no longer, in the target too.
			continue
		}
		c := make(chan os.Signal, 1)
		signal.Notify(c, sig)
		s.numbers, s.channels = append(s.numbers, sig), append(s.channels, c)
		s.cases = append(s.cases, reflect.SelectCase{Dir: reflect.SelectRecv, Chan: reflect.ValueOf(c)})
	}
	s.cases = append(s.cases, reflect.SelectCase{Dir: reflect.SelectRecv})
	return s
}

// firstRealTime is SIGRTMIN for programs of glibc. The Go runtime leaves it to
// musl, which has a use of its own for it: it can be neither caught nor blocked.
const firstRealTime unix.Signal = 34

// ignoreFirstRealTime makes the supervisor, which cannot forward the signal,
// survive it. A target that is forked after this would ignore it too.
func ignoreFirstRealTime() error {
	var action kernelAction
	action[handlerIndex()] = sigIgn
	return sigaction(firstRealTime, &action, nil)
}

// forwarded reports whether a signal to the supervisor is meant for the target.
func forwarded(sig unix.Signal) bool {
	switch sig {
	case unix.SIGKILL, unix.SIGSTOP: // cannot be caught
		return false
	case unix.SIGCHLD: // about the supervisor's own children
		return false
	case unix.SIGILL, unix.SIGTRAP, unix.SIGBUS, unix.SIGFPE, unix.SIGSEGV, unix.SIGSYS: // about the supervisor's own instructions
		return false
	case unix.SIGURG, unix.SIGPROF: // the Go runtime uses them
		return false
	case 32, 33, firstRealTime: // the C libraries and the Go runtime use them
		return false
	}
	return true
}

// endsCaprun reports whether a signal ends a caprun that does not catch it. The
// child dies of it while it is still one; what it would ignore, or answer in a
// way of its own, is kept for the target.
func endsCaprun(sig unix.Signal) bool {
	return sig == unix.SIGHUP || sig == unix.SIGINT || sig == unix.SIGTERM
}

// ignored reports whether the caller of caprun has a signal ignored: the Go
// runtime leaves it so for SIGHUP, SIGINT and those of job control.
func ignored(sig unix.Signal) bool {
	var action kernelAction
	if sigaction(sig, nil, &action) != nil {
		return false
	}
	return action[handlerIndex()] == sigIgn
}

// wait returns the signals that have come, when there are any or done is closed.
func (s *signals) wait(done <-chan struct{}) []unix.Signal {
	s.cases[len(s.cases)-1].Chan = reflect.ValueOf(done)
	var got []unix.Signal
	first, _, _ := reflect.Select(s.cases)
	for n, c := range s.channels {
		if n == first {
			got = append(got, s.numbers[n])
			continue
		}
		select {
		case <-c:
			got = append(got, s.numbers[n])
		default:
		}
	}
	return got
}

// reapAgain makes wait return SIGCHLD once more.
func (s *signals) reapAgain() {
	select {
	case s.channels[0] <- unix.SIGCHLD:
	default:
	}
}

// forward sends a signal to the target.
func (s *supervisor) forward(sig unix.Signal) {
	to := s.child
	switch sig {
	case unix.SIGCONT:
		s.resume()
		return
	case unix.SIGINT, unix.SIGQUIT, unix.SIGTSTP, unix.SIGWINCH:
		if s.foreground.held() {
			// The terminal sends these to every process of the group in the
			// foreground, which the target would be in without a supervisor.
			to = -s.child
		}
	}
	err := unix.Kill(to, sig)
	if err == unix.ESRCH && to != s.child {
		err = unix.Kill(s.child, sig)
	}
	if err != nil && err != unix.ESRCH {
		s.Report(fmt.Sprintf("forward %s to process %d: %v; a program that has changed its user needs caprun to hold cap_kill",
			signalName(sig), s.child, err))
	}
}

// addSignal adds a signal to a set: sigaddset(3).
func addSignal(set *unix.Sigset_t, sig unix.Signal) {
	const bits = 8 * int(unix.SizeofPtr)
	n := int(sig) - 1
	set.Val[n/bits] |= 1 << (n % bits)
}

func signalName(sig unix.Signal) string {
	if name := unix.SignalName(sig); name != "" {
		return name
	}
	return fmt.Sprintf("signal %d", int(sig))
}

// kernelAction has room for struct sigaction as rt_sigaction(2) has it on any
// architecture.
type kernelAction [16]uintptr

// sigIgn is SIG_IGN.
const sigIgn = 1

// handlerIndex says where the handler is in a kernelAction.
func handlerIndex() int {
	if strings.HasPrefix(runtime.GOARCH, "mips") {
		return 1 // after the flags
	}
	return 0
}

// sigaction is rt_sigaction(2).
func sigaction(sig unix.Signal, set, old *kernelAction) error {
	size := uintptr(lastSignal / 8)
	if strings.HasPrefix(runtime.GOARCH, "mips") {
		size = 128 / 8
	}
	_, _, errno := syscall.RawSyscall6(unix.SYS_RT_SIGACTION, uintptr(sig),
		uintptr(unsafe.Pointer(set)), uintptr(unsafe.Pointer(old)), size, 0, 0)
	if errno != 0 {
		return errno
	}
	return nil
}
