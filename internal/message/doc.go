// Package message writes the messages of a launch to the standard error without
// waiting long for a reader.
//
// Another process can stop reading a pipe, or stop a terminal. It must not be able to
// delay the exit of a refused launch, nor a supervisor that forwards signals and reaps
// children. So a message that cannot be written within 0.2 seconds is dropped. A Writer
// waits on the thread of the caller; a Queue waits on another thread, and the caller
// continues at once.
//
// Neither changes the flags of the open file description. A Writer and the sending end
// of a Queue are for one goroutine. One case can block longer: another process holds the
// kernel's lock of the same file, see docs/launch.md.
package message
