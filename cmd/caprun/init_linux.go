package main

import (
	"fmt"
	"os"
	"runtime"
	"strconv"
	"syscall"
	"time"
	"unsafe"

	"caprun/cap"
	"caprun/engine/cred"
	"caprun/engine/machine"

	"golang.org/x/sys/unix"
)

// supervisor is a caprun whose child becomes the target.
type supervisor struct {
	*Command
	child      int // its pid, and its process group
	foreground foreground
}

// supervise starts a target as a child, and returns its status when it ends. The
// supervisor keeps the parent-death signal death of the caller.
func (c *Command) supervise(o order, from cred.Cred, death machine.DeathSignal, argv []string) int {
	// The child dies with the thread that forks it, so that must be one that
	// lives as long as the process: the goroutine of main does.
	runtime.LockOSThread()
	if w, ok := c.Stderr.(*messageWriter); ok {
		queue := startQueue(w)
		defer queue.finish()
		c.Stderr = queue
	}
	signals := catchSignals()
	// Orphans come here to be reaped, also where caprun is not pid 1.
	if _, err := cap.Prctl(unix.PR_SET_CHILD_SUBREAPER, 1); err != nil {
		return c.refuse(fmt.Errorf("prctl PR_SET_CHILD_SUBREAPER: %w", err))
	}
	s := &supervisor{Command: c, foreground: findForeground()}
	channel, err := s.start(argv)
	if err != nil {
		return c.refuse(fmt.Errorf("start caprun as the child of -init: %w", err))
	}
	// The child waits for its order, so what fails here fails before the target.
	if what, err := s.settle(o, from, death); err != nil {
		return s.giveUp(what, err, notStarted)
	}
	o.Parent = os.Getpid()
	switch err := sendOrder(channel, o); err {
	case nil:
	case unix.EPIPE, unix.ECONNRESET:
		// The child has ended already, and its status says why. If not, it ends
		// now, as its order has an end too early.
		_ = unix.Shutdown(channel, unix.SHUT_WR)
	default:
		return s.giveUp("tell the child what to start", err, notStarted)
	}
	return s.loop(signals, executed(channel))
}

// start starts caprun again, in a process group of its own: what a shell or a
// terminal sends to the group of the supervisor would otherwise reach the target
// twice. It returns the supervisor's end of the channel to the child.
func (s *supervisor) start(argv []string) (channel int, err error) {
	pair, err := unix.Socketpair(unix.AF_UNIX, unix.SOCK_STREAM|unix.SOCK_CLOEXEC, 0)
	if err != nil {
		return -1, err
	}
	if pair[0] <= 2 || pair[1] <= 2 {
		return -1, fmt.Errorf("socketpair: descriptors %d and %d are not new", pair[0], pair[1])
	}
	defer unix.Close(pair[1])
	if _, err := unix.FcntlInt(uintptr(pair[1]), unix.F_SETFD, 0); err != nil {
		return -1, err
	}
	args := append([]string{"caprun", childArgument, strconv.Itoa(pair[1])}, argv...)
	attr := &syscall.ProcAttr{
		Env:   os.Environ(),
		Files: []uintptr{0, 1, 2},
		// The signal is set again after the changes of credentials, which take it back.
		Sys: &syscall.SysProcAttr{Setpgid: true, Pdeathsig: syscall.SIGKILL},
	}
	s.child, err = syscall.ForkExec("/proc/self/exe", args, attr)
	if err != nil {
		// Without /proc there is the path by which caprun itself was executed.
		if path := executedPath(); path != "" {
			s.child, err = syscall.ForkExec(path, args, attr)
			if err != nil {
				err = fmt.Errorf("%q: %w", path, err)
			}
		}
	}
	return pair[0], err
}

// settle makes the supervisor what it is while the target runs. An error comes
// with what failed.
func (s *supervisor) settle(o order, from cred.Cred, death machine.DeathSignal) (what string, err error) {
	if err := closeInherited(); err != nil {
		return "close the descriptors of the target", err
	}
	if err := reachTarget(o, from, death); err != nil {
		return "let the supervisor send signals to the target", err
	}
	if err := keepKillOnly(from); err != nil {
		return "give up the privilege of the supervisor", err
	}
	if err := checkCaller(death); err != nil {
		return "keep the caller's parent-death signal", err
	}
	if err := ignoreFirstRealTime(); err != nil {
		return "ignore " + signalName(firstRealTime), err
	}
	if s.foreground.eager {
		s.foreground.hand(s.child)
	}
	return "", nil
}

