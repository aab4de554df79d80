// Package search finds a least set of capabilities with which a program works.
//
//	result, err := search.Minimize(ctx, run, search.Guess{Strong: seen, All: all})
//
// The package runs nothing itself: the caller passes a function that starts the program
// with a set and reports whether it worked. It works the same on every system.
//
// # The runs
//
// Minimize calls the function with these sets, in this order:
//
//  1. no capability: if the program works, the search is over;
//  2. the strong guess; while that fails, what the kernel denied in the failed run is
//     added; then the weak guess is added; at last, all capabilities;
//  3. if only all capabilities work, all without halves, quarters and so on of those that
//     no guess named;
//  4. the set without one capability, the most powerful first, until no capability can be
//     removed: each of these runs failed;
//  5. the set with one capability replaced by one that the kernel denied instead of it. A
//     less powerful one is taken, and step 4 repeated; a more powerful one is reported as
//     an alternative;
//  6. the failed runs without one capability of the set in which no denial of it was seen,
//     once more: such a failure can be chance. Without tracing these are all of them;
//  7. the final set, twice more.
//
// No set runs twice before step 6: its outcome is remembered.
//
// # What the result means
//
// With [Result.Minimal], the program worked with the set in every run, at least twice, and
// failed in a run without any one of its capabilities. That is true for every function
// that gives equal sets equal outcomes, also for one that fails with more capabilities
// than it needs. It does not mean that no other set is smaller; if the program never fails
// because of a capability that it has, no subset of the set works.
//
// A program that does not always do the same cannot be recognized with certainty. If two
// runs with the same set have different outcomes, the search ends and the result is
// [Result.Unstable].
//
// The package serves the command. Its Go API may change in any release.
package search
