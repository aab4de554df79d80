// Package kernel models one task of Linux for tests of sealed launchers: its credentials (by
// package cred), the files that it can reach, its descriptors, limits, session and keyring.
// It makes no system calls and works the same on every operating system.
//
// A [Kernel] executes the system calls that package op declares. A call, or an argument,
// that the model does not know is an error of the test and never an error number, so that
// a launcher cannot use what nobody has modelled.
package kernel
