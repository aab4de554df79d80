package run

import (
	"context"
	"fmt"
	"time"
)

// TestAlone runs the reset command, and then the test once, without the program: a test
// that succeeds then shows nothing about it. The test is stopped after limit, and has then not
// succeeded. The result has Works, Reason, TimedOut and Took.
//
// The error is that of ctx if it was done, a *ResetError, or about this process or the
// system.
func (t *Tree) TestAlone(ctx context.Context, p Program, limit time.Duration) (Result, error) {
	if err := t.reset(ctx, p); err != nil {
		return Result{}, err
	}
	began := time.Now()
	c, err := t.runCommand(ctx, p.Test, limit)
	switch {
	case err != nil:
		return Result{}, fmt.Errorf("start the test: %w", err)
	case ctx.Err() != nil:
		return Result{}, ctx.Err()
	}
	r := Result{Works: c.ok, TimedOut: !c.ended, Took: time.Since(began)}
	if !r.Works {
		r.Reason = testText(c)
	}
	return r, nil
}
