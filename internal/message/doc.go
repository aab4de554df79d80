// Package message writes the messages of a launch to the standard error without
// waiting for a reader.
//
// Another process can stop reading a pipe, or stop a terminal. Such a process must
// not be able to keep a refused launch from exiting with its status, nor a
// supervisor from forwarding signals and reaping. So a message that cannot be
// written within 0.2 seconds is dropped: by a Writer on the thread of the caller,
// by a Queue on a thread of its own, while the caller continues at once.
//
// Neither changes the flags of the open file description. A Writer and the sending
// end of a Queue are for one goroutine. One case can block longer: another process
// holds the kernel's lock of the same file, docs/launch.md.
package message
