package learn

import (
	"context"
	"time"

	"caprun/cap"
	"caprun/engine"
	"caprun/engine/cred"
	"caprun/engine/machine"
	"caprun/learn/classify"
	"caprun/learn/evidence"
	"caprun/learn/run"
	"caprun/policy"
)

// Machine runs the program.
type Machine interface {
	// Run runs the program once under a profile. limit bounds the run. The error ends
	// the procedure.
	Run(ctx context.Context, profile []byte, kind run.Kind, limit time.Duration) (Outcome, error)

	// TestAlone runs the reset command and then the test, without the program. limit bounds
	// the test; one that it stops has not succeeded. The error ends the procedure.
	TestAlone(ctx context.Context, limit time.Duration) (run.Result, error)

	// Target returns what a plan of a launch under a profile depends on. Its error is
	// that of a launch.
	Target(p *policy.Profile) (engine.Target, error)
}

// ProfileName is the name of the profile in messages if there is no base profile.
const ProfileName = "learned profile"

// Config is what to learn.
type Config struct {
	Program     []string
	Test, Reset string
	Timeout     time.Duration // of a run

	Base   *policy.Profile // nil for none
	Caller cred.Cred

	// Untraced is the reason why the runs are not recorded; empty if they are.
	Untraced string

	// As is the identity of the second pass. If it is nil, there is one only if Auto is
	// set and the program changes to one user by itself.
	As   *Identity
	Auto bool

	// Ended is called after each run, and TestedAlone after each test without the program;
	// they may be nil.
	Ended       func(Step)
	TestedAlone func(run.Result)
}

// Learn runs the program until its least privilege is known. The report is never nil; the
// error says why the procedure ended early: that of ctx, of a launch, or of a run.
func Learn(ctx context.Context, m Machine, c Config) (*Report, error) {
	r := &Report{}
	l := &learner{config: c, machine: m}
	base := c.Base
	if base == nil {
		base = &policy.Profile{File: ProfileName}
	}
	err := l.pass(ctx, &r.First, evidence.Base{Profile: base, Caller: c.Caller})
	if id, ok := classify.OnlyIdentity(r.First.changes()); ok {
		r.Change = &Identity{UID: id.UID, GID: id.GID, Groups: id.Groups}
	}
	as := c.As
	if as == nil && c.Auto {
		as = r.Change
	}
	if err != nil || as == nil || r.First.State == DoesNotWork {
		return r, err
	}
	r.Second, r.Named = &Pass{Identity: as}, c.As != nil
	err = l.pass(ctx, r.Second, as.base(r.First.Base))
	if c.As == nil && err != nil && ctx.Err() == nil {
		// The caller has not named this user: the first result is valid.
		r.SecondError, err = err, nil
	}
	return r, err
}

// learner is the state of the procedure.
type learner struct {
	config  Config
	machine Machine
	number  int
	*Pass
	limit time.Duration // of a run

	// harmless are the capabilities that the kernel denied in runs of the search that work.
	harmless cred.Caps
}

// pass does everything for one identity.
func (l *learner) pass(ctx context.Context, p *Pass, base evidence.Base) (err error) {
	began, before := time.Now(), l.number
	l.Pass, p.Base, l.limit, l.harmless = p, base, l.config.Timeout, 0
	defer func() {
		p.Took, p.Runs = time.Since(began), l.number-before
		p.Evidence.TotalRuns, p.Evidence.Took = p.Runs, p.Took
		p.Evidence.Interrupted = err != nil
	}()
	if p.Base.Target, err = l.machine.Target(p.Base.Profile); err != nil {
		return err
	}
	p.Allowed = p.Base.Allowed()
	p.Evidence = evidence.Input{
		Program: l.config.Program, Test: l.config.Test, Reset: l.config.Reset, Base: p.Base, Untraced: l.config.Untraced,
		Runs: map[int]evidence.Run{},
	}
	if err := l.describe(); err != nil {
		return err
	}
	if before == 0 {
		if err := l.checkTest(ctx); err != nil {
			return err
		}
	}
	if err := l.refer(ctx); err != nil || p.State == DoesNotWork {
		return err
	}
	err = l.search(ctx)
	p.Found, p.Settings.Caps = p.Evidence.Search.Works, p.Evidence.Search.Set
	if err == nil && p.State == Confirmed {
		err = l.harden(ctx)
	}
	return err
}

// describe fills in the identity of the program and its file capabilities.
func (l *learner) describe() error {
	p := l.Pass
	if p.fileCaps() != 0 {
		p.Evidence.FileCapabilities = fileCapsText(p.Program().File)
	}
	id := machine.TargetIdentity(p.Base.Profile, p.Base.Caller, p.Base.Target.Accounts)
	p.Evidence.UID, p.Evidence.GID = id.UID, id.GID
	profile, err := p.Base.Compose(evidence.Settings{Caps: p.Allowed})
	if err != nil {
		return err
	}
	if plan, found := engine.Compile(profile, p.Base.Caller, p.Base.Target); plan == nil {
		return &engine.NoPlanError{Diagnostics: found}
	}
	return nil
}

// fileCaps returns the capabilities that the file of the program grants.
func (p *Pass) fileCaps() cred.Caps {
	f := p.Program().File
	if !f.HasCaps || f.NoSuid {
		return 0
	}
	return f.Permitted
}

// fileCapsText returns the capabilities of a file as text, such as "cap_net_raw=ep".
func fileCapsText(f cred.File) string {
	var effective cred.Caps
	if f.Effective {
		effective = f.Permitted.Union(f.Inheritable)
	}
	return cap.SetOf(effective, f.Permitted, f.Inheritable).Text(cap.NamedCount)
}

// refer makes the reference run, twice if it fails.
func (l *learner) refer(ctx context.Context) error {
	p := l.Pass
	x := evidence.Settings{Caps: p.Allowed}
	o, err := l.run(ctx, "every allowed capability", x)
	if err == nil && !o.Works {
		p.Earlier = o
		o, err = l.run(ctx, "every allowed capability, again", x)
	}
	if err != nil {
		return err
	}
	p.Reference, p.Kind = o, o.Kind
	in := &p.Evidence
	in.Baseline = classify.NewBaseline(o.Recording)
	in.Reference = evidence.NewRun(o.Why(), o.Recording, in.Baseline)
	in.Reference.Number = l.number
	in.Executed = classify.Programs(o.Recording)
	in.Identities = p.changes()
	if o.Works && o.Exit != "" {
		in.Ended = &evidence.Exit{Status: o.Exit, Failed: !o.ExitOK}
		if n := len(o.Output); n > 0 {
			in.Ended.Output = o.Output[n-1]
		}
	}
	if !o.Works {
		p.State = DoesNotWork
	}
	l.limit = limitAfter(o.Took, l.config.Timeout)
	return nil
}

const (
	// shortest is the shortest limit of a run, for programs that are ready at once.
	shortest = 2 * time.Second

	// slower is how much longer than the reference run another one may take.
	slower = 4
)

// limitAfter returns the time limit of a run after a reference run that took a time.
func limitAfter(took, most time.Duration) time.Duration {
	return min(most, max(shortest, slower*took)).Round(100 * time.Millisecond)
}
