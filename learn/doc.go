// Package learn finds the least privilege with which a program works, by running it.
//
// [Learn] is the procedure. It starts nothing itself: a [Machine] runs the program, and
// package run does that on Linux. The other packages below it record the capability
// checks of the kernel (observe), summarize them (classify), search the least set
// (search) and word what was found (evidence).
//
// # The procedure
//
// With a test, it runs once before the first run, without the program: if it succeeds, it
// would do so whatever the program does, and the procedure ends. It runs like that again if
// the program works without any capability: a run can have left what the test checks.
//
//  1. A reference run with every capability that the base profile and the caller allow.
//     If it fails, it is repeated once; if it fails again, nothing can be learned. If the
//     program then ends by itself with a failure, a test that succeeds confirms nothing.
//  2. The search: a run without capabilities, then with those that the reference run
//     used, then without each one, and two more runs with the result. See package
//     search.
//  3. no_new_privs, and noroot with its lock: each is part of the profile if the program
//     works with it as well. They are not tried if the program executes set-user-ID or
//     set-group-ID files or files with file capabilities, or if that is unknown: then a
//     run that works proves nothing for the next one.
//  4. If the program changes to another user by itself, the same for a start as that
//     user.
//
// No run has more privilege than the base profile declares, and none more than the
// caller has.
//
// A program that works has four times as long as in the reference run. If a run fails
// because of this limit, and the kernel has not denied what it lacked, it is repeated with
// the whole time limit before its result counts.
//
// The package serves the command. Its Go API may change in any release.
package learn
