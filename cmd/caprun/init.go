package main

// With -init caprun supervises the program that it starts: docs/init.md. The
// supervisor starts caprun again as its child before it has changed anything,
// and that child carries out the launch as any other caprun does.

// childArgument is the first argument of the caprun that a supervisor starts.
// The second is a descriptor to read an initOrder from, the others are the
// command line of the program.
//
// Whoever writes it himself gets what "caprun -profile -" would give him: the
// profile comes from a descriptor that he has opened, and he passes on
// privilege that he has, for caprun is never set-id.
const childArgument = "-init-child"

// initOrder is what a supervisor tells its child.
type initOrder struct {
	Parent  int    // the pid of the supervisor
	Profile []byte // what messages call the profile; a path need not be UTF-8
	Text    []byte // of the profile
	DryRun  bool
}
