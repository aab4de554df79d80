// Package launcher translates a profile into the operations of its sealed launcher.
//
// # What a launcher does
//
//	start     count the environment, reserve the frame, refuse AT_SECURE, find the command
//	state     read the credentials of the caller into the blocks start and want
//	class     determine which plan applies to this caller
//	steps     the steps of the plan, in its order; each updates the block want
//	verify    read the credentials again and compare them with want
//	environ   build the environment of the target
//	target    find the program, judge what its file would change, exec
//	message   one line to the standard error, and exit with 125, 126 or 127
//
// Each line is a file of this package, or several.
//
// # Plans and classes
//
// The plan of a profile depends on the caller, which is known only when the launcher runs:
// whether the uid changes, and whether exec grants capabilities because the uid is 0. These
// two answers are the class of the caller, of which there are up to four. Build compiles the
// profile for a representative of each class, and merges the plans: a step that only some of
// them have is executed only in these classes. A launcher refuses a caller of a class that
// has no plan.
//
// # Memory
//
// The frame has a block of [stateSize] bytes for each of three states of the credentials:
// now is what was read last; start is the caller's; want begins as a copy of start, and each
// step writes into it what it declares. So what the profile leaves to the caller must still
// be as it was, and all else as it is declared.
//
// Every part of a launcher may use all registers, R0 to R5, and keeps in the frame what it
// needs later. A subroutine says in its comment where it expects its arguments.
//
// # Failures
//
// The slot step holds the text of what the launcher is doing. A system call that fails goes
// to the label fail, which prints this text and the error; [generator.refuse] returns a
// label that prints this text and a cause. The slot status holds the exit status.
//
// # A new kind of step
//
// Add an entry to translations, in steps.go, that appends the operations and updates want,
// or the reason why a profile with such a step cannot be sealed. A test fails for a kind
// without either.
package launcher
