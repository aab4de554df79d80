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

// supervisor is a caprun whose child executes the target.
type supervisor struct {
	env      *render.Env
	child    int  // its process ID, and its process group
	group    bool // signals are for the whole process group
	terminal tty
}

// Supervise starts the target as a child, waits until it ends and returns its exit
// status, or StatusRefused if the launch failed. The supervisor keeps the parent-death
// signal r.Death of the caller. It does not return if the target was ended by SIGINT,
// SIGQUIT or SIGTERM: the same signal ends this process, unless it is PID 1.
//
// The caller must be the main goroutine, locked to its thread. Afterwards the process
// must exit, because its state has changed.
func (r Request) Supervise(env *render.Env) int {
	e := r.supervise(env)
	if e.signal == unix.SIGINT || e.signal == unix.SIGQUIT || e.signal == unix.SIGTERM {
		// A shell stops a script only if ^C ends the program that it waits for.
		endSelf(e.signal)
	}
	return e.status
}

func (r Request) supervise(env *render.Env) ending {
	// The kernel kills the child when the thread that forked it ends. The main thread
	// lives as long as the process.
	runtime.LockOSThread()
	if w, ok := env.Stderr.(*message.Writer); ok {
		queue := message.NewQueue(w)
		defer queue.Close()
		queued := *env
		queued.Stderr = queue
		env = &queued
	}
	signals := catchSignals()
	// Orphans become children of caprun, also if it is not PID 1.
	if _, err := cap.Prctl(unix.PR_SET_CHILD_SUBREAPER, 1); err != nil {
		return ending{status: Refuse(env, fmt.Errorf("-init: prctl PR_SET_CHILD_SUBREAPER: %w", err))}
	}
	s := &supervisor{env: env, group: r.Group, terminal: findTTY()}
	channel, err := s.startChild(r.Argv)
	if err != nil {
		return ending{status: Refuse(env, fmt.Errorf("-init: start the child: %w", err))}
	}
	// The child waits for the request, so the target does not run if this fails.
	if step, err := s.prepare(r); err != nil {
		return s.fail(step, err, notStarted)
	}
	r.supervisor = os.Getpid()
	switch err := sendRequest(channel, r); err {
	case nil:
	case unix.EPIPE, unix.ECONNRESET:
		// The child has already ended, and has reported why. If not, it ends now because
		// its request is incomplete.
		_ = unix.Shutdown(channel, unix.SHUT_WR)
	default:
		return s.fail("send the request to the child", err, notStarted)
	}
	return s.loop(signals, notifyExec(channel))
}

// prepare drops everything that the supervisor must not have while the target runs. It
// returns an error with the name of the failed step.
func (s *supervisor) prepare(r Request) (step string, err error) {
	if err := closeInherited(); err != nil {
		return "close the descriptors of the target", err
	}
	if err := permitSignals(r); err != nil {
		return "permit signals to the target", err
	}
	if err := dropPrivilege(r.From); err != nil {
		return "drop the privilege of the supervisor", err
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

// loop forwards signals and reaps children until the child has ended. It returns how.
func (s *supervisor) loop(signals *caughtSignals, executed <-chan struct{}) ending {
	running := false
	var early []unix.Signal
	for {
		got := signals.wait(executed)
		if !running && isClosed(executed) {
			// From now on every signal is for the target.
			running, executed = true, nil
			for _, sig := range early {
				s.forward(sig)
			}
		}
		for _, sig := range got {
			switch {
			case sig == unix.SIGCHLD:
				end, ended, err := s.reap(signals)
				if err != nil {
					s.terminal.reclaim()
					return s.fail("wait for the target", err, "if it was still running, it was killed")
				}
				if ended {
					s.terminal.reclaim()
					return end
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

// notStarted is the state of the target if the supervisor fails before it has sent the
// request.
const notStarted = "the target was not started"

// fail kills the child, and reports the failed step and the state of the target. It
// returns the exit status.
func (s *supervisor) fail(step string, err error, state string) ending {
	if running := s.killChild(); running != nil {
		state = running.Error()
	}
	return ending{status: Refuse(s.env, fmt.Errorf("-init: %s: %w; %s", step, err, state))}
}
