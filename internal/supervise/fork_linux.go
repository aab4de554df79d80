package supervise

import (
	"errors"
	"fmt"
	"os"
	"strconv"
	"syscall"

	"caprun/policy"

	"golang.org/x/sys/unix"
)

// sizeDigits is the number of digits of the size that precedes a request.
const sizeDigits = 8

// maxRequest bounds a request: a profile and its path.
const maxRequest = 2 * (policy.MaxSize + unix.PathMax)

// errNoProgram is the error if the path of caprun is unknown.
var errNoProgram = errors.New("neither /proc/self/exe nor AT_EXECFN names caprun")

// startChild starts caprun again as the child of the supervisor.
func (s *supervisor) startChild(argv []string) (channel int, err error) {
	s.child, channel, err = forkWaiting(argv, []uintptr{0, 1, 2})
	return channel, err
}

// forkWaiting starts caprun again in a new process group: otherwise the target would get
// a signal to the group of the supervisor twice. The process has the given standard
// streams, and waits for a request. forkWaiting returns its process ID and the other end
// of its channel.
func forkWaiting(argv []string, streams []uintptr) (child, channel int, err error) {
	pair, err := unix.Socketpair(unix.AF_UNIX, unix.SOCK_STREAM|unix.SOCK_CLOEXEC, 0)
	if err != nil {
		return 0, -1, err
	}
	if pair[0] <= 2 || pair[1] <= 2 {
		return 0, -1, fmt.Errorf("socketpair: descriptors %d and %d are not new", pair[0], pair[1])
	}
	defer unix.Close(pair[1])
	if _, err := unix.FcntlInt(uintptr(pair[1]), unix.F_SETFD, 0); err != nil {
		return 0, -1, err
	}
	args := append([]string{"caprun", ChildArgument, strconv.Itoa(pair[1])}, argv...)
	attr := &syscall.ProcAttr{
		Env:   os.Environ(),
		Files: streams,
		// Changes of credentials clear the signal; the child sets it again afterwards.
		Sys: &syscall.SysProcAttr{Setpgid: true, Pdeathsig: syscall.SIGKILL},
	}
	err = errNoProgram
	if hasProcFS() {
		child, err = syscall.ForkExec("/proc/self/exe", args, attr)
	}
	if err != nil {
		// Without /proc, the path by which caprun was executed.
		if path := executedPath(); path != "" {
			child, err = syscall.ForkExec(path, args, attr)
			if err != nil {
				err = fmt.Errorf("%q: %w", path, err)
			}
		}
	}
	return child, pair[0], err
}

// sendRequest sends the size of a request and the request to the child, and ends the
// stream.
func sendRequest(channel int, r Request) error {
	text := r.encode()
	for data := fmt.Appendf(nil, "%0*d%s", sizeDigits, len(text), text); len(data) > 0; {
		n, err := unix.SendmsgN(channel, data, nil, nil, unix.MSG_NOSIGNAL)
		if err != nil && err != unix.EINTR {
			return err
		}
		data = data[max(n, 0):]
	}
	return unix.Shutdown(channel, unix.SHUT_WR)
}

// notifyExec returns a channel that is closed when the child has executed the
// target, or has ended: its end of the socket is close-on-exec.
func notifyExec(channel int) <-chan struct{} {
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
