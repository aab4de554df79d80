package supervise

import (
	"fmt"
	"time"

	"golang.org/x/sys/unix"
)

// reapRound bounds how many children are reaped before the supervisor handles
// signals again: orphans can come without end.
const reapRound = 1000

// reap waits for the children that have ended or stopped: wait4(2). ended tells that
// the target is one of them, with the exit status for the caller.
func (s *supervisor) reap(signals *caughtSignals) (status int, ended bool, err error) {
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
			// No signal would follow for a child that was missed: ask twice.
			asked = true
		case pid != s.child:
		case ws.Exited():
			return ws.ExitStatus(), true, nil
		case ws.Signaled():
			return 128 + int(ws.Signal()), true, nil
		case ws.Stopped():
			s.stopWithTarget(ws.StopSignal())
		}
	}
	signals.reapAgain()
	return 0, false, nil
}

// killTime bounds the wait for a child that was killed.
const killTime = 5 * time.Second

// killChild kills the child, which must not run without a supervisor, and reaps it:
// the caller of caprun may never do so. The error says why the child may still run.
func (s *supervisor) killChild() error {
	killed := false
	for end := time.Now().Add(killTime); time.Now().Before(end); {
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
