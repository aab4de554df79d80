package learn

import (
	"context"
	"errors"
	"slices"
	"testing"
	"time"

	"caprun/cap"
	"caprun/engine"
	"caprun/engine/cred"
	"caprun/learn/evidence"
	"caprun/learn/observe"
	"caprun/learn/run"
	"caprun/policy"
)

// fake is a program that is not run.
type fake struct {
	t      *testing.T
	target engine.Target

	// works decides about a run; n is its number, from 1.
	works func(n int, p *policy.Profile) bool

	checks   cred.Caps // that it uses in each run
	traced   bool
	execs    []observe.Exec
	ids      []run.Identity
	slow     func(n int, p *policy.Profile) bool // it reaches the time limit
	failures func(p *policy.Profile) []observe.Failure
	lost     func(n int, p *policy.Profile) uint64 // events
	took     time.Duration
	stop     func(n int) error
	alone    func(runs int) bool // whether the test succeeds without the program
	exit     string              // how the program ends by itself

	profiles []*policy.Profile
	limits   []time.Duration

	aloneLimits []time.Duration
}

var errStopped = errors.New("stopped")

func (f *fake) Run(ctx context.Context, text []byte, kind run.Kind, limit time.Duration) (Outcome, error) {
	p, found := policy.Parse("fake", text)
	if p == nil {
		f.t.Fatalf("%v in\n%s", found, text)
	}
	f.profiles, f.limits = append(f.profiles, p), append(f.limits, limit)
	n := len(f.profiles)
	if f.stop != nil {
		if err := f.stop(n); err != nil {
			return Outcome{}, err
		}
	}
	o := Outcome{Result: run.Result{Works: f.works(n, p), Kind: run.Continues, Took: f.took, Identities: f.ids}}
	if !o.Works {
		o.Reason = "broken"
	} else if f.exit != "" {
		o.Kind, o.Exit, o.ExitOK, o.Output = run.Ends, f.exit, f.exit == "exit status 0", []string{"first", "last"}
	}
	if f.slow != nil && f.slow(n, p) {
		o.Works, o.TimedOut, o.Reason = false, true, "slow"
	}
	if !f.traced {
		return o, nil
	}
	o.Recording = &observe.Recording{Symbols: true, Execs: f.execs}
	has := capsOf(p)
	for c := range f.checks.All() {
		o.Recording.Checks = append(o.Recording.Checks, observe.Check{
			Cap: c, Denied: !has.Has(c), Functions: []string{"capable"}, Call: observe.Call{Name: "bind"}, Count: 1,
		})
	}
	if f.lost != nil {
		o.Recording.Lost = f.lost(n, p)
	}
	if f.failures != nil {
		o.Recording.Failures = f.failures(p)
	}
	return o, nil
}

func (f *fake) TestAlone(ctx context.Context, limit time.Duration) (run.Result, error) {
	f.aloneLimits = append(f.aloneLimits, limit)
	if f.stop != nil {
		if err := f.stop(len(f.profiles)); err != nil {
			return run.Result{}, err
		}
	}
	return run.Result{Works: f.alone != nil && f.alone(len(f.profiles))}, nil
}

func (f *fake) Target(*policy.Profile) (engine.Target, error) { return f.target, nil }

// capsOf returns the permitted set of a profile.
func capsOf(p *policy.Profile) cred.Caps { return p.Caps.Permitted }

// needs returns a program that needs capabilities.
func needs(caps cred.Caps) func(int, *policy.Profile) bool {
	return func(_ int, p *policy.Profile) bool { return caps.SubsetOf(capsOf(p)) }
}

const (
	chown = cred.Caps(1 << cred.CHOWN)
	bind  = cred.Caps(1 << cap.NET_BIND_SERVICE)
	raw   = cred.Caps(1 << cap.NET_RAW)
	admin = cred.Caps(1 << cap.SYS_ADMIN)
)

// plain is the execution of an ordinary program.
var plain = []observe.Exec{{Path: "/bin/true", Privileged: observe.No}}

// newFake returns a traced program that needs capabilities and checks some more.
func newFake(t *testing.T, need, checks cred.Caps) *fake {
	return &fake{t: t, target: engine.OrdinaryTarget(), works: needs(need), checks: checks, traced: true, execs: plain, took: 10 * time.Millisecond}
}

// learn learns with a time limit of a minute.
func (f *fake) learn(ctx context.Context, c Config) (*Report, error) {
	c.Program, c.Timeout = []string{"/bin/fake"}, time.Minute
	if c.Caller.All == 0 {
		c.Caller = cred.Root()
	}
	r, err := Learn(ctx, f, c)
	for _, p := range []*Pass{&r.First, r.Second} {
		if p == nil {
			continue
		}
		// No report causes a panic, whatever is known.
		report := evidence.Judge(p.Evidence)
		// After an interruption, the capabilities can be proved and other keys not.
		if proved := p.Evidence.Search.Minimal && p.Evidence.Shown(); report.Proved != proved || p.State == Confirmed && !proved {
			f.t.Errorf("state %v, and the evidence says proved: %v", p.State, report.Proved)
		}
		if p.State == Confirmed && report.Profile == "" {
			f.t.Error("a confirmed result without a profile")
		}
		if p.Found {
			learned, _ := policy.Parse("learned", []byte(report.Profile))
			if learned == nil || capsOf(learned) != p.Settings.Caps || learned.NoNewPrivs != (p.Settings.NoNewPrivs || c.Base != nil && c.Base.NoNewPrivs) {
				f.t.Errorf("the profile differs from what was found:\n%s", report.Profile)
			}
		}
	}
	return r, err
}

// result returns the first pass of a procedure that must not fail.
func (f *fake) result(c Config) *Pass {
	f.t.Helper()
	r, err := f.learn(context.Background(), c)
	if err != nil {
		f.t.Fatal(err)
	}
	return &r.First
}

// count returns how many runs a profile matches.
func (f *fake) count(match func(*policy.Profile) bool) (n int) {
	for _, p := range f.profiles {
		if match(p) {
			n++
		}
	}
	return n
}

func noRootIn(p *policy.Profile) bool {
	return p.Secbits != nil && *p.Secbits == cap.Secbits(noRoot)
}

func hasGroups(id *Identity, groups ...uint32) bool { return slices.Equal(id.Groups, groups) }
