// Package psx runs one system call on every thread of the process.
//
// Linux keeps credentials per thread: user ids, capability sets, securebits,
// no_new_privs, Landlock domains. Go moves goroutines between threads as it
// likes, so a program that changes its privilege must change all of its
// threads alike. [Syscall3] and [Syscall6] do that.
//
// # What a call does
//
// The call runs on the calling thread first. If it fails there, its error is
// returned and no other thread has been touched. If it succeeds, it runs on
// every other thread, and the function returns when no thread is left that
// has not run it. A thread whose result differs from the first one's leaves
// the process with mixed privilege, which nothing can mend: the process says
// so on standard error and ends.
//
// Only use calls that change the thread they run on, and that give the same
// result on each thread. A call that only reads needs no psx. A call that
// changes the whole process (chroot, umask, setrlimit) would be run once for
// every thread.
//
// Calls are serialised: goroutines may call at the same time, and each waits
// for its turn.
package psx

import "syscall"

// Syscall3 runs the system call with up to three arguments on every thread
// of the process. It returns what the calling thread got: the result, 0, and
// the error number, 0 for success. After a failure the first result is
// ^uintptr(0).
//
// The second result exists for the sake of the signature, which is that of
// [syscall.RawSyscall]. No supported architecture returns a second value, so
// it is always 0.
//
// Memory that an argument points to is kept alive and in place when the
// conversion from [unsafe.Pointer] stands in the argument list itself.
//
// On systems other than Linux the error is ENOSYS.
//
//go:uintptrescapes
func Syscall3(syscallnr, arg1, arg2, arg3 uintptr) (uintptr, uintptr, syscall.Errno) {
	return everyThread(syscallnr, arg1, arg2, arg3, 0, 0, 0)
}

// Syscall6 is [Syscall3] with up to six arguments.
//
//go:uintptrescapes
func Syscall6(syscallnr, arg1, arg2, arg3, arg4, arg5, arg6 uintptr) (uintptr, uintptr, syscall.Errno) {
	return everyThread(syscallnr, arg1, arg2, arg3, arg4, arg5, arg6)
}

// failed is the first result of a call that has failed.
const failed = ^uintptr(0)
