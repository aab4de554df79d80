package search

import (
	"context"
	"errors"
	"math/rand/v2"
	"slices"
	"testing"

	"caprun/engine/cred"
)

// workload is a program for tests: a function from sets to outcomes that records its runs.
type workload struct {
	works  func(cred.Caps) bool
	denied func(cred.Caps) cred.Caps
	traced bool
	runs   []cred.Caps
	seen   map[cred.Caps]bool
}

func (w *workload) run(_ context.Context, set cred.Caps) (Outcome, error) {
	w.runs = append(w.runs, set)
	o := Outcome{Works: w.works(set)}
	if w.denied != nil && w.traced {
		o.Denied = w.denied(set)
	}
	if w.seen == nil {
		w.seen = map[cred.Caps]bool{}
	}
	w.seen[set] = o.Works
	return o, nil
}

// needs returns a workload that works with every set that includes one of the terms.
func needs(terms ...cred.Caps) *workload {
	return &workload{
		traced: true,
		works: func(set cred.Caps) bool {
			return slices.ContainsFunc(terms, func(t cred.Caps) bool { return t.SubsetOf(set) })
		},
		denied: func(set cred.Caps) cred.Caps {
			var all cred.Caps
			for _, t := range terms {
				all = all.Union(t.Minus(set))
			}
			return all
		},
	}
}

func minimize(t *testing.T, w *workload, g Guess, options ...Option) Result {
	t.Helper()
	r, err := Minimize(t.Context(), w.run, g, options...)
	if err != nil {
		t.Fatal(err)
	}
	return r
}

var all = cred.FirstCaps(41)

// TestUsual: a right guess of n capabilities needs n + 4 runs.
func TestUsual(t *testing.T) {
	w := needs(cred.CapsOf(6, 7, 10, 18))
	r := minimize(t, w, Guess{Strong: cred.CapsOf(6, 7, 10, 18), All: all})
	want := []cred.Caps{
		0, cred.CapsOf(6, 7, 10, 18),
		cred.CapsOf(6, 10, 18), cred.CapsOf(7, 10, 18), cred.CapsOf(6, 7, 10), cred.CapsOf(6, 7, 18),
		cred.CapsOf(6, 7, 10, 18), cred.CapsOf(6, 7, 10, 18),
	}
	if !slices.Equal(w.runs, want) {
		t.Errorf("runs %v, want %v", w.runs, want)
	}
	if !r.Works || !r.Minimal || r.Set != cred.CapsOf(6, 7, 10, 18) || r.Confirmed != 2 || r.Runs != 8 || len(r.Trials) != 8 {
		t.Errorf("%+v", r)
	}
	for n := range r.Set.All() {
		if trial := r.Necessary[n]; trial.Set != r.Set.Without(n) || trial.Outcome.Works || trial.Run < 3 {
			t.Errorf("the run without %d: %+v", n, trial)
		}
	}
}

func TestNoneWorks(t *testing.T) {
	w := needs(0)
	r := minimize(t, w, Guess{Strong: cred.CapsOf(1, 2), All: all})
	if !r.NoneWorks || !r.Works || !r.Minimal || r.Set != 0 || r.Runs != 3 {
		t.Errorf("%+v", r)
	}
}

func TestNothingWorks(t *testing.T) {
	w := needs()
	r := minimize(t, w, Guess{Strong: cred.CapsOf(1, 2), Weak: cred.CapsOf(3), All: all})
	if r.Works || r.Minimal || r.Set != 0 || r.Runs != 4 {
		t.Errorf("%+v", r)
	}
}

// TestDeniedIsAdded: what a failed run was denied is added, one call after the other.
func TestDeniedIsAdded(t *testing.T) {
	w := needs(cred.CapsOf(1, 5, 9))
	w.denied = func(set cred.Caps) cred.Caps { // stops at the first failed call
		return cred.CapsOf(cred.CapsOf(1, 5, 9).Minus(set).Lowest())
	}
	r := minimize(t, w, Guess{Strong: cred.CapsOf(1), All: all})
	if r.Set != cred.CapsOf(1, 5, 9) || !r.Minimal {
		t.Errorf("%+v", r)
	}
	if got := []Purpose{r.Trials[2].Purpose, r.Trials[3].Purpose}; !slices.Equal(got, []Purpose{AddDenied, AddDenied}) {
		t.Errorf("purposes %v", got)
	}
}

// TestWithoutTracing: the search finds a set without any guess, in few runs.
func TestWithoutTracing(t *testing.T) {
	w := needs(cred.CapsOf(1, 6, 7, 10))
	w.traced = false
	r := minimize(t, w, Guess{All: all})
	if r.Set != cred.CapsOf(1, 6, 7, 10) || !r.Minimal {
		t.Errorf("%+v", r)
	}
	if r.Runs > 45 {
		t.Errorf("%d runs", r.Runs)
	}
	t.Logf("%d runs", r.Runs)
}