// executedPath returns AT_EXECFN of getauxval(3): what execve(2) was called with.
func executedPath() string {
	const atExecFn = 31
	vector, err := unix.Auxv()
	if err != nil {
		return ""
	}
	for n := range vector {
		if vector[n][0] == atExecFn {
			// The kernel put the string on the stack, outside of what Go manages.
			return unix.BytePtrToString(*(**byte)(unsafe.Pointer(&vector[n][1])))
		}
	}
	return ""
}

// sendOrder writes an order to the child, after the number of its bytes, and the
// end of it.
func sendOrder(channel int, o order) error {
	text := o.encode()
	for data := fmt.Appendf(nil, "%0*d%s", sizeDigits, len(text), text); len(data) > 0; {
		n, err := unix.SendmsgN(channel, data, nil, nil, unix.MSG_NOSIGNAL)
		if err != nil && err != unix.EINTR {
			return err
		}
		data = data[max(n, 0):]
	}
	return unix.Shutdown(channel, unix.SHUT_WR)
}

// executed returns a channel that is closed when the child has executed the
// target, or has ended: its end of the socket is close-on-exec.
func executed(channel int) <-chan struct{} {
	done := make(chan struct{})
	go func() {
		defer close(done)
		for {
			_, err := unix.Read(channel, make([]byte, 1))
			if err != unix.EINTR {
				break
			}
		}
		unix.Close(channel)
	}()
	return done
}

// loop forwards signals and reaps until the child has ended.
func (s *supervisor) loop(signals *signals, executed <-chan struct{}) int {
	running := false
	var early []unix.Signal
	for {
		got := signals.wait(executed)
		if !running && isClosed(executed) {
			// The signals are of the target from here on.
			running, executed = true, nil
			for _, sig := range early {
				s.forward(sig)
			}
		}
		for _, sig := range got {
			switch {
			case sig == unix.SIGCHLD:
				status, ended, err := s.reap(signals)
				if err != nil {
					s.foreground.take()
					return s.giveUp("wait for the program", err, "if it still ran, it was killed")
				}
				if ended {
					s.foreground.take()
					return status
				}
			case running || endsCaprun(sig):
				s.forward(sig)
			default:
				early = append(early, sig)
			}
		}
	}
}

func isClosed(c <-chan struct{}) bool {
	select {
	case <-c:
		return true
	default:
		return false
	}
}

// reapRound bounds how many children are reaped before signals are looked at
// again: orphans may come without end.
const reapRound = 1000

// reap waits for the children that have ended or stopped. ended tells that the
// target is one of them, with the status for the caller.
func (s *supervisor) reap(signals *signals) (status int, ended bool, err error) {
	asked := false
	for range reapRound {
		var ws unix.WaitStatus
		pid, err := unix.Wait4(-1, &ws, unix.WNOHANG|unix.WUNTRACED, nil)
		switch {
		case err == unix.EINTR:
		case err != nil:
			return 0, false, fmt.Errorf("wait4: %w", err)
		case pid == 0 && asked:
			return 0, false, nil
		case pid == 0:
			// Nothing would wake caprun again, so it asks twice.
			asked = true
		case pid != s.child:
		case ws.Exited():
			return ws.ExitStatus(), true, nil
		case ws.Signaled():
			return 128 + int(ws.Signal()), true, nil
		case ws.Stopped():
			s.stopped(ws.StopSignal())
		}
	}
	signals.reapAgain()
	return 0, false, nil
}

// notStarted is what a supervisor says that fails before the order.
const notStarted = "the program was not started"

// giveUp ends the child and says why, and what has become of the program.
func (s *supervisor) giveUp(what string, err error, program string) int {
	if left := s.abandon(); left != nil {
		program = left.Error()
	}
	return s.refuse(fmt.Errorf("-init: %s: %w; %s", what, err, program))
}

// abandonTime bounds the wait for a child that was killed.
const abandonTime = 5 * time.Second

// abandon ends the child, which is not to run without a supervisor, and waits
// for it: whoever started caprun may never do so.
func (s *supervisor) abandon() error {
	killed := false
	for end := time.Now().Add(abandonTime); time.Now().Before(end); {
		pid, err := unix.Wait4(s.child, nil, unix.WNOHANG, nil)
		switch {
		case pid == s.child, err == unix.ECHILD:
			// Its number may be that of another process by now.
			return nil
		case !killed:
			killed = true
			if err := unix.Kill(s.child, unix.SIGKILL); err != nil && err != unix.ESRCH {
				return fmt.Errorf("process %d may go on: kill: %w", s.child, err)
			}
		case err != nil && err != unix.EINTR:
			return nil
		default:
			time.Sleep(time.Millisecond)
		}
	}
	return fmt.Errorf("process %d may go on: it does not end of SIGKILL", s.child)
}
