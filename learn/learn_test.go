package learn

import (
	"context"
	"errors"
	"slices"
	"strings"
	"testing"
	"time"

	"caprun/engine/compare"
	"caprun/engine/cred"
	"caprun/engine/machine"
	"caprun/learn/evidence"
	"caprun/learn/observe"
	"caprun/learn/run"
	"caprun/policy"
)

// TestLearn: the result is what the program needs, with everything that makes no difference,
// and was confirmed with it.
func TestLearn(t *testing.T) {
	f := newFake(t, bind|raw, bind|raw|chown|admin)
	p := f.result(Config{})
	want := evidence.Settings{Caps: bind | raw, NoNewPrivs: true, NoRoot: true}
	if p.State != Confirmed || p.Settings != want || p.Runs != len(f.profiles) || p.Kind != run.Continues {
		t.Errorf("%v %+v, %d runs", p.State, p.Settings, p.Runs)
	}
	for _, last := range f.profiles[len(f.profiles)-2:] {
		if capsOf(last) != want.Caps || !last.NoNewPrivs || !noRootIn(last) {
			t.Errorf("the result was not confirmed: %+v", last)
		}
	}
	if f.limits[0] != time.Minute || f.limits[1] != shortest {
		t.Errorf("limits %v", f.limits)
	}
	// Without tracing: the same capabilities. Whether the program executes privileged files
	// is unknown, so nothing is added.
	f = newFake(t, bind|raw, 0)
	f.traced = false
	p = f.result(Config{Untraced: "-no-trace"})
	if want := (evidence.Settings{Caps: bind | raw}); p.State != Confirmed || p.Settings != want {
		t.Errorf("without tracing: %v %+v", p.State, p.Settings)
	}
	for _, h := range p.Hardening {
		if h.Result != evidence.NotTried || !strings.Contains(h.Why, "unknown") {
			t.Errorf("%+v", h)
		}
	}
}

// TestNothingNeeded: a test that is always true.
func TestNothingNeeded(t *testing.T) {
	p := newFake(t, 0, bind).result(Config{})
	if p.State != Confirmed || p.Settings.Caps != 0 || !p.Evidence.Search.NoneWorks {
		t.Errorf("%v %+v", p.State, p.Settings)
	}
}

// TestReference: the reference run is repeated once, and only if it fails.
func TestReference(t *testing.T) {
	f := newFake(t, 0, 0)
	f.works = func(n int, p *policy.Profile) bool { return false }
	p := f.result(Config{})
	if p.State != DoesNotWork || p.Found || len(f.profiles) != 2 || p.Reference.Reason != "broken" {
		t.Errorf("%v after %d runs", p.State, len(f.profiles))
	}
	f = newFake(t, bind, bind)
	f.works = func(n int, p *policy.Profile) bool { return n > 1 && needs(bind)(n, p) }
	if p := f.result(Config{}); p.State != Confirmed || p.Settings.Caps != bind || p.Earlier.Reason != "broken" {
		t.Errorf("a slow first run: %v %+v", p.State, p.Settings)
	}
}

// TestUnstable: runs with equal privilege and different outcomes are not a result.
func TestUnstable(t *testing.T) {
	f := newFake(t, 0, bind)
	f.works = func(n int, p *policy.Profile) bool { return n < 4 && needs(bind)(n, p) }
	if p := f.result(Config{}); p.State != Unstable {
		t.Errorf("%v %+v", p.State, p.Settings)
	}
	// The last runs, with what was added: it is withdrawn.
	f = newFake(t, bind, bind)
	hardened := 0
	f.works = func(n int, p *policy.Profile) bool {
		if noRootIn(p) {
			hardened++
		}
		return needs(bind)(n, p) && hardened < 3
	}
	p := f.result(Config{})
	if want := (evidence.Settings{Caps: bind}); p.State != Confirmed || p.Settings != want {
		t.Errorf("%v %+v", p.State, p.Settings)
	}
}

