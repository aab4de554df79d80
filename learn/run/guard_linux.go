package run

import (
	"errors"
	"fmt"
	"os"
	"os/signal"
	"strconv"
	"syscall"
	"time"

	"golang.org/x/sys/unix"
)

// guard is a process that starts a child, waits for its end, and kills everything that
// it leaves behind.
type guard struct {
	path  string
	args  []string
	files []uintptr
	sys   *syscall.SysProcAttr

	// kill reports that a signal kills everything. Otherwise the first signal is
	// forwarded to the child, and only a second one kills.
	kill bool
}

// endingSignals are the signals that end a guard.
var endingSignals = []os.Signal{unix.SIGINT, unix.SIGTERM, unix.SIGHUP, unix.SIGQUIT}

// run returns the exit status of the child; 128+n if a signal has ended it.
func (g guard) run() (int, error) {
	if _, err := procRoot(); err != nil {
		return 0, err
	}
	if err := unix.Prctl(unix.PR_SET_CHILD_SUBREAPER, 1, 0, 0, 0); err != nil {
		return 0, fmt.Errorf("prctl PR_SET_CHILD_SUBREAPER: %w", err)
	}
	signals := make(chan os.Signal, 16)
	for _, sig := range endingSignals {
		// nohup(1) makes caprun ignore SIGHUP.
		if !signal.Ignored(sig) {
			signal.Notify(signals, sig)
		}
	}
	// A channel of its own: children that end in great numbers do not hide a ^C.
	children := make(chan os.Signal, 1)
	signal.Notify(children, unix.SIGCHLD)
	child, err := syscall.ForkExec(g.path, g.args, &syscall.ProcAttr{Env: os.Environ(), Files: g.files, Sys: g.sys})
	if err != nil {
		return 0, fmt.Errorf("start %s: %w", g.path, err)
	}
	status, ended := 0, false
	isLeft := func() (bool, error) {
		return !reapChildren(func(pid int, ws unix.WaitStatus) {
			if pid == child {
				status, ended = exitStatus(ws), true
			}
		}), nil
	}
	forwarded := false
	for !ended {
		select {
		case <-children:
			_, _ = isLeft() // it only reaps, and has no error
		case sig := <-signals:
			if g.kill || forwarded {
				err := killAll(isLeft)
				return status, err // that of the killed child
			}
			forwarded = true
			// Only reap frees the process ID.
			_ = unix.Kill(child, sig.(unix.Signal))
		}
	}
	return status, killAll(isLeft)
}

func exitStatus(ws unix.WaitStatus) int {
	if ws.Signaled() {
		return 128 + int(ws.Signal())
	}
	return ws.ExitStatus()
}

// RunGuard executes this program again as the worker, in a session of its own, with the
// arguments that args returns for a descriptor. The worker must call WatchGuard with this
// descriptor. RunGuard waits until the worker has ended, and kills every process that it
// leaves behind. It returns the exit status of the worker, or 128+n if signal n has ended
// it.
func RunGuard(args func(descriptor string) []string) (status int, err error) {
	var pipe [2]int
	if err := unix.Pipe2(pipe[:], unix.O_CLOEXEC); err != nil {
		return 0, fmt.Errorf("pipe2: %w", err)
	}
	defer unix.Close(pipe[1])
	if pipe[0] <= 2 || pipe[1] <= 2 {
		return 0, errors.New("a standard stream is closed")
	}
	if _, err := unix.FcntlInt(uintptr(pipe[0]), unix.F_SETFD, 0); err != nil {
		return 0, err
	}
	g := guard{
		path: self, args: args(strconv.Itoa(pipe[0])), files: []uintptr{0, 1, 2},
		sys: &syscall.SysProcAttr{Setsid: true},
	}
	return g.run()
}

// WatchGuard calls lost in a new goroutine when the guard has ended. descriptor is the
// one that the guard has passed.
func WatchGuard(descriptor string, lost func()) error {
	fd, err := strconv.Atoi(descriptor)
	if err != nil || fd <= 2 {
		return fmt.Errorf("invalid descriptor %q", descriptor)
	}
	// The program must not get it.
	if _, err := unix.FcntlInt(uintptr(fd), unix.F_SETFD, unix.FD_CLOEXEC); err != nil {
		return fmt.Errorf("descriptor %d: %w", fd, err)
	}
	go func() {
		for {
			n, err := unix.Read(fd, make([]byte, 1))
			switch {
			case err == unix.EINTR || n > 0:
			case err == unix.EAGAIN:
				time.Sleep(100 * time.Millisecond)
			default:
				lost()
				return
			}
		}
	}()
	return nil
}
