package search

import "caprun/engine/cred"

// guess looks for a first set that works, and makes it the present set. It returns what
// the guesses named, without what only all capabilities have.
func (s *searcher) guess(g Guess) (guess cred.Caps, err error) {
	guess = g.Strong
	t, err := s.try(Trial{Purpose: TryStrong, Set: guess})
	for range maxDenied {
		more := t.Outcome.Denied.Intersect(s.all).Minus(guess)
		if err != nil || t.Outcome.Works || more == 0 {
			break
		}
		guess = guess.Union(more)
		t, err = s.try(Trial{Purpose: AddDenied, Set: guess, With: more})
	}
	if more := g.Weak.Minus(guess); err == nil && !t.Outcome.Works && more != 0 {
		guess = guess.Union(more)
		t, err = s.try(Trial{Purpose: AddWeak, Set: guess, With: more})
	}
	if more := s.all.Minus(guess); err == nil && !t.Outcome.Works && more != 0 {
		t, err = s.try(Trial{Purpose: TryAll, Set: s.all, With: more})
	}
	if err == nil && t.Outcome.Works {
		s.found(t.Set)
	}
	return guess, err
}

// halve removes many capabilities at a time from the present set. It leaves out all of
// part; if that fails, it does the same with both halves of part.
func (s *searcher) halve(part []int) error {
	if len(part) == 0 {
		return nil
	}
	out := cred.CapsOf(part...)
	purpose := RemoveMany
	if len(part) == 1 {
		purpose = RemoveOne
	}
	t, err := s.try(Trial{Purpose: purpose, Set: s.result.Set.Minus(out), Without: out})
	if err != nil {
		return err
	}
	if t.Outcome.Works {
		s.found(t.Set)
		return nil
	}
	if len(part) == 1 {
		return nil
	}
	if err := s.halve(part[:len(part)/2]); err != nil {
		return err
	}
	return s.halve(part[len(part)/2:])
}