// TestInterrupted: whenever the context is done or a run has an error, the result is not
// confirmed, and nothing is run afterwards.
func TestInterrupted(t *testing.T) {
	complete := newFake(t, bind|raw, bind|raw|chown)
	complete.result(Config{})
	for stop := range len(complete.profiles) {
		for _, cause := range []error{errStopped, context.Canceled} {
			f := newFake(t, bind|raw, bind|raw|chown)
			ctx, cancel := context.WithCancel(context.Background())
			f.stop = func(n int) error {
				if n == stop+1 {
					cancel()
					return cause
				}
				return nil
			}
			r, err := f.learn(ctx, Config{})
			cancel()
			if err == nil || len(f.profiles) != stop+1 || r.First.State != Unconfirmed {
				t.Errorf("stopped in run %d: %v, %d runs, %v", stop+1, err, len(f.profiles), r.First.State)
			}
			if cause == errStopped && stop > 0 && !errors.Is(err, errStopped) && !errors.Is(err, context.Canceled) {
				t.Errorf("stopped in run %d: %v", stop+1, err)
			}
		}
	}
}

// TestNeverWider: no run has more than the base profile and the caller.
func TestNeverWider(t *testing.T) {
	limited := cred.Root()
	limited.Permitted = limited.Permitted.Minus(chown)
	limited.Effective = limited.Permitted
	bounded := cred.Root()
	bounded.Bounding = bounded.Bounding.Minus(raw)
	for _, test := range []struct {
		base   string
		caller cred.Cred
		limit  cred.Caps
	}{
		{"", limited, limited.Permitted},
		{"", bounded, bounded.Bounding},
		{"caps: cap_net_bind_service,cap_chown=ep\n", cred.Root(), bind | chown},
		{"caps: cap_net_bind_service,cap_chown=ep\n", limited, bind},
		{"uid: 33\ngid: 33\ncaps: cap_net_raw=eip\n", cred.Root(), raw},
		{"uid: 33\ngid: 33\n", cred.Root(), cred.Root().Permitted},
		{"caps: \"=\"\n", cred.Root(), 0},
		{"uid: 33\ngid: 33\niab: ^cap_net_raw\n", cred.Root(), raw},
	} {
		var base *policy.Profile
		if test.base != "" {
			var found []policy.Diagnostic
			if base, found = policy.Parse("base.yaml", []byte("version: 1\n"+test.base)); base == nil {
				t.Fatal(found)
			}
		}
		f := newFake(t, 0, bind|raw|chown)
		f.works = func(n int, p *policy.Profile) bool { return (bind|raw)&test.limit&^capsOf(p) == 0 }
		r, err := f.learn(context.Background(), Config{Base: base, Caller: test.caller})
		if err != nil {
			// What the caller cannot grant is an error of the first run, not a narrower one.
			if len(f.profiles) > 0 {
				t.Errorf("%q: %v", test.base, err)
			}
			continue
		}
		if r.First.Settings.Caps != (bind|raw)&test.limit {
			t.Errorf("%q: %v", test.base, r.First.Settings.Caps)
		}
		for _, p := range f.profiles {
			if !capsOf(p).SubsetOf(test.limit) || base != nil && base.UID != nil && *p.UID != *base.UID {
				t.Errorf("%q: a run with %v", test.base, capsOf(p))
			}
		}
	}
}

// TestTimeLimitHarmless: what the kernel denied in runs that work does not explain why
// another run reaches the shorter limit.
func TestTimeLimitHarmless(t *testing.T) {
	f := newFake(t, bind, bind|raw)
	equal := 0
	f.slow = func(n int, p *policy.Profile) bool {
		if capsOf(p) == bind {
			equal++
		}
		return capsOf(p) == bind && equal == 2 && f.limits[n-1] < time.Minute
	}
	if p := f.result(Config{}); p.State != Confirmed || p.Settings.Caps != bind {
		t.Errorf("%v %v", p.State, p.Settings.Caps)
	}
	if len(f.limits) < 6 || f.limits[4] != shortest || f.limits[5] != time.Minute || capsOf(f.profiles[4]) != bind || capsOf(f.profiles[5]) != bind {
		t.Errorf("limits %v", f.limits)
	}
}

