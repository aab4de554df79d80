package run

import (
	"errors"
	"fmt"
	"strings"
	"time"

	"golang.org/x/sys/unix"
)

const (
	killTime  = 10 * time.Second      // bounds how long killed processes may take to end
	scanPause = 10 * time.Millisecond // between two looks at the processes
)

// killAll kills the processes below this one, except those in the trees of without, until
// none is left. isLeft reaps children that have ended, and reports whether one of these
// processes is left. The error names those that still run.
func killAll(isLeft func() (bool, error), without ...int) error {
	var last error
	var left []process
	for end := time.Now().Add(killTime); time.Now().Before(end); {
		if some, err := isLeft(); err != nil || !some {
			return err
		}
		if left, last = descendants(without...); last != nil {
			return last
		}
		for _, p := range left {
			last = errors.Join(last, p.signal(unix.SIGKILL))
		}
		time.Sleep(scanPause)
	}
	var names []string
	for _, p := range left[:min(len(left), 5)] {
		names = append(names, fmt.Sprintf("%d (%q)", p.pid, p.name))
	}
	err := fmt.Errorf("%d processes still run: %s", len(left), strings.Join(names, ", "))
	return errors.Join(err, last)
}

// terminate sends SIGTERM to the processes below this one, except those in the trees of
// without, waits for their end, and kills those that are left after a time. It returns
// how many it killed. A program may need a signal twice: its first one can come before a
// new process has its handler. So each process that is new gets one, too.
func terminate(grace time.Duration, isLeft func() (bool, error), without ...int) (killed int, err error) {
	type key struct {
		pid   int
		start uint64
	}
	sent := map[key]bool{}
	for end := time.Now().Add(grace); ; time.Sleep(scanPause) {
		if some, err := isLeft(); err != nil || !some {
			return 0, err
		}
		left, err := descendants(without...)
		if err != nil {
			return 0, err
		}
		if !time.Now().Before(end) {
			return len(left), killAll(isLeft, without...)
		}
		for _, p := range left {
			if sent[key{p.pid, p.start}] {
				continue
			}
			sent[key{p.pid, p.start}] = true
			// A stopped process handles SIGTERM when it continues. What cannot be sent
			// is reported by killAll.
			_ = p.signal(unix.SIGTERM)
			_ = p.signal(unix.SIGCONT)
		}
	}
}
