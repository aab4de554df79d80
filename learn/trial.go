package learn

import (
	"context"
	"errors"
	"fmt"
	"time"

	"caprun/engine"
	"caprun/engine/cred"
	"caprun/learn/classify"
	"caprun/learn/evidence"
	"caprun/learn/run"
	"caprun/learn/search"
)

// run runs the program once, with the limit of a program that works.
func (l *learner) run(ctx context.Context, purpose string, x evidence.Settings) (Outcome, error) {
	return l.runFor(ctx, purpose, x, l.limit)
}

// runFor runs the program once.
func (l *learner) runFor(ctx context.Context, purpose string, x evidence.Settings, limit time.Duration) (Outcome, error) {
	l.number++
	step := Step{Number: l.number, Purpose: purpose, Settings: x, Identity: l.Identity, Reference: l.Kind == run.Unknown}
	text, err := l.Base.Text(x)
	var none *engine.NoPlanError
	switch {
	case err == nil:
		step.Outcome, err = l.machine.Run(ctx, text, l.Kind, limit)
		if err == nil {
			// A run that was stopped shows nothing.
			err = ctx.Err()
		}
	case errors.As(err, &none) && x.Caps != l.Allowed:
		// The reference run was not refused, so this one is because of its capabilities:
		// the kernel refuses to execute a file without some of its file capabilities.
		step.Outcome, err = Outcome{
			Result: run.Result{Reason: "caprun refuses the launch: " + none.Diagnostics[0].Message}, Refused: true,
		}, nil
	}
	if err != nil {
		return Outcome{}, err
	}
	if l.config.Ended != nil {
		l.config.Ended(step)
	}
	return step.Outcome, nil
}

// search finds the capabilities.
func (l *learner) search(ctx context.Context) error {
	p := l.Pass
	in := &p.Evidence
	uses := in.Reference.Uses
	var doing search.Trial
	f := func(ctx context.Context, set cred.Caps) (search.Outcome, error) {
		o, err := l.try(ctx, doing, set)
		if err != nil {
			return search.Outcome{}, err
		}
		if o.Works {
			p.Final = o
		}
		r := evidence.NewRun(o.Why(), o.Recording, in.Baseline)
		r.Number = l.number
		in.Runs[doing.Run] = r
		outcome := search.Outcome{Works: o.Works, Denied: r.Uses.Denied()}
		if o.Refused {
			outcome.Denied = p.fileCaps().Minus(set)
		}
		return outcome, nil
	}
	options := []search.Option{
		search.WithKnown(p.Allowed, search.Outcome{Works: true, Denied: uses.Denied()}),
		search.WithProgress(func(t search.Trial) { doing = t }, nil),
	}
	guess := search.Guess{Strong: uses.Strong(), Weak: uses.Weak(), All: p.Allowed}
	var err error
	in.Search, err = search.Minimize(ctx, f, guess, options...)
	if err == nil && in.Search.NoneWorks && !in.Search.Unstable {
		err = l.testAgain(ctx)
	}
	switch {
	case err != nil:
	case !in.Search.Minimal:
		p.State = Unstable
	case in.Shown():
		p.State = Confirmed
	}
	return err
}

// try makes one run of the search.
func (l *learner) try(ctx context.Context, t search.Trial, set cred.Caps) (Outcome, error) {
	x := evidence.Settings{Caps: set}
	o, err := l.run(ctx, purposeText(t), x)
	if err != nil || !l.isDoubtful(t, o) {
		if o.Works {
			l.harmless |= classify.Summarize(o.Recording).Denied()
		}
		return o, err
	}
	return l.runFor(ctx, purposeText(t)+", with the whole time limit", x, l.config.Timeout)
}

// isDoubtful reports whether a run failed because of a shortened time limit, and neither
// its purpose nor the kernel explains that: it has denied nothing that the run lacked, or
// only what it also denied in runs that work.
func (l *learner) isDoubtful(t search.Trial, o Outcome) bool {
	if o.Works || !o.TimedOut || l.limit >= l.config.Timeout {
		return false
	}
	switch t.Purpose {
	case search.Control, search.Repeat:
		return false // nothing follows from it alone
	case search.RemoveMany:
		if o.Recording == nil {
			return false // each capability is left out later
		}
	}
	return classify.Summarize(o.Recording).Denied().Minus(t.Set).Minus(l.harmless) == 0
}

// fewNames is how many capabilities are named in the text about one run.
const fewNames = 4

// purposeText describes a run of the search.
func purposeText(t search.Trial) string {
	switch t.Purpose {
	case search.Control:
		return "no capability"
	case search.RemoveOne, search.RemoveMany:
		if n := t.Without.Len(); n > fewNames {
			return fmt.Sprintf("without %d of %d capabilities", n, n+t.Set.Len())
		}
		return "without " + t.Without.Join()
	case search.Repeat:
		return "without " + t.Without.Join() + ", again"
	case search.Replace:
		return fmt.Sprintf("%s instead of %s", t.With.Join(), t.Without.Join())
	case search.Confirm:
		return "the result, again"
	case search.TryAll:
		return "every allowed capability"
	}
	return "only " + t.Set.Join()
}
