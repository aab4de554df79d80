// Package stack makes the stack of the main goroutine large before it is deep.
//
// A goroutine begins with a few kilobytes. Whenever that does not suffice the
// runtime copies the stack to one of twice the size, and looks every frame up
// in its tables: in a program that has just begun, each page of them is a page
// fault, and so is each stack that the runtime cuts from new memory. The
// packages that read YAML and a launch would grow it three times, which takes
// more than all system calls of a launch. Here it grows once, with four frames.
//
// The package imports nothing, so that it is initialised before all others but
// the runtime: packages without uninitialised imports come in the order of
// their paths. To import it is all that there is to do.
package stack

// size makes the runtime choose 16 KiB, which suffices for a launch.
const size = 9 << 10

func init() { grow() }

//go:noinline
func grow() {
	var room [size]byte
	touch(&room)
}

// touch keeps room from being left out.
//
//go:noinline
func touch(*[size]byte) {}
