package run

import (
	"context"
	"os"
	"strings"
	"syscall"
	"time"

	"golang.org/x/sys/unix"
)

// shell runs the commands.
const shell = "/bin/sh"

// commandResult is how a command has ended.
type commandResult struct {
	ok     bool
	reason string   // why not: "exit status 1"
	output []string // its last lines, untrusted
	ended  bool     // false if it was stopped
}

// command is a command that runs.
type command struct {
	pid    int
	result chan commandResult // gets one value
	cancel context.CancelFunc
}

// startCommand starts a command in a process of its own, which ends everything that the
// command leaves behind. The command is stopped when ctx is done. Its standard input is
// the null device.
func (t *Tree) startCommand(ctx context.Context, text string) (*command, error) {
	r, w, err := os.Pipe()
	if err != nil {
		return nil, err
	}
	pid, status, err := t.start(true, func() (int, error) {
		return forkExec(t.Command(text), []uintptr{t.null.Fd(), w.Fd(), w.Fd()},
			&syscall.SysProcAttr{Setpgid: true, Pdeathsig: syscall.SIGTERM})
	})
	w.Close()
	if err != nil {
		r.Close()
		return nil, err
	}
	ctx, cancel := context.WithCancel(ctx)
	c := &command{pid: pid, result: make(chan commandResult, 1), cancel: cancel}
	go func() {
		defer r.Close()
		defer cancel()
		var out tail
		done := out.readAll(r)
		stopped := false
		var ws unix.WaitStatus
		select {
		case ws = <-status:
		case <-ctx.Done():
			stopped = true
			// The process is not reaped, or its status is in the channel and the signal
			// has no effect: the ID cannot belong to another process that is a child.
			t.signalChild(pid, unix.SIGTERM)
			select {
			case ws = <-status:
			case <-time.After(killTime):
				t.signalChild(pid, unix.SIGKILL)
				ws = <-status
			}
		}
		waitOutput(done)
		c.result <- commandResult{ok: !stopped && ws.Exited() && ws.ExitStatus() == 0, ended: !stopped, reason: statusText(ws), output: out.lines()}
	}()
	return c, nil
}

// stop stops a command and waits for its end.
func (c *command) stop() commandResult {
	c.cancel()
	return <-c.result
}

// signalChild sends a signal to a child that has not been reaped.
func (t *Tree) signalChild(pid int, sig unix.Signal) {
	t.mu.Lock()
	defer t.mu.Unlock()
	if _, ok := t.children[pid]; ok {
		_ = unix.Kill(pid, sig)
	}
}

// outputTime bounds the wait for the end of the output: another process can hold the pipe.
const outputTime = time.Second

func waitOutput(done <-chan struct{}) {
	select {
	case <-done:
	case <-time.After(outputTime):
	}
}

// runCommand runs a command to its end. It is stopped after a time.
func (t *Tree) runCommand(ctx context.Context, text string, limit time.Duration) (commandResult, error) {
	limited, cancel := context.WithTimeout(ctx, limit)
	defer cancel()
	c, err := t.startCommand(limited, text)
	if err != nil {
		return commandResult{}, err
	}
	r := <-c.result
	if !r.ended && ctx.Err() == nil {
		r.reason = "did not end within " + limit.String()
	}
	return r, nil
}

// RunCommand runs a command of the shell as the child of this process, and kills
// everything that it leaves behind. It returns the exit status: that of the command, or
// 128+n for a signal.
func RunCommand(text string) int {
	status, err := guard{
		path: shell, args: []string{"sh", "-c", text}, files: []uintptr{0, 1, 2}, kill: true,
	}.run()
	if err != nil {
		_, _ = os.Stderr.WriteString("caprun: " + strings.TrimSpace(err.Error()) + "\n")
		return 125
	}
	return status
}
