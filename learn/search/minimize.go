package search

import (
	"context"
	"errors"
	"maps"
	"slices"

	"caprun/engine/cred"
)

// Minimize searches a set of capabilities, within g.All, with which run works and from
// which none can be removed. The package documentation has the order of the runs.
//
// If ctx is cancelled or run returns an error, Minimize returns what the completed runs
// showed, with Minimal false, and the error. It returns a nil error in all other cases,
// also if no set works, the outcomes are unstable, or the limit is reached: the result
// says so.
func Minimize(ctx context.Context, run Func, g Guess, options ...Option) (Result, error) {
	s := &searcher{ctx: ctx, run: run, all: g.All, known: map[cred.Caps]Trial{}}
	g.Strong = g.Strong.Intersect(g.All)
	g.Weak = g.Weak.Intersect(g.All)
	for _, option := range options {
		option(s)
	}
	err := s.search(g)
	s.finish(err == nil)
	if errors.Is(err, errStop) {
		err = nil
	}
	return s.result, err
}

// errStop ends the search early; the result says why.
var errStop = errors.New("the search ended early")

// searcher is the state of one search.
type searcher struct {
	ctx            context.Context
	run            Func
	started, ended func(Trial)
	limit          int
	all            cred.Caps
	known          map[cred.Caps]Trial // the first outcome of each set
	result         Result
}

// search makes all runs.
func (s *searcher) search(g Guess) error {
	none, err := s.try(Trial{Purpose: Control})
	if err != nil {
		return err
	}
	if none.Outcome.Works {
		s.result.NoneWorks = true
		s.found(0)
		return s.confirm()
	}
	guess, err := s.guess(g)
	if err != nil || !s.result.Works {
		return err
	}
	if s.result.Set != guess {
		if err := s.halve(ByPower(s.result.Set.Minus(guess))); err != nil {
			return err
		}
	}
	if err := s.removeEach(); err != nil {
		return err
	}
	if err := s.replace(); err != nil {
		return err
	}
	if err := s.repeatDoubtful(); err != nil {
		return err
	}
	return s.confirm()
}

// try returns the outcome of a set: the remembered one, or that of a run.
func (s *searcher) try(t Trial) (Trial, error) {
	if known, ok := s.known[t.Set]; ok {
		return known, nil
	}
	return s.execute(t)
}

// execute runs a set, and remembers the outcome if it is the first.
func (s *searcher) execute(t Trial) (Trial, error) {
	if err := s.ctx.Err(); err != nil {
		return t, err
	}
	if s.limit > 0 && s.result.Runs >= s.limit {
		s.result.LimitReached = true
		return t, errStop
	}
	s.result.Runs++
	t.Run = s.result.Runs
	if s.started != nil {
		s.started(t)
	}
	outcome, err := s.run(s.ctx, t.Set)
	if err == nil {
		// A run that was stopped shows nothing.
		err = s.ctx.Err()
	}
	if err != nil {
		return t, err
	}
	t.Outcome = outcome
	s.result.Trials = append(s.result.Trials, t)
	if s.ended != nil {
		s.ended(t)
	}
	first, ran := s.known[t.Set]
	if !ran {
		s.known[t.Set] = t
		return t, nil
	}
	if first.Outcome.Works != outcome.Works {
		s.result.Unstable = true
		s.result.Contrary = [2]Trial{first, t}
		return t, errStop
	}
	return t, nil
}

// found makes a set that works the present set.
func (s *searcher) found(set cred.Caps) {
	s.result.Works, s.result.Set = true, set
}

// confirm runs the final set again.
func (s *searcher) confirm() error {
	for range Confirmations {
		if _, err := s.execute(Trial{Purpose: Confirm, Set: s.result.Set}); err != nil {
			return err
		}
		s.result.Confirmed++
	}
	return nil
}

// finish fills in what follows from all runs.
func (s *searcher) finish(complete bool) {
	r := &s.result
	if !r.Works {
		return
	}
	r.Necessary = make(map[int]Trial, r.Set.Len())
	for n := range r.Set.All() {
		if t, ok := s.known[r.Set.Without(n)]; ok && !t.Outcome.Works {
			r.Necessary[n] = t
		}
	}
	r.Minimal = complete && len(r.Necessary) == r.Set.Len() && r.Confirmed == Confirmations && !r.Unstable
	for _, set := range slices.Sorted(maps.Keys(s.known)) {
		if set != r.Set && set.Len() == r.Set.Len() && s.known[set].Outcome.Works {
			r.Alternatives = append(r.Alternatives, set)
		}
	}
}
