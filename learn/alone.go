package learn

import (
	"context"
	"errors"
	"time"

	"caprun/learn/run"
)

// aloneTime bounds the test without the program before the first run. Most tests then fail
// at once; one that waits for the program would wait for the whole time limit of a run.
const aloneTime = 10 * time.Second

// checkTest runs the test once before the first run, without the program. The error says
// that it succeeds: whatever the program did, each run would count as one that works.
func (l *learner) checkTest(ctx context.Context) error {
	works, err := l.testAlone(ctx, min(l.config.Timeout, aloneTime))
	l.Evidence.TestAlone = works
	switch {
	case err != nil || !works:
		return err
	case l.config.Reset != "":
		return errors.New("the test succeeds without the program, after the reset command; stop what answers it, pass a -reset command that removes what an earlier run left, or pass a test that fails without the program")
	}
	return errors.New("the test succeeds without the program; stop what answers it, or pass a test that fails without the program; if an earlier run left what it checks, remove that with -reset")
}

// testAgain runs the test without the program after the program has worked without any
// capability: a run can have left what the test checks. A slow test needs the whole time
// limit, which the runs had, too.
func (l *learner) testAgain(ctx context.Context) (err error) {
	l.Evidence.TestAlone, err = l.testAlone(ctx, l.config.Timeout)
	return err
}

// testAlone runs the test without the program, and reports whether it succeeds within
// limit. If the exit status of the program is the test, it does not.
func (l *learner) testAlone(ctx context.Context, limit time.Duration) (works bool, err error) {
	if l.config.Test == "" {
		return false, nil
	}
	var r run.Result
	if r, err = l.machine.TestAlone(ctx, limit); err == nil {
		// A test that was stopped shows nothing.
		err = ctx.Err()
	}
	if err != nil {
		return false, err
	}
	if l.config.TestedAlone != nil {
		l.config.TestedAlone(r)
	}
	return r.Works, nil
}
