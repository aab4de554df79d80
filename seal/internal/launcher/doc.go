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
// now has what was read last, and what the launcher has changed since; start is the
// caller's; want begins as a copy of start, and each step writes into it what it declares.
// So what the profile leaves to the caller must still be as it was, and all else as it is
// declared. A step decides by the block now whether it has to change something. That the
// block is right is found out by verify: it reads the whole state again.
//
// Every part of a launcher may use all registers, R0 to R5, and keeps in the frame what it
// needs later. A subroutine says in its comment where it expects its arguments, and which
// registers it keeps if its callers rely on that.
//
// The slots pair and second are for everyone, and for a short time: for an argument or a
// result of a system call, or a value to keep over a few operations. No value is in them
// from one step to the next. A subroutine that uses them says so in its comment; do not call
// it while a value is in them.
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
//
// For a new system call, declare it in sys.go of package op, with its name, add its number to
// numbers.go of both back ends and a model of it to package kernel below interp. The tests of
// these packages fail for a call that lacks one of them. Constants of its arguments belong in
// linux.go, where a test compares them with those of the kernel.
//
// For a new word of the state, add its offset to the constants of frame.go, raise stateSize,
// and name it in stateWords. Read it in readState, and let the step write it into want: verify
// compares every word. Add it to the credentials of the model and to differences, in
// promise_test.go, so that the fault tests notice a wrong one.
package launcher