// TestTimeLimit: a run that reaches the shorter limit has the whole one before it counts,
// unless the kernel has denied what it lacked.
func TestTimeLimit(t *testing.T) {
	for _, traced := range []bool{true, false} {
		f := newFake(t, bind, bind)
		f.traced = traced
		f.slow = func(n int, p *policy.Profile) bool { return f.limits[n-1] < time.Minute && capsOf(p)&chown == 0 }
		f.checks |= chown
		if p := f.result(Config{}); traced != (p.Settings.Caps == bind|chown) || p.State == DoesNotWork {
			t.Errorf("traced %v: %v %v", traced, p.State, p.Settings.Caps)
		}
		whole := 0
		for n, limit := range f.limits[1:] {
			if limit == time.Minute && !f.profiles[n+1].NoNewPrivs {
				whole++
			}
		}
		if traced != (whole == 0) {
			t.Errorf("traced %v: limits %v", traced, f.limits)
		}
	}
	for took, want := range map[time.Duration]time.Duration{
		0: shortest, time.Second: 4 * time.Second, time.Minute: time.Minute, 251 * time.Millisecond: shortest,
	} {
		if got := limitAfter(took, time.Minute); got != want {
			t.Errorf("after %v: %v, want %v", took, got, want)
		}
	}
}

// TestRefused: a file with file capabilities cannot be executed without them. That is a
// finding about the capability; the launch is not made.
func TestRefused(t *testing.T) {
	f := newFake(t, 0, raw)
	f.target.Program = machine.Program{
		Path: "/bin/fake", FilePath: "/bin/fake",
		File: cred.File{HasCaps: true, Permitted: raw, Effective: true},
	}
	var refused []Step
	r, err := f.learn(context.Background(), Config{Ended: func(s Step) {
		if s.Outcome.Refused {
			refused = append(refused, s)
		}
	}})
	if err != nil || r.First.State != Confirmed || r.First.Settings.Caps != raw || r.First.Evidence.FileCapabilities != "cap_net_raw=ep" {
		t.Fatalf("%v %+v %v", r.First.State, r.First.Settings, err)
	}
	if len(refused) == 0 || !strings.Contains(refused[0].Outcome.Reason, "file capabilities") {
		t.Errorf("%+v", refused)
	}
	if n := f.count(func(p *policy.Profile) bool { return !capsOf(p).Has(int(raw.Lowest())) }); n != 0 {
		t.Errorf("%d runs without the capability", n)
	}
}

