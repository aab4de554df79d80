package supervise

import (
	"fmt"
	"time"

	"caprun/internal/sigmask"

	"golang.org/x/sys/unix"
)

// reapRound bounds how many children are reaped before the supervisor handles signals
// again: orphans can end without pause.
const reapRound = 1000

// ending is how a launch with -init has ended.
type ending struct {
	status int         // the exit status for the caller
	signal unix.Signal // that ended the target; 0 for none
}

// endSelf ends caprun by a signal with its default action. It returns if that fails, and
// in PID 1, which the kernel protects from such signals. The supervisor is not dumpable,
// so SIGQUIT makes no core file.
func endSelf(sig unix.Signal) {
	var defaults kernelAction
	if sigaction(sig, &defaults, nil) == nil && sigmask.Unblock(sig) == nil {
		_ = unix.Tgkill(unix.Getpid(), unix.Gettid(), sig)
	}
}

// reap reaps the children that have ended, and handles a stop of the target: wait4(2).
// ended reports whether the target has ended, and end is then how.
func (s *supervisor) reap(signals *caughtSignals) (end ending, ended bool, err error) {
	asked := false
	for range reapRound {
		var ws unix.WaitStatus
		pid, err := unix.Wait4(-1, &ws, unix.WNOHANG|unix.WUNTRACED, nil)
		switch {
		case err == unix.EINTR:
		case err != nil:
			return ending{}, false, fmt.Errorf("wait4: %w", err)
		case pid == 0 && asked:
			return ending{}, false, nil
		case pid == 0:
			// No other SIGCHLD would follow for a child that ended meanwhile: ask twice.
			asked = true
		case pid != s.child:
		case ws.Exited():
			return ending{status: ws.ExitStatus()}, true, nil
		case ws.Signaled():
			return ending{128 + int(ws.Signal()), ws.Signal()}, true, nil
		case ws.Stopped():
			s.stopWithTarget(ws.StopSignal())
		}
	}
	signals.reapAgain()
	return ending{}, false, nil
}

// killTime bounds the wait for a killed child.
const killTime = 5 * time.Second

// killChild kills and reaps the child, which must not run without a supervisor. The
// error reports why it may still run.
func (s *supervisor) killChild() error {
	killed := false
	for end := time.Now().Add(killTime); time.Now().Before(end); {
		pid, err := unix.Wait4(s.child, nil, unix.WNOHANG, nil)
		switch {
		case pid == s.child, err == unix.ECHILD:
			// From now on, another process can have its ID.
			return nil
		case !killed:
			killed = true
			if err := unix.Kill(s.child, unix.SIGKILL); err != nil && err != unix.ESRCH {
				return fmt.Errorf("process %d may still run: kill: %w", s.child, err)
			}
		case err != nil && err != unix.EINTR:
			return nil
		default:
			time.Sleep(time.Millisecond)
		}
	}
	return fmt.Errorf("process %d may still run: SIGKILL has not ended it", s.child)
}
