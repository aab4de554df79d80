//go:build !cgo

package psx

// skipsEndingThreads: the Go runtime skips threads that are about to end. They run
// no Go code any more, but still exist for a short time.
const skipsEndingThreads = true
