package search

import (
	"context"
	"math/rand/v2"
	"slices"
	"testing"

	"caprun/engine/cred"
	"caprun/internal/test/requires"
)

// checkResult checks what the documentation promises for every function that gives equal
// sets equal outcomes.
func checkResult(t *testing.T, w *workload, g Guess, r Result) {
	t.Helper()
	fail := func(what string) {
		t.Helper()
		t.Fatalf("%s: guess %+v, result %+v, runs %v", what, g, r, w.runs)
	}
	if r.Runs != len(w.runs) || r.Runs > MaxRuns(g) {
		fail("wrong or too large number of runs")
	}
	if r.Unstable {
		fail("unstable")
	}
	if !r.Works {
		if w.works(g.All) || w.works(g.Strong) || w.works(0) || r.Minimal || r.Set != 0 {
			fail("a set works, and was not found")
		}
		return
	}
	if !r.Minimal || !w.works(r.Set) || r.Confirmed != 2 || !r.Set.SubsetOf(g.All) {
		fail("no minimal result")
	}
	count := map[cred.Caps]int{}
	for _, set := range w.runs {
		count[set]++
	}
	for n := range r.Set.All() {
		if count[r.Set.Without(n)] == 0 || w.works(r.Set.Without(n)) || r.Necessary[n].Set != r.Set.Without(n) || r.Necessary[n].Outcome.Works {
			fail("a capability can be removed, or was not tried")
		}
	}
	for set, n := range count {
		switch {
		case set == r.Set:
			if n != 3 {
				fail("the result did not run three times")
			}
		case n == 2:
			t := r.Set.Minus(set)
			if !set.SubsetOf(r.Set) || t.Len() != 1 || w.traced && w.denied(set)&t != 0 {
				fail("a set ran twice")
			}
		case n != 1:
			fail("a set ran often")
		}
	}
	for _, set := range r.Alternatives {
		if set == r.Set || set.Len() != r.Set.Len() || !w.works(set) {
			fail("wrong alternative")
		}
	}
	if !slices.Equal(w.runs[len(w.runs)-2:], []cred.Caps{r.Set, r.Set}) {
		fail("the last two runs are not the result's")
	}
}

// randomMonotone returns a workload that needs one of up to three terms.
func randomMonotone(r *rand.Rand) (w *workload, terms []cred.Caps) {
	names := randomCaps(r, 1+r.IntN(10))
	for range 1 + r.IntN(3) {
		terms = append(terms, randomSubset(r, cred.CapsOf(names...)))
	}
	return needs(terms...), terms
}

// randomTable returns a workload whose outcome for each set of some capabilities is
// random: more capabilities can make it fail.
func randomTable(r *rand.Rand) *workload {
	names := randomCaps(r, 1+r.IntN(10))
	table := make([]byte, 1<<len(names))
	share := r.IntN(100)
	for n := range table {
		if r.IntN(100) < share {
			table[n] = 1
		}
	}
	seed := r.Uint64()
	return &workload{
		traced: true,
		works: func(set cred.Caps) bool {
			index := 0
			for bit, n := range names {
				if set.Has(n) {
					index |= 1 << bit
				}
			}
			return table[index] == 1
		},
		denied: func(set cred.Caps) cred.Caps {
			hash := rand.New(rand.NewPCG(seed, uint64(set)))
			return cred.CapsOf(names...).Minus(set) & cred.Caps(hash.Uint64())
		},
	}
}

// randomGuess returns a guess over the 41 capabilities, or fewer.
func randomGuess(r *rand.Rand) Guess {
	g := Guess{All: all}
	if r.IntN(3) == 0 {
		g.All = randomSubset(r, all)
		g.All |= randomSubset(r, all)
	}
	if r.IntN(4) > 0 {
		g.Strong = randomSubset(r, g.All) & randomSubset(r, all)
		g.Weak = randomSubset(r, g.All) & randomSubset(r, all)
	}
	return g
}

func TestMonotone(t *testing.T) {
	most := 0
	for seed := range uint64(requires.Rounds(3000, 60000)) {
		r := rand.New(rand.NewPCG(seed, 1))
		w, terms := randomMonotone(r)
		w.traced = r.IntN(2) == 0
		g := randomGuess(r)
		result := minimize(t, w, g)
		checkResult(t, w, g, result)
		if len(terms) == 1 && result.Works && result.Set != terms[0] {
			t.Fatalf("seed %d: %v, want %v", seed, result.Set, terms[0])
		}
		replacements := 0
		for _, trial := range result.Trials {
			if trial.Purpose == Replace {
				replacements++
			}
		}
		if limit := 5*g.All.Len() + 20 + replacements; len(terms) == 1 && result.Runs > limit {
			t.Fatalf("seed %d: %d runs, more than %d", seed, result.Runs, limit)
		}
		most = max(most, result.Runs)
	}
	t.Logf("at most %d runs", most)
}