// TestHardening: when no_new_privs and noroot are tried and added.
func TestHardening(t *testing.T) {
	failing := func(p *policy.Profile) []observe.Failure {
		if !p.NoNewPrivs {
			return nil
		}
		return []observe.Failure{{Call: observe.Call{Name: "mount", Args: `"/x"`}, Errno: 1, Count: 1}}
	}
	base, _ := policy.Parse("base.yaml", []byte("version: 1\nno_new_privs: true\nsecbits: [noroot, noroot_locked]\n"))
	for name, test := range map[string]struct {
		change     func(*fake)
		base       *policy.Profile
		nnp, root  evidence.Attempt
		why        string
		executions int // with no_new_privs
	}{
		"added":       {func(*fake) {}, nil, evidence.Passed, evidence.Passed, "", 4},
		"set-user-ID": {func(f *fake) { f.execs = []observe.Exec{{Path: "/bin/su", Privileged: observe.Yes}} }, nil, evidence.NotTried, evidence.NotTried, "the program executes", 0},
		"unknown":     {func(f *fake) { f.execs = append(plain, observe.Exec{Path: "/x"}) }, nil, evidence.NotTried, evidence.NotTried, "unknown", 0},
		"does not work": {func(f *fake) {
			f.works = func(n int, p *policy.Profile) bool { return !p.NoNewPrivs && needs(bind)(n, p) }
		}, nil, evidence.Failed, evidence.Passed, "broken", 1},
		"a call fails":    {func(f *fake) { f.failures = failing }, nil, evidence.Failed, evidence.Passed, `mount("/x")`, 1},
		"of the base":     {func(f *fake) {}, base, evidence.InBase, evidence.InBase, "base", 8},
		"lost executions": {func(f *fake) { f.execs = nil }, nil, evidence.NotTried, evidence.NotTried, "unknown", 0},
		"lost events": {func(f *fake) {
			f.lost = func(n int, p *policy.Profile) uint64 { return 1 }
		}, nil, evidence.NotTried, evidence.NotTried, "unknown", 0},
		"lost events of the last run": {func(f *fake) {
			f.lost = func(n int, p *policy.Profile) uint64 { return uint64(n / 5) }
		}, nil, evidence.NotTried, evidence.NotTried, "unknown", 0},
		"a call fails unseen": {func(f *fake) {
			f.lost = func(n int, p *policy.Profile) uint64 {
				if p.NoNewPrivs {
					return 7
				}
				return 0
			}
		}, nil, evidence.NotTried, evidence.Passed, "7 events of this run were lost", 1},
	} {
		f := newFake(t, bind, bind)
		test.change(f)
		p := f.result(Config{Base: test.base})
		if p.State != Confirmed || p.Evidence.NoNewPrivs != test.nnp || p.Evidence.NoRoot != test.root {
			t.Errorf("%s: %v %v %v", name, p.State, p.Evidence.NoNewPrivs, p.Evidence.NoRoot)
			continue
		}
		if !strings.Contains(p.Hardening[0].Why, test.why) || (test.why == "") != (p.Hardening[0].Why == "") {
			t.Errorf("%s: %q", name, p.Hardening[0].Why)
		}
		if n := f.count(func(p *policy.Profile) bool { return p.NoNewPrivs }); test.base == nil && n != test.executions {
			t.Errorf("%s: %d runs with no_new_privs, want %d", name, n, test.executions)
		}
	}
}

