package search

import (
	"context"

	"caprun/engine/cred"
)

// Outcome is what one run of the program showed.
type Outcome struct {
	// Works reports whether the program did what it is for.
	Works bool

	// Denied are the capabilities that the kernel denied in this run; empty without
	// tracing. Checks without meaning, such as those of memory accounting, are left out.
	Denied cred.Caps
}

// Func runs the program with a set of capabilities. An error ends the search; a program
// that fails is not an error. If ctx is cancelled, Func returns soon, and what it returns
// then is ignored.
type Func func(ctx context.Context, set cred.Caps) (Outcome, error)

// Guess is what is known before the first run. Strong and Weak may be empty.
type Guess struct {
	// Strong are the capabilities that are probably necessary.
	Strong cred.Caps

	// Weak are capabilities that were checked and are probably not necessary.
	Weak cred.Caps

	// All are the capabilities that the reference run had. The search uses no other.
	All cred.Caps
}

// Trial is one run.
type Trial struct {
	// Run is the number of the run: the first call of Func is 1.
	Run int

	// Purpose is the reason for the run.
	Purpose Purpose

	// Set are the capabilities that the program had.
	Set cred.Caps

	// Without are the capabilities that the run leaves out of the set that it examines,
	// With those that it adds. Both may be empty.
	Without, With cred.Caps

	// Outcome is the zero value before the end of the run.
	Outcome Outcome
}

// Result is what the runs of a search showed.
type Result struct {
	// Works reports whether the program worked with any set. If not, Set is empty.
	Works bool

	// Set is the smallest set with which the program was seen to work.
	Set cred.Caps

	// NoneWorks reports that the first run, without capabilities, worked: the program
	// needs none, or the test does not notice what is missing.
	NoneWorks bool

	// Necessary has, for a capability of Set, the run without only this capability, which
	// failed. A capability that was not tried has no entry.
	Necessary map[int]Trial

	// Minimal reports that each capability of Set is in Necessary, that Set worked in each
	// confirmation, and that no two runs with equal sets had different outcomes. It is
	// false if the search was interrupted or reached its limit.
	Minimal bool

	// Confirmed is the number of runs with Set that worked after the search: 0 to
	// [Confirmations].
	Confirmed int

	// Unstable reports that two runs with the same set had different outcomes. Contrary are
	// these runs.
	Unstable bool
	Contrary [2]Trial

	// LimitReached reports that the search ended because of [WithLimit].
	LimitReached bool

	// Alternatives are other sets of the same size with which the program was seen to
	// work, in the order of their numbers. There may be more.
	Alternatives []cred.Caps

	// Runs is the number of calls of Func.
	Runs int

	// Trials are the completed runs, in order.
	Trials []Trial
}

// Confirmations is the number of runs with the final set after the search.
const Confirmations = 2
