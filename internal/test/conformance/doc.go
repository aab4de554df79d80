// Package conformance compares package cap with the package whose API it offers,
// kernel.org/pub/linux/libs/security/libcap/cap, by running both: the exported names
// and types, the results for text, sets, tuples and files, and the effect of each
// call on a process.
//
// It is a separate module, so that users of caprun do not depend on that package.
// Every difference is either listed in the documentation of package cap, with the
// reason, or a failure here.
package conformance