// TestSecondPass: a program that changes to another user by itself is started as this user.
func TestSecondPass(t *testing.T) {
	root, user := run.Identity{}, run.Identity{UIDs: [4]uint32{33, 33, 33, 33}, GIDs: [4]uint32{34, 34, 34, 34}, Groups: []uint32{34, 35}}
	change := func() *fake {
		f := newFake(t, 0, 0)
		f.ids = []run.Identity{root, {UIDs: [4]uint32{0, 33, 0, 33}}, user}
		f.works = func(n int, p *policy.Profile) bool {
			if p.UID != nil {
				return needs(bind)(n, p)
			}
			return needs(bind|chown)(n, p)
		}
		f.traced = false
		return f
	}
	f := change()
	r, err := f.learn(context.Background(), Config{Auto: true})
	if err != nil || r.Second == nil || r.First.Settings.Caps != bind|chown || r.Second.Settings.Caps != bind || r.Best() != r.Second {
		t.Fatalf("%v %v, second %+v, %v", r.First.State, r.First.Settings.Caps, r.Second, err)
	}
	if id := r.Second.Identity; id.UID != 33 || id.GID != 34 || !hasGroups(id, 34, 35) {
		t.Errorf("%+v", id)
	}
	if c, ok := r.Comparison(); !ok || c.Find(compare.UID).Order != compare.Less || c.Find(compare.Permitted).Order != compare.Less {
		t.Errorf("comparison %v %v", c.Order(), ok)
	}
	if r.First.Runs+r.Second.Runs != len(f.profiles) {
		t.Errorf("%d and %d of %d runs", r.First.Runs, r.Second.Runs, len(f.profiles))
	}
	if r, err := change().learn(context.Background(), Config{}); err != nil || r.Second != nil || r.Change == nil || r.Change.UID != 33 {
		t.Errorf("without -uid: %v %v", r.Change, err)
	}
	// A user that cannot execute the program.
	f = change()
	f.stop = func(n int) error {
		if f.profiles[n-1].UID != nil {
			return errStopped
		}
		return nil
	}
	r, err = f.learn(context.Background(), Config{Auto: true})
	if err != nil || r.SecondError != errStopped || r.Best() != &r.First || r.First.State != Confirmed {
		t.Errorf("a second pass that cannot start: %v %v %v", r.SecondError, err, r.First.State)
	}
	// A user that is asked for. What does not work is not the result.
	f = change()
	f.works = func(n int, p *policy.Profile) bool { return p.UID == nil && needs(bind)(n, p) }
	r, err = f.learn(context.Background(), Config{As: &Identity{UID: 5, GID: 6}})
	if err != nil || r.Second.State != DoesNotWork || r.Best() != r.Second {
		t.Errorf("a second pass that does not work: %v %v", r.Second.State, err)
	}
	if last := f.profiles[len(f.profiles)-1]; *last.UID != 5 || last.GID.ID != 6 {
		t.Errorf("%+v", last)
	}
	if slices.ContainsFunc(f.profiles, func(p *policy.Profile) bool { return p.Caps == nil }) {
		t.Error("a run without the key caps")
	}
}

// TestNamedUser: the profile of a user that the caller has named is the result, also if it
// cannot be compared with that of root. With -uid auto it is not.
func TestNamedUser(t *testing.T) {
	user := &Identity{UID: 33, GID: 33, Groups: []uint32{33}}
	// As root it needs nothing, as another user one capability: uid is less, caps are more.
	program := func() *fake {
		f := newFake(t, 0, chown)
		f.works = func(n int, p *policy.Profile) bool { return p.UID == nil || needs(chown)(n, p) }
		f.ids = []run.Identity{{}, {UIDs: [4]uint32{33, 33, 33, 33}, GIDs: [4]uint32{33, 33, 33, 33}, Groups: []uint32{33}}}
		return f
	}
	r, err := program().learn(context.Background(), Config{As: user})
	if err != nil || !r.Named || r.Best() != r.Second || r.Second.State != Confirmed || r.Second.Settings.Caps != chown {
		t.Errorf("%v: %v %+v", err, r.Named, r.Second)
	}
	if c, ok := r.Comparison(); !ok || c.Order() != compare.Incomparable {
		t.Errorf("%v %v", c.Order(), ok)
	}
	// By the name: the profile has it.
	named := program()
	named.target.Accounts = &machine.Accounts{User: &machine.User{Name: "web", UID: 33, GID: 33}}
	named.works = func(n int, p *policy.Profile) bool { return p.User == "" || needs(chown)(n, p) }
	r, err = named.learn(context.Background(), Config{As: &Identity{UID: 33, GID: 33, Groups: []uint32{33}, User: "web"}})
	if err != nil || r.Best() != r.Second || r.Second.State != Confirmed || r.Second.Evidence.UID != 33 {
		t.Errorf("by name: %v: %+v", err, r.Second)
	}
	if last := named.profiles[len(named.profiles)-1]; last.User != "web" || last.UID != nil || last.GID != nil || last.Groups != nil {
		t.Errorf("by name: %+v", last)
	}
	r, err = program().learn(context.Background(), Config{Auto: true})
	if err != nil || r.Named || r.Second == nil || r.Second.State != Confirmed || r.Best() != &r.First {
		t.Errorf("-uid auto: %v: %v %+v", err, r.Named, r.Second)
	}
}
