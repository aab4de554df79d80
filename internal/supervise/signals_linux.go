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

// caughtSignals are the signals that caprun has caught and not yet handled. Each number
// has its own channel with room for one signal. So signals of one number can merge, as
// pending ones do, but never displace another number.
type caughtSignals struct {
	numbers  []unix.Signal
	channels []chan os.Signal
	cases    []reflect.SelectCase // the channels, and that of wait
}

// catchSignals begins to catch the signals that a supervisor forwards or handles.
func catchSignals() *caughtSignals {
	s := &caughtSignals{}
	// A stop is handled before SIGCONT, in whatever order they arrived: a stopped target
	// that the shell takes for running is worse than a running one.
	order := []unix.Signal{unix.SIGCHLD, unix.SIGTSTP, unix.SIGTTIN, unix.SIGTTOU}
	for sig := unix.Signal(1); sig <= lastSignal; sig++ {
		if isForwarded(sig) && sig != unix.SIGTSTP && sig != unix.SIGTTIN && sig != unix.SIGTTOU {
			order = append(order, sig)
		}
	}
	for _, sig := range order {
		if sig != unix.SIGCHLD && isIgnored(sig) {
			// If caprun caught it, the target would not inherit that it is ignored.
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

// firstRealTime is SIGRTMIN of glibc. musl uses it internally, so the Go runtime lets a
// program neither catch nor block it.
const firstRealTime unix.Signal = 34

// ignoreFirstRealTime lets the supervisor survive the signal, which it cannot forward. A
// target forked afterwards would ignore it, too.
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

// endsCaprun reports whether a signal ends a caprun that does not catch it, and so also a
// child that has not yet executed the target. Such a child would ignore or handle other
// signals; the supervisor keeps them until the target runs.
func endsCaprun(sig unix.Signal) bool {
	return sig == unix.SIGHUP || sig == unix.SIGINT || sig == unix.SIGTERM
}

// isIgnored reports whether caprun was started with a signal ignored. The Go runtime
// keeps SIGHUP, SIGINT and the signals of job control ignored.
func isIgnored(sig unix.Signal) bool {
	var action kernelAction
	if sigaction(sig, nil, &action) != nil {
		return false
	}
	return action[handlerIndex()] == sigIgn
}

// wait waits for a signal or until done is closed. It returns the caught signals.
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
	if s.group {
		to = -s.child
	}
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
	if to != s.child && (err == unix.ESRCH || s.leftGroup()) {
		err = unix.Kill(s.child, sig)
	}
	if err != nil && err != unix.ESRCH {
		s.env.Report(fmt.Sprintf("forward %s to process %d: %v; if the target has changed its user, caprun needs cap_kill",
			signalName(sig), s.child, err))
	}
}

// leftGroup reports whether the target has moved to another process group.
func (s *supervisor) leftGroup() bool {
	group, err := unix.Getpgid(s.child)
	return err == nil && group != s.child
}

func signalName(sig unix.Signal) string {
	if name := unix.SignalName(sig); name != "" {
		return name
	}
	return fmt.Sprintf("signal %d", int(sig))
}
