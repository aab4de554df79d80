package run

import (
	"cmp"
	"context"
	"errors"
	"fmt"
	"os"
	"slices"
	"time"

	"golang.org/x/sys/unix"
)

const (
	lookPause = 20 * time.Millisecond // between two looks at the processes of the program

	// The test is repeated with pauses that grow: a program is often ready soon, and a
	// test can be expensive.
	firstPause, lastPause = 20 * time.Millisecond, 250 * time.Millisecond

	// watchTime is how long the first run waits after the test has succeeded, to learn
	// whether the program ends by itself.
	watchTime = time.Second

	// grace is how long a program may take to end after SIGTERM; shortGrace after an
	// interruption.
	grace, shortGrace = 5 * time.Second, time.Second

	// maxIdentities bounds the IDs in a result.
	maxIdentities = 16
)

// Run runs the program once: the reset command, the program, the test, and the end of
// everything that the program started. kind is that of an earlier result, or Unknown.
//
// The error is that of ctx if it was done, a *ResetError or a *RefusedError, or about
// this process or the system. A program that does not work is not an error. The
// goroutine must be locked to a thread that lives as long as the process.
func (t *Tree) Run(ctx context.Context, p Program, kind Kind) (Result, error) {
	if err := t.reset(ctx, p); err != nil {
		return Result{}, err
	}
	s := &trial{Tree: t, program: p, result: Result{Kind: kind}}
	err := s.start()
	if err == nil {
		err = s.decide(ctx)
	}
	// Also after an error: nothing may be left.
	return s.result, errors.Join(err, s.end(ctx))
}

// reset runs the reset command.
func (t *Tree) reset(ctx context.Context, p Program) error {
	if p.Reset == "" {
		return ctx.Err()
	}
	r, err := t.runCommand(ctx, p.Reset, cmp.Or(p.ResetTimeout, p.Timeout))
	switch {
	case err != nil:
		return fmt.Errorf("start the reset command: %w", err)
	case ctx.Err() != nil:
		return ctx.Err()
	case !r.ok:
		return &ResetError{r.reason, r.output}
	}
	return nil
}

// trial is one run of the program.
type trial struct {
	*Tree
	program Program
	result  Result
	began   time.Time

	exited <-chan unix.WaitStatus // of the first process; nil after it was received
	status unix.WaitStatus
	gone   bool // the first process has ended
	ended  bool // the last process has ended, too

	output     tail
	outputDone <-chan struct{}
	stopRecord func() error
}

// start starts the program.
func (s *trial) start() error {
	r, w, err := os.Pipe()
	if err != nil {
		return err
	}
	var child Child
	_, s.exited, err = s.Tree.start(false, func() (int, error) {
		child, err = s.program.Start(Streams{s.null, w, w})
		return child.PID, err
	})
	w.Close()
	if err != nil {
		r.Close()
		return err
	}
	s.outputDone = s.output.readAll(r)
	if s.program.Record != nil {
		if s.stopRecord, err = s.program.Record(child.PID); err != nil {
			child.Close()
			return err
		}
	}
	s.began = time.Now()
	executed, err := child.Launch()
	if err != nil {
		return err
	}
	if !executed {
		select {
		case s.status = <-s.exited:
			s.gone = true
		case <-time.After(killTime):
		}
		waitOutput(s.outputDone)
		return &RefusedError{s.status.ExitStatus(), s.output.lines()}
	}
	return nil
}

// errDecided ends decide; the result has been set.
var errDecided = errors.New("decided")

// decide finds out whether the program works.
func (s *trial) decide(ctx context.Context) error {
	limited, cancel := context.WithTimeout(ctx, s.program.Timeout)
	defer cancel()
	var err error
	if s.program.Test == "" {
		err = s.waitForStatus(limited)
	} else {
		err = s.testWhileRunning(limited)
	}
	if s.result.Took == 0 {
		s.result.Took = time.Since(s.began)
	}
	// Not what the program prints when it is stopped.
	if s.gone {
		s.waitOutputShort()
	}
	s.result.Output = s.output.lines()
	switch {
	case ctx.Err() != nil:
		return ctx.Err()
	case errors.Is(err, context.DeadlineExceeded):
		s.result.TimedOut = true
		return nil
	case errors.Is(err, errDecided):
		return nil
	}
	return err
}

// lateOutput is how long the last output of a process that has ended may take to arrive;
// its descendants can hold the pipe.
const lateOutput = 50 * time.Millisecond

func (s *trial) waitOutputShort() {
	select {
	case <-s.outputDone:
	case <-time.After(lateOutput):
	}
}

// fail sets the result of a program that does not work.
func (s *trial) fail(reason string) error {
	s.result.Works, s.result.Reason = false, reason
	return errDecided
}

// works sets the result of a program that works.
func (s *trial) works(kind Kind) error {
	s.result.Works, s.result.Reason, s.result.Kind = true, "", kind
	return errDecided
}

