// Package conformance compares package cap with the one whose API it offers,
// kernel.org/pub/linux/libs/security/libcap/cap, by running both: the exported
// names and types, what they make of text, sets, tuples and files, and what
// each call does to a process.
//
// It is a module of its own, so that no user of caprun depends on that
// package. Every difference is either listed in the documentation of package
// cap, with the reason, or a failure here.
package conformance
