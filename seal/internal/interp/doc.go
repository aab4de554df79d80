// Package interp executes the operations of a sealed launcher, on any operating system. Only
// tests use it.
//
// A [Kernel] answers the system calls: package kernel is a model of Linux, without Linux.
// [Run] executes a program from its start to its exit or exec. A [Machine] executes it from
// one system call to the next, and can be copied in between, so that a test can continue
// from the same state with each possible result of a call.
//
// The machine is stricter than a processor. These are errors, because each is a bug of the
// launcher: an address outside of the memory that package op describes, a write to the data,
// a read of memory or of a register that nothing has written, a jump to an address that is
// not that of a label or the return address of a call, and a program that continues after
// its end.
package interp
