package search

import "caprun/engine/cred"

// Option configures Minimize.
type Option func(*searcher)

// WithProgress calls started before and ended after each run, from the goroutine that
// called Minimize. Either may be nil. A run that was interrupted has no end.
func WithProgress(started, ended func(Trial)) Option {
	return func(s *searcher) { s.started, s.ended = started, ended }
}

// WithLimit ends the search after this number of runs. Without it, or with a number below
// 1, only [MaxRuns] limits the search.
func WithLimit(runs int) Option {
	return func(s *searcher) { s.limit = runs }
}

// WithKnown gives the search an outcome of the caller's own earlier run, so that the set
// does not run again during the search. It does not replace a confirmation.
func WithKnown(set cred.Caps, outcome Outcome) Option {
	return func(s *searcher) {
		s.known[set] = Trial{Set: set, Outcome: outcome}
	}
}

const (
	// maxDenied is the largest number of AddDenied runs: a program that fails at one call
	// after the other shows one missing capability in each run. After a few, all
	// capabilities are the faster way.
	maxDenied = 6

	// maxReplacements is the largest number of Replace runs for one capability. A run has
	// rarely more than two new denials.
	maxReplacements = 3

	// maxExchanges is the largest number of capabilities that the search exchanges for less
	// powerful ones.
	maxExchanges = 4
)

// MaxRuns returns the largest number of runs of a search with this guess, for any
// function. For n capabilities it grows with the square of n. That is reached only by a
// program that often fails because of a capability that it has; otherwise, 5n + 20 is
// enough without Replace runs. A right guess of n capabilities needs n + 4 with tracing,
// one less if n is 1.
func MaxRuns(g Guess) int {
	n := g.All.Len()
	guesses := 1 + 1 + maxDenied + 1 + 1
	halves := 2 * n
	removals := n * (n + 1) / 2
	// After an exchange all removals may run again, and all replacements before the next.
	perExchange := removals + n*maxReplacements
	return guesses + halves + removals + n*maxReplacements + maxExchanges*perExchange + n + Confirmations
}
