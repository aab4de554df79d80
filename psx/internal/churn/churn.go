// Package churn creates threads of C code for the tests of package psx, in every
// state that a thread can have. It is a package because test files cannot contain C.
// Without cgo, and on systems other than Linux, it is empty.
package churn