// look waits for a while, or until the first process has ended, and then looks at the
// processes.
func (s *trial) look(ctx context.Context, pause time.Duration) error {
	select {
	case <-ctx.Done():
		return ctx.Err()
	case s.status = <-s.exited:
		s.exited, s.gone = nil, true
	case <-time.After(pause):
	}
	processes, err := s.Tree.program()
	if err != nil {
		return err
	}
	if s.gone {
		left, err := s.programLeft()
		if err != nil {
			return err
		}
		s.ended = !left
	}
	for _, p := range processes {
		// A process can end meanwhile.
		if id, err := p.identity(); err == nil {
			s.addIdentity(id)
		}
	}
	return nil
}

// addIdentity appends an identity to the result, unless it was seen before.
func (s *trial) addIdentity(id Identity) {
	list := &s.result.Identities
	if !slices.ContainsFunc(*list, id.Equal) && len(*list) < maxIdentities {
		*list = append(*list, id)
	}
}

// waitForStatus decides by the exit status of the first process.
func (s *trial) waitForStatus(ctx context.Context) error {
	s.result.Reason = "did not end within " + s.program.Timeout.String()
	for !s.gone {
		if err := s.look(ctx, lookPause); err != nil {
			return err
		}
	}
	if s.status.Exited() && s.status.ExitStatus() == 0 {
		return s.works(Ends)
	}
	return s.fail(statusText(s.status))
}

// lastTest runs the test once, after the end of the program.
func (s *trial) lastTest(ctx context.Context) error {
	s.result.Reason = "the test did not end within " + s.program.Timeout.String()
	c, err := s.startCommand(ctx, s.program.Test)
	if err != nil {
		return err
	}
	r := <-c.result
	switch {
	case !r.ended:
		return ctx.Err()
	case r.ok:
		s.result.Exit, s.result.ExitOK = statusText(s.status), s.status.Exited() && s.status.ExitStatus() == 0
		return s.works(Ends)
	}
	return s.fail(fmt.Sprintf("ended with %s; the test: %s", statusText(s.status), testText(r)))
}

// testWhileRunning repeats the test until it succeeds or the last process has ended. The
// first run finds out whether the program ends by itself. If it does, the test after its
// end decides; those before can be what the program waits for.
func (s *trial) testWhileRunning(ctx context.Context) error {
	s.result.Reason = "the test did not succeed within " + s.program.Timeout.String()
	pause := firstPause
	for {
		works, err := s.testOnce(ctx)
		if err != nil {
			return err
		}
		if works {
			return s.settle(ctx)
		}
		for wait := pause; wait > 0 && !s.ended; wait -= lookPause {
			if err := s.look(ctx, lookPause); err != nil {
				return err
			}
		}
		if s.ended {
			return s.endedBeforeTest(ctx)
		}
		pause = min(pause*3/2, lastPause)
	}
}

// endedBeforeTest decides about a program that has ended before the test succeeded.
func (s *trial) endedBeforeTest(ctx context.Context) error {
	if s.result.Kind != Continues {
		return s.lastTest(ctx)
	}
	return s.fail(fmt.Sprintf("ended with %s", statusText(s.status)))
}

// testOnce runs the test while the program runs. It stops the test when the program ends.
func (s *trial) testOnce(ctx context.Context) (works bool, err error) {
	c, err := s.startCommand(ctx, s.program.Test)
	if err != nil {
		return false, err
	}
	for {
		select {
		case r := <-c.result:
			if r.ended && !r.ok {
				s.result.Reason = fmt.Sprintf("the test did not succeed within %v: %s", s.program.Timeout, testText(r))
			}
			return r.ok, ctx.Err()
		default:
		}
		if err := s.look(ctx, lookPause); err != nil || s.ended {
			r := c.stop()
			// The test may have succeeded just before.
			return r.ok, err
		}
	}
}

// settle decides about a program whose test has succeeded: it must continue to run, or end
// if it ends by itself.
func (s *trial) settle(ctx context.Context) error {
	wait := s.program.Settle
	switch s.result.Kind {
	case Unknown:
		s.result.Took = time.Since(s.began)
		wait = max(wait, watchTime)
	case Continues:
		s.result.Took = time.Since(s.began)
	case Ends:
		s.result.Reason = "did not end within " + s.program.Timeout.String()
		wait = s.program.Timeout // that of ctx is shorter
	}
	for end := time.Now().Add(wait); ; {
		if err := s.look(ctx, min(lookPause, max(0, time.Until(end)))); err != nil {
			return err
		}
		switch {
		case s.ended && s.result.Kind != Continues:
			// The test may have succeeded too early.
			s.result.Took = 0
			return s.lastTest(ctx)
		case s.ended:
			return s.fail(fmt.Sprintf("ended with %s after the test had succeeded", statusText(s.status)))
		case !time.Now().Before(end):
			return s.works(Continues)
		}
	}
}

// testText describes a failed test.
func testText(r commandResult) string {
	if len(r.output) == 0 {
		return r.reason
	}
	return r.reason + ": " + r.output[len(r.output)-1]
}

// end ends the program, and stops the recording.
func (s *trial) end(ctx context.Context) error {
	limit := grace
	if ctx.Err() != nil {
		limit = shortGrace
	}
	killed, err := terminate(limit, s.programLeft, s.roots()...)
	s.result.Killed = killed
	if s.outputDone != nil {
		waitOutput(s.outputDone)
	}
	if s.stopRecord != nil {
		err = errors.Join(err, s.stopRecord())
	}
	return err
}