func TestNotMonotone(t *testing.T) {
	most := 0
	for seed := range uint64(requires.Rounds(3000, 60000)) {
		r := rand.New(rand.NewPCG(seed, 2))
		w := randomTable(r)
		w.traced = r.IntN(2) == 0
		g := randomGuess(r)
		result := minimize(t, w, g)
		checkResult(t, w, g, result)
		most = max(most, result.Runs)
	}
	t.Logf("at most %d runs", most)
}

// TestUnstable: if two runs with the same set differ, the result says so and claims
// nothing; if every set is tried twice and the outcomes are random, that is the usual end.
func TestUnstable(t *testing.T) {
	rounds, claims, wrong := requires.Rounds(3000, 60000), 0, 0
	for seed := range uint64(rounds) {
		r := rand.New(rand.NewPCG(seed, 3))
		w, _ := randomMonotone(r)
		w.traced = r.IntN(2) == 0
		steady, flaky := w.works, 1+r.IntN(50)
		outcomes := map[cred.Caps][2]bool{}
		w.works = func(set cred.Caps) bool {
			works := steady(set) != (r.IntN(100) < flaky)
			o := outcomes[set]
			if works {
				o[1] = true
			} else {
				o[0] = true
			}
			outcomes[set] = o
			return works
		}
		result, err := Minimize(t.Context(), w.run, randomGuess(r))
		if err != nil {
			t.Fatal(err)
		}
		differ := false
		for _, o := range outcomes {
			differ = differ || o[0] && o[1]
		}
		if differ != result.Unstable || result.Unstable && result.Minimal {
			t.Fatalf("seed %d: outcomes differ: %v, result %+v", seed, differ, result)
		}
		if result.Minimal {
			if result.Confirmed != 2 || len(result.Necessary) != result.Set.Len() {
				t.Fatalf("seed %d: %+v", seed, result)
			}
			claims++
			mistaken := !steady(result.Set)
			for n := range result.Set.All() {
				mistaken = mistaken || steady(result.Set.Without(n))
			}
			if mistaken {
				wrong++
			}
		}
	}
	t.Logf("%d of %d searches saw no difference; the set of %d of them is not minimal", claims, rounds, wrong)
}

// TestCancelled: a search that is cancelled before, between or in runs returns what the
// completed runs showed.
func TestCancelled(t *testing.T) {
	for seed := range uint64(requires.Rounds(2000, 20000)) {
		r := rand.New(rand.NewPCG(seed, 4))
		w := randomTable(r)
		if seed%2 == 0 {
			w, _ = randomMonotone(r)
		}
		g := randomGuess(r)
		whole := minimize(t, w, g)
		runs := w.runs
		w.runs, w.seen = nil, nil
		ctx, cancel := context.WithCancel(t.Context())
		stop, inside := r.IntN(whole.Runs), r.IntN(2) == 0
		result, err := Minimize(ctx, func(ctx context.Context, set cred.Caps) (Outcome, error) {
			if len(w.runs) == stop && inside {
				cancel()
				return Outcome{Works: true}, nil // what a stopped run seems to show
			}
			o, err := w.run(ctx, set)
			if len(w.runs) == stop {
				cancel()
			}
			return o, err
		}, g, WithProgress(func(trial Trial) {
			if stop == 0 && !inside {
				cancel()
			}
		}, nil))
		cancel()
		if err == nil || result.Minimal || len(result.Trials) > stop || !slices.Equal(w.runs, runs[:len(w.runs)]) {
			t.Fatalf("seed %d: stopped after %d: %v, %+v", seed, stop, err, result)
		}
		for _, trial := range result.Trials {
			if trial.Outcome.Works != w.works(trial.Set) {
				t.Fatalf("seed %d: an interrupted run counts: %+v", seed, trial)
			}
		}
		if works, ran := w.seen[result.Set]; result.Works && !(works && ran) {
			t.Fatalf("seed %d: %+v", seed, result)
		}
	}
}
