package supervise

import (
	"fmt"
	"os"
	"os/signal"
	"reflect"

	"golang.org/x/sys/unix"
)

// lastSignal is the largest signal that every architecture has: SIGRTMAX.
const lastSignal = 64

// caughtSignals are the signals that caprun has caught and not yet handled. Each has
// a channel of its own with room for one: a signal can stand for several of the same
// number, as a pending one does, and never displaces another.
type caughtSignals struct {
	numbers  []unix.Signal
	channels []chan os.Signal
	cases    []reflect.SelectCase // the channels, and one more
}

// catchSignals begins to catch the signals that a supervisor forwards or handles.
func catchSignals() *caughtSignals {
	s := &caughtSignals{}
	// A stop is handled before SIGCONT, whichever came first: a target that runs
	// does less harm than a stopped one of which the shell does not know.
	order := []unix.Signal{unix.SIGCHLD, unix.SIGTSTP, unix.SIGTTIN, unix.SIGTTOU}
	for sig := unix.Signal(1); sig <= lastSignal; sig++ {
		if isForwarded(sig) && sig != unix.SIGTSTP && sig != unix.SIGTTIN && sig != unix.SIGTTOU {
			order = append(order, sig)
		}
	}
	for _, sig := range order {
		if sig != unix.SIGCHLD && isIgnored(sig) {
			// If caprun caught it, the target would not ignore it either.
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

// firstRealTime is SIGRTMIN for programs of glibc. The Go runtime leaves it to musl,
// which uses it itself: a Go program can neither catch nor block it.
const firstRealTime unix.Signal = 34

// ignoreFirstRealTime makes the supervisor, which cannot forward the signal,
// survive it. A target that is forked after this would ignore it too.
func ignoreFirstRealTime() error {
	var action kernelAction
	action[handlerIndex()] = sigIgn
	return sigaction(firstRealTime, &action, nil)
}

// isForwarded reports whether a signal to the supervisor is meant for the target.
func isForwarded(sig unix.Signal) bool {
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

// endsCaprun reports whether a signal ends a caprun that does not catch it. It also
// ends a child that has not yet executed the target. The child would ignore other
// signals, or handle them in its own way: these are kept for the target.
func endsCaprun(sig unix.Signal) bool {
	return sig == unix.SIGHUP || sig == unix.SIGINT || sig == unix.SIGTERM
}

// isIgnored reports whether caprun was started with a signal ignored: the Go runtime
// leaves SIGHUP, SIGINT and the signals of job control ignored.
func isIgnored(sig unix.Signal) bool {
	var action kernelAction
	if sigaction(sig, nil, &action) != nil {
		return false
	}
	return action[handlerIndex()] == sigIgn
}

// wait waits for a signal or until done is closed, and returns the signals that have
// been caught.
func (s *caughtSignals) wait(done <-chan struct{}) []unix.Signal {
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
func (s *caughtSignals) reapAgain() {
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
		if s.terminal.isForeground() {
			// The terminal sends these to every process of the foreground process
			// group, to which the target would belong without a supervisor.
			to = -s.child
		}
	}
	err := unix.Kill(to, sig)
	if err == unix.ESRCH && to != s.child {
		err = unix.Kill(s.child, sig)
	}
	if err != nil && err != unix.ESRCH {
		s.env.Report(fmt.Sprintf("forward %s to process %d: %v; a program that has changed its user needs caprun to hold cap_kill",
			signalName(sig), s.child, err))
	}
}

func signalName(sig unix.Signal) string {
	if name := unix.SignalName(sig); name != "" {
		return name
	}
	return fmt.Sprintf("signal %d", int(sig))
}
