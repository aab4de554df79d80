package search

import (
	"slices"

	"caprun/engine/cred"
)

// removeEach removes one capability at a time until the present set fails without any one
// of its capabilities. A removal that failed may work once another capability is gone, so
// each success makes it try the others again. It continues behind the removed capability:
// for most programs the earlier ones fail again.
func (s *searcher) removeEach() error {
	queue := ByPower(s.result.Set)
	for failed := 0; failed < len(queue); {
		n := queue[0]
		t, err := s.try(Trial{Purpose: RemoveOne, Set: s.result.Set.Without(n), Without: cred.CapsOf(n)})
		if err != nil {
			return err
		}
		queue = queue[1:]
		if t.Outcome.Works {
			s.found(t.Set)
			failed = 0
		} else {
			queue = append(queue, n)
			failed++
		}
	}
	return nil
}

// replace tries other capabilities for those of the present set.
func (s *searcher) replace() error {
	for range maxExchanges {
		exchanged, err := s.exchangeOne()
		if err != nil || !exchanged {
			return err
		}
		if err := s.removeEach(); err != nil {
			return err
		}
	}
	return nil
}

// exchangeOne tries, for each capability of the present set, those that the kernel denied
// in the run without it and that can be its substitute. It exchanges the first that has a
// less powerful substitute, and reports whether there was one.
func (s *searcher) exchangeOne() (exchanged bool, err error) {
	set := s.result.Set
	for _, n := range ByPower(set) {
		rest := set.Without(n)
		denied := s.known[rest].Outcome.Denied.Intersect(s.all).Minus(set)
		// What is also denied when the program works is not checked instead of n, except
		// where the kernel checks both.
		denied = denied.Minus(s.known[set].Outcome.Denied.Minus(eitherOf(n)))
		substitutes := ByPower(denied)
		slices.Reverse(substitutes)
		for _, other := range substitutes[:min(len(substitutes), maxReplacements)] {
			t, err := s.try(Trial{Purpose: Replace, Set: rest.With(other), Without: cred.CapsOf(n), With: cred.CapsOf(other)})
			if err != nil {
				return false, err
			}
			if t.Outcome.Works && MorePowerful(n, other) {
				s.found(t.Set)
				return true, nil
			}
		}
	}
	return false, nil
}

// repeatDoubtful runs failed removals of the final set again if no denial of the missing
// capability was seen there, as in every run without tracing: a test that sometimes fails
// looks the same.
func (s *searcher) repeatDoubtful() error {
	for _, n := range ByPower(s.result.Set) {
		t := s.known[s.result.Set.Without(n)]
		if t.Outcome.Denied.Has(n) {
			continue
		}
		if _, err := s.execute(Trial{Purpose: Repeat, Set: t.Set, Without: cred.CapsOf(n)}); err != nil {
			return err
		}
	}
	return nil
}
