//go:build !cgo

package psx

// skipsEndingThreads: the Go runtime passes over threads that are about to
// end. They run no Go code any more, but are still there for a moment.
const skipsEndingThreads = true
