package learn

import (
	"context"
	"errors"
	"fmt"

	"caprun/engine"
	"caprun/engine/cred"
	"caprun/learn/classify"
	"caprun/learn/evidence"
	"caprun/learn/observe"
	"caprun/learn/search"
)

// noRoot is what the key noroot sets.
const noRoot = cred.SecNoRoot | cred.SecNoRootLocked

// harden tries no_new_privs and noroot with the capabilities of the result. What makes no
// difference becomes part of it, and the result is then confirmed again.
func (l *learner) harden(ctx context.Context) error {
	p := l.Pass
	// A result without its last runs is not confirmed.
	p.State = Unconfirmed
	p.Evidence.Executed = classify.Programs(l.Reference.Recording).Merge(classify.Programs(l.Final.Recording))
	found := p.Settings
	for _, h := range []struct {
		key    string
		result *evidence.Attempt
		set    func(*evidence.Settings)
	}{
		{"no_new_privs", &p.Evidence.NoNewPrivs, func(x *evidence.Settings) { x.NoNewPrivs = true }},
		{"noroot", &p.Evidence.NoRoot, func(x *evidence.Settings) { x.NoRoot = true }},
	} {
		x := p.Settings
		h.set(&x)
		tried, err := l.tryHardening(ctx, h.key, x)
		if err != nil {
			return err
		}
		*h.result = tried.Result
		p.Hardening = append(p.Hardening, tried)
		if tried.Result == evidence.Passed {
			p.Settings = x
		}
	}
	if p.Settings != found {
		for range search.Confirmations {
			o, err := l.runFor(ctx, "the result, again", p.Settings, l.config.Timeout)
			if err != nil {
				return err
			}
			if !o.Works {
				l.withdraw(found, "the program worked with it, and then did not: "+o.Why())
				break
			}
		}
	}
	p.State = Confirmed
	return nil
}

// withdraw removes all keys that were added.
func (l *learner) withdraw(found evidence.Settings, why string) {
	p := l.Pass
	p.Settings = found
	for n, h := range p.Hardening {
		if h.Result == evidence.Passed {
			p.Hardening[n].Result, p.Hardening[n].Why = evidence.Failed, why
		}
	}
	for _, result := range []*evidence.Attempt{&p.Evidence.NoNewPrivs, &p.Evidence.NoRoot} {
		if *result == evidence.Passed {
			*result = evidence.Failed
		}
	}
}

// tryHardening tries one key.
func (l *learner) tryHardening(ctx context.Context, key string, x evidence.Settings) (Hardening, error) {
	h := Hardening{Key: key}
	if present, why := l.present(key); present {
		h.Result, h.Why = evidence.InBase, why
		return h, nil
	}
	const files = "files that are set-user-ID or set-group-ID or have file capabilities"
	switch l.Evidence.Executed.Privileged {
	case observe.Yes:
		h.Why = "the program executes " + files
		return h, nil
	case observe.Unknown:
		h.Why = "it is unknown whether the program executes " + files
		return h, nil
	}
	_, err := l.Base.Text(x)
	var none *engine.NoPlanError
	switch {
	case errors.As(err, &none):
		h.Why = "caprun refuses the launch: " + none.Diagnostics[0].Message
		return h, nil
	case err != nil:
		h.Why = err.Error()
		return h, nil
	}
	o, err := l.runFor(ctx, "with "+key, x, l.config.Timeout)
	if err != nil {
		return h, err
	}
	h.Result = evidence.Failed
	if !o.Works {
		h.Why = "the program does not work: " + o.Why()
		return h, nil
	}
	if failed, is := l.newFailure(o.Recording); is {
		h.Why = fmt.Sprintf("the program works, but a call fails: %s(%s)", failed.Name, failed.Args)
		return h, nil
	}
	if o.Recording != nil && o.Recording.Lost > 0 {
		l.Evidence.HardeningLost = true
		h.Result = evidence.NotTried
		h.Why = fmt.Sprintf("the program works, but %d events of this run were lost: it is unknown whether a call fails", o.Recording.Lost)
		return h, nil
	}
	h.Result = evidence.Passed
	return h, nil
}

// newFailure returns a call that fails in a run, and neither in the reference run nor in
// the last one that worked. Arguments are not compared: they are not always known.
func (l *learner) newFailure(r *observe.Recording) (call observe.Call, is bool) {
	type failure struct {
		name  string
		errno int
	}
	known := map[failure]bool{}
	for _, earlier := range []*observe.Recording{l.Reference.Recording, l.Final.Recording} {
		if earlier != nil {
			for _, f := range earlier.Failures {
				known[failure{f.Call.Name, f.Errno}] = true
			}
		}
	}
	if r != nil {
		for _, f := range r.Failures {
			if !known[failure{f.Call.Name, f.Errno}] {
				return f.Call, true
			}
		}
	}
	return call, false
}

// present reports whether every run had the key, because of the base profile or the
// caller, and why.
func (l *learner) present(key string) (present bool, why string) {
	profile, err := l.Base.Compose(l.Settings)
	if err != nil {
		return false, ""
	}
	plan, _ := engine.Compile(profile, l.Base.Caller, l.Base.Target)
	if plan == nil {
		return false, ""
	}
	after := plan.AfterExec
	if key == "no_new_privs" {
		return after.NoNewPrivs, "the base profile or the caller sets it"
	}
	return after.Securebits.Has(noRoot), "the base profile or the caller sets it"
}
