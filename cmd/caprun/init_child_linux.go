package main

import (
	"errors"
	"fmt"
	"io"
	"os"
	"strconv"

	"caprun/engine/machine"
	"caprun/policy"

	"golang.org/x/sys/unix"
)

// sizeDigits is with how many digits the size of an order stands before it.
const sizeDigits = 8

// maxOrder bounds an order: a profile and the path of one.
const maxOrder = 2 * (policy.MaxSize + unix.PathMax)

// initChild is the child of a supervisor, which becomes the target.
func (c *Command) initChild(args []string) int {
	c.Stderr = withoutWaiting(c.Stderr)
	order, err := readOrder(args)
	if err != nil {
		return c.refuse(fmt.Errorf("%s is for caprun itself: %w", childArgument, err))
	}
	if err := takeOver(order.Parent, "LISTEN_PID", "LISTEN_PIDFDID"); err != nil {
		return c.refuse(err)
	}
	if err := takeOver(order.Parent, "WATCHDOG_PID"); err != nil {
		return c.refuse(err)
	}
	from, err := machine.Current()
	if err != nil {
		return c.refuse(fmt.Errorf("read the caller's state: %w", err))
	}
	death := machine.DeathSignal{Signal: int(unix.SIGKILL), Parent: order.Parent}
	return c.start(order, from, death, args[1:])
}

// readOrder reads the order of the supervisor. The descriptor stays open, and
// the exec closes it: that is how the supervisor hears of it.
func readOrder(args []string) (o order, err error) {
	if len(args) == 0 {
		return o, fmt.Errorf("a descriptor is missing")
	}
	fd, err := strconv.Atoi(args[0])
	if err != nil || fd <= 2 {
		return o, fmt.Errorf("%q is no descriptor above 2", args[0])
	}
	// Before anything else: with this flag it can be no descriptor of keep_fds.
	if _, err := unix.FcntlInt(uintptr(fd), unix.F_SETFD, unix.FD_CLOEXEC); err != nil {
		return o, fmt.Errorf("descriptor %d: %w", fd, err)
	}
	size := make([]byte, sizeDigits)
	if _, err = io.ReadFull(rawReader(fd), size); err == nil {
		// Without a number there is nothing to read, and that is no order.
		n, _ := strconv.ParseUint(string(size), 10, 64)
		data := make([]byte, min(n, maxOrder))
		if _, err = io.ReadFull(rawReader(fd), data); err == nil {
			o, err = decodeOrder(data)
		}
	}
	if errors.Is(err, io.EOF) || errors.Is(err, io.ErrUnexpectedEOF) {
		err = errOrder
	}
	if err != nil {
		return o, fmt.Errorf("what to start, from descriptor %d: %w", fd, err)
	}
	return o, nil
}

// rawReader reads a descriptor without the runtime's poller, which needs some
// of its own.
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

// takeOver puts the own pid into a variable that has the supervisor's, as
// whoever started it could not know that the target would be another process:
// sd_listen_fds(3), sd_watchdog_enabled(3). Variables that say the same in
// another way are removed.
func takeOver(supervisor int, name string, others ...string) error {
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
