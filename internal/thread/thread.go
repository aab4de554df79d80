// Package thread keeps a goroutine on its thread.
//
// The first runtime.LockOSThread of a program starts a further thread, from
// which others are cloned from then on. A launch would start it only to have it
// killed: a twentieth of its time. But the runtime runs every init function on
// the first thread, and its goroutine stays there until the last of them has
// returned. So caprun does its work in one, and needs no other lock.
package thread

import "runtime"

// initializing tells that an init function is at work in InInit.
var initializing bool

// InInit calls work and returns what it returns. It must be called by an init
// function, and by no other.
func InInit(work func() int) int {
	initializing = true
	defer func() { initializing = false }()
	return work()
}

// Lock wires the calling goroutine to its thread, as runtime.LockOSThread does.
// Nothing undoes it.
func Lock() {
	// While an init function is at work the first thread runs no other
	// goroutine, so who is there is the one that cannot leave.
	if initializing && onFirst() {
		return
	}
	runtime.LockOSThread()
}
