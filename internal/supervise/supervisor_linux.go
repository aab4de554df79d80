package supervise

import (
	"fmt"
	"os"
	"runtime"

	"caprun/cap"
	"caprun/internal/message"
	"caprun/internal/render"

	"golang.org/x/sys/unix"
)

// supervisor is a caprun whose child becomes the target.
type supervisor struct {
	env      *render.Env
	child    int // its pid, and its process group
	terminal tty
}

// Supervise starts the target as a child, and returns its exit status when it has
// ended, or that of a launch that failed. The supervisor keeps the parent-death
// signal r.Death of the caller.
//
// The calling goroutine must be that of main, locked to its thread. The process is
// changed and must exit.
func (r Request) Supervise(env *render.Env) int {
	// The kernel kills the child when the thread that forked it ends, so this must
	// be one that lives as long as the process.
	runtime.LockOSThread()
	if w, ok := env.Stderr.(*message.Writer); ok {
		queue := message.NewQueue(w)
		defer queue.Close()
		queued := *env
		queued.Stderr = queue
		env = &queued
	}
	signals := catchSignals()
	// Orphans become children of caprun, also where it is not pid 1.
	if _, err := cap.Prctl(unix.PR_SET_CHILD_SUBREAPER, 1); err != nil {
		return Refuse(env, fmt.Errorf("prctl PR_SET_CHILD_SUBREAPER: %w", err))
	}
	s := &supervisor{env: env, terminal: findTTY()}
	channel, err := s.startChild(r.Argv)
	if err != nil {
		return Refuse(env, fmt.Errorf("start caprun as the child of -init: %w", err))
	}
	// The child waits for the request, so the target cannot have been started when
	// this fails.
	if what, err := s.prepare(r); err != nil {
		return s.fail(what, err, notStarted)
	}
	r.supervisor = os.Getpid()
	switch err := sendRequest(channel, r); err {
	case nil:
	case unix.EPIPE, unix.ECONNRESET:
		// The child has ended already, and its status says why. If not, it ends
		// now, at the early end of its request.
		_ = unix.Shutdown(channel, unix.SHUT_WR)
	default:
		return s.fail("tell the child what to start", err, notStarted)
	}
	return s.loop(signals, notifyExec(channel))
}

// prepare takes from the supervisor what it must not have while the target runs. An
// error comes with what failed.
func (s *supervisor) prepare(r Request) (what string, err error) {
	if err := closeInherited(); err != nil {
		return "close the descriptors of the target", err
	}
	if err := permitSignals(r); err != nil {
		return "let the supervisor send signals to the target", err
	}
	if err := dropPrivilege(r.From); err != nil {
		return "give up the privilege of the supervisor", err
	}
	if err := checkDeathSignal(r.Death); err != nil {
		return "keep the caller's parent-death signal", err
	}
	if err := ignoreFirstRealTime(); err != nil {
		return "ignore " + signalName(firstRealTime), err
	}
	if s.terminal.eager {
		s.terminal.give(s.child)
	}
	return "", nil
}

// loop forwards signals and reaps until the child has ended, and returns the exit
// status.
func (s *supervisor) loop(signals *caughtSignals, executed <-chan struct{}) int {
	running := false
	var early []unix.Signal
	for {
		got := signals.wait(executed)
		if !running && isClosed(executed) {
			// From here on every signal is for the target.
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
					s.terminal.reclaim()
					return s.fail("wait for the program", err, "if it still ran, it was killed")
				}
				if ended {
					s.terminal.reclaim()
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

// notStarted is the state of the program when a supervisor fails before it has
// sent the request.
const notStarted = "the program was not started"

// fail kills the child, and reports why and the state of the program. It returns
// the exit status.
func (s *supervisor) fail(what string, err error, program string) int {
	if left := s.killChild(); left != nil {
		program = left.Error()
	}
	return Refuse(s.env, fmt.Errorf("-init: %s: %w; %s", what, err, program))
}
