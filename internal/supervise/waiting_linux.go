package supervise

import (
	"fmt"
	"os"

	"golang.org/x/sys/unix"
)

// Waiting is a child process, a caprun that waits for the request to launch a target. Its
// caller can examine the process before the target runs, and supervises it.
type Waiting struct {
	PID     int // the process ID, which the target keeps
	channel int // -1 after Launch or Close
}

// StartWaiting starts caprun as a child with the given standard streams, in a new process
// group. argv is the target with its arguments. The kernel kills the child when the
// calling thread ends, and the target, too, unless its exec clears the parent-death
// signal: the caller must be locked to a thread that lives until the process exits.
//
// The program of the calling process must pass its arguments to RunChild if the first one
// is ChildArgument.
func StartWaiting(argv []string, stdin, stdout, stderr *os.File) (*Waiting, error) {
	child, channel, err := forkWaiting(argv, []uintptr{stdin.Fd(), stdout.Fd(), stderr.Fd()})
	if err != nil {
		if channel >= 0 {
			unix.Close(channel)
		}
		return nil, fmt.Errorf("start caprun: %w", err)
	}
	return &Waiting{PID: child, channel: channel}, nil
}

// Launch sends the request, without its Argv, and waits until the child has executed the
// target or has ended. executed is false if the launch failed: the child has then
// reported why on its standard error, and exits with the status of a failed launch.
func (w *Waiting) Launch(r Request) (executed bool, err error) {
	defer w.Close()
	r.supervisor = os.Getpid()
	if err := sendRequest(w.channel, r); err != nil {
		return false, fmt.Errorf("send the request to the child: %w", err)
	}
	for {
		n, err := unix.Read(w.channel, make([]byte, 1))
		switch {
		case err == unix.EINTR:
		case err == unix.ECONNRESET: // the child ended without reading all of the request
			return false, nil
		case err != nil:
			return false, fmt.Errorf("read from the child: %w", err)
		default:
			return n == 0, nil
		}
	}
}

// Close closes the channel. A child that has not got its request ends without a target.
func (w *Waiting) Close() {
	if w.channel >= 0 {
		unix.Close(w.channel)
		w.channel = -1
	}
}
