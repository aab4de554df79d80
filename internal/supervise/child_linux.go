package supervise

import (
	"errors"
	"fmt"
	"io"
	"os"
	"strconv"

	"caprun/engine/machine"
	"caprun/internal/render"

	"golang.org/x/sys/unix"
)

// RunChild carries out the request of the supervisor that started this process with
// ChildArgument; args are the arguments after it. It returns the exit status if the
// launch failed.
func RunChild(env *render.Env, args []string) int {
	r, err := readRequest(args)
	if err != nil {
		return Refuse(env, fmt.Errorf("%s is reserved for caprun -init: %w", ChildArgument, err))
	}
	if err := rewritePIDVariable(r.supervisor, "LISTEN_PID", "LISTEN_PIDFDID"); err != nil {
		return Refuse(env, err)
	}
	if err := rewritePIDVariable(r.supervisor, "WATCHDOG_PID"); err != nil {
		return Refuse(env, err)
	}
	if r.From, err = machine.CurrentCred(); err != nil {
		return Refuse(env, fmt.Errorf("read the caller's state: %w", err))
	}
	r.Death = machine.DeathSignal{Signal: int(unix.SIGKILL), Parent: r.supervisor}
	status := r.Start(env)
	reportNotStarted(args[0])
	return status
}

// reportNotStarted sends one byte to the process that sent the request: the end of the
// stream alone would mean that the target was executed. A supervisor ignores it.
func reportNotStarted(descriptor string) {
	if fd, err := strconv.Atoi(descriptor); err == nil {
		_ = unix.Sendto(fd, []byte{0}, unix.MSG_NOSIGNAL|unix.MSG_DONTWAIT, nil)
	}
}

// readRequest reads the request of the supervisor; args are those of RunChild. The
// descriptor stays open: the exec closes it, which tells the supervisor that the target
// runs.
func readRequest(args []string) (r Request, err error) {
	if len(args) == 0 {
		return r, fmt.Errorf("missing descriptor")
	}
	fd, err := strconv.Atoi(args[0])
	if err != nil || fd <= 2 {
		return r, fmt.Errorf("invalid descriptor %q: want a number above 2", args[0])
	}
	// First, because keep_fds cannot pass on a descriptor with this flag.
	if _, err := unix.FcntlInt(uintptr(fd), unix.F_SETFD, unix.FD_CLOEXEC); err != nil {
		return r, fmt.Errorf("descriptor %d: %w", fd, err)
	}
	size := make([]byte, sizeDigits)
	if _, err = io.ReadFull(rawReader(fd), size); err == nil {
		// Zero bytes, as for an invalid number, are not a valid request.
		n, _ := strconv.ParseUint(string(size), 10, 64)
		data := make([]byte, min(n, maxRequest))
		if _, err = io.ReadFull(rawReader(fd), data); err == nil {
			r, err = decodeRequest(data)
		}
	}
	if errors.Is(err, io.EOF) || errors.Is(err, io.ErrUnexpectedEOF) {
		err = errRequest
	}
	if err != nil {
		return r, fmt.Errorf("read the request from descriptor %d: %w", fd, err)
	}
	r.Argv = args[1:]
	return r, nil
}

// rawReader reads a descriptor without the poller of the Go runtime, which opens other
// descriptors.
type rawReader int

func (r rawReader) Read(p []byte) (int, error) {
	for {
		n, err := unix.Read(int(r), p)
		switch {
		case err == unix.EINTR:
			continue
		case err != nil:
			return 0, err
		case n == 0 && len(p) > 0:
			return 0, io.EOF
		}
		return n, nil
	}
}

// rewritePIDVariable replaces the process ID of the supervisor by that of this process
// in a variable: a service manager sets it for the process that it starts,
// sd_listen_fds(3) and sd_watchdog_enabled(3). It then removes the variables others,
// which identify the same process in another way.
func rewritePIDVariable(supervisor int, name string, others ...string) error {
	if os.Getenv(name) != strconv.Itoa(supervisor) {
		return nil
	}
	for _, other := range others {
		if err := os.Unsetenv(other); err != nil {
			return err
		}
	}
	return os.Setenv(name, strconv.Itoa(os.Getpid()))
}