// TestLessPowerful: a capability is exchanged for a less powerful one that the kernel
// denied instead of it, and the more powerful one is an alternative.
func TestLessPowerful(t *testing.T) {
	override, search, bind := 1, 2, 10
	w := needs(cred.CapsOf(override, bind), cred.CapsOf(search, bind))
	r := minimize(t, w, Guess{Strong: cred.CapsOf(override, bind), All: all})
	if r.Set != cred.CapsOf(search, bind) || !r.Minimal {
		t.Errorf("%+v", r)
	}
	if want := []cred.Caps{cred.CapsOf(override, bind)}; !slices.Equal(r.Alternatives, want) {
		t.Errorf("alternatives %v, want %v", r.Alternatives, want)
	}

	w = needs(cred.CapsOf(override, bind), cred.CapsOf(search, bind))
	w.denied = func(set cred.Caps) cred.Caps {
		if set.Has(search) {
			return cred.CapsOf(bind).Minus(set) // the kernel does not check the other
		}
		return cred.CapsOf(override, search, bind).Minus(set)
	}
	r = minimize(t, w, Guess{Strong: cred.CapsOf(search, bind), All: all})
	if r.Set != cred.CapsOf(search, bind) || !slices.Equal(r.Alternatives, []cred.Caps{cred.CapsOf(override, bind)}) {
		t.Errorf("%+v", r)
	}
}

// TestConfirmationFails: a final set that fails once is no result.
func TestConfirmationFails(t *testing.T) {
	w := needs(cred.CapsOf(3, 4))
	steady := w.works
	w.works = func(set cred.Caps) bool { return steady(set) && len(w.runs) < 6 }
	r := minimize(t, w, Guess{Strong: cred.CapsOf(3, 4), All: all})
	if !r.Unstable || r.Minimal || r.Confirmed != 1 {
		t.Errorf("%+v", r)
	}
	if a, b := r.Contrary[0], r.Contrary[1]; a.Set != b.Set || a.Outcome.Works == b.Outcome.Works {
		t.Errorf("contrary runs %+v", r.Contrary)
	}
}

// TestChanceFailure: a removal that fails once by chance, without a denial of what is
// missing, is recognized.
func TestChanceFailure(t *testing.T) {
	w := needs(cred.CapsOf(3))
	steady := w.works
	w.works = func(set cred.Caps) bool { return steady(set) && len(w.runs) != 3 }
	w.denied = func(set cred.Caps) cred.Caps { return cred.CapsOf(3).Minus(set) }
	r := minimize(t, w, Guess{Strong: cred.CapsOf(1, 3), All: all})
	if !r.Unstable || r.Minimal {
		t.Errorf("%+v", r)
	}
}

func TestLimit(t *testing.T) {
	for limit := 1; limit < 8; limit++ {
		w := needs(cred.CapsOf(6, 7, 10, 18))
		r := minimize(t, w, Guess{Strong: cred.CapsOf(6, 7, 10, 18), All: all}, WithLimit(limit))
		if r.Runs != limit || !r.LimitReached || r.Minimal || r.Works != (limit > 1) {
			t.Errorf("limit %d: %+v", limit, r)
		}
	}
}

// TestKnown: a known outcome does not run again, but is confirmed.
func TestKnown(t *testing.T) {
	w := needs(cred.CapsOf(4, 5))
	r := minimize(t, w, Guess{Strong: cred.CapsOf(4, 5), All: all}, WithKnown(cred.CapsOf(4, 5), Outcome{Works: true}))
	if !r.Minimal || r.Runs != 5 {
		t.Errorf("%+v", r)
	}
}

func TestProgress(t *testing.T) {
	w := needs(cred.CapsOf(4))
	var started, ended []Trial
	r := minimize(t, w, Guess{Strong: cred.CapsOf(4, 5), All: all},
		WithProgress(func(t Trial) { started = append(started, t) }, func(t Trial) { ended = append(ended, t) }))
	if len(started) != r.Runs || len(ended) != r.Runs {
		t.Fatalf("%d started, %d ended, %d runs", len(started), len(ended), r.Runs)
	}
	for n, s := range started {
		if e := ended[n]; s.Run != n+1 || e.Run != n+1 || s.Set != w.runs[n] || s.Outcome.Works || e.Outcome.Works != w.works(e.Set) || e.Purpose.String() == "unknown" {
			t.Errorf("run %d: %+v, %+v", n+1, s, e)
		}
	}
}

func TestRunError(t *testing.T) {
	failure := errors.New("cannot start")
	w := needs(cred.CapsOf(6, 7))
	r, err := Minimize(t.Context(), func(ctx context.Context, set cred.Caps) (Outcome, error) {
		if len(w.runs) == 2 {
			return Outcome{}, failure
		}
		return w.run(ctx, set)
	}, Guess{Strong: cred.CapsOf(6, 7), All: all})
	if !errors.Is(err, failure) || !r.Works || r.Minimal || r.Set != cred.CapsOf(6, 7) || len(r.Necessary) != 0 {
		t.Errorf("%v, %+v", err, r)
	}
}

// TestByPower: the table names each capability once.
func TestByPower(t *testing.T) {
	list := ByPower(cred.FirstCaps(64))
	if len(list) != 64 || len(byPower) != 41 {
		t.Fatalf("%d of 64, the table has %d", len(list), len(byPower))
	}
	for n := 1; n < len(list); n++ {
		if !MorePowerful(list[n-1], list[n]) || MorePowerful(list[n], list[n-1]) {
			t.Errorf("%d and %d are not in order", list[n-1], list[n])
		}
	}
	sorted := slices.Sorted(slices.Values(list))
	if len(slices.Compact(sorted)) != 64 {
		t.Errorf("a capability is missing: %v", list)
	}
	if MorePowerful(2, 1) || !MorePowerful(1, 2) {
		t.Error("dac_override is more powerful than dac_read_search")
	}
}

// randomCaps returns count different capabilities below 41.
func randomCaps(r *rand.Rand, count int) []int { return r.Perm(41)[:count] }

// randomSubset returns a subset of a set.
func randomSubset(r *rand.Rand, set cred.Caps) cred.Caps { return set & cred.Caps(r.Uint64()) }
