// Package classify says what the capability checks of a recording mean.
//
//	uses := classify.Summarize(recording) // uses[n] describes capability n
//	guess := search.Guess{Strong: uses.Strong(), Weak: uses.Weak(), All: all}
//
// Not every check means that the program needs the capability: the kernel checks
// cap_sys_admin each time a process reserves memory, and asks for many capabilities only
// to decide how to do what the program may do anyway. [ClassOf] sorts checks by what they
// mean.
//
// The package is pure and works on every system. Texts in its results are copied from the
// recording, so the observed programs control them.
//
// The package serves the command. Its Go API may change in any release.
package classify
