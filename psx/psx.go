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
// returned and no other thread has run it. If it succeeds, it runs on every
// other thread, and the function returns when no thread is left that has not
// run it. A thread whose result differs from the first one's leaves the
// process with mixed privilege, which nothing can fix: the process says so
// on standard error and ends with status 2. With cgo it does not wait for a
// reader of standard error: a message that is not accepted at once is lost.
//
// Only use calls that change the thread they run on, and that give the same
// result on each thread. A call that only reads needs no psx. A call that
// changes the whole process (chroot, umask, setrlimit) would be run once for
// every thread. A call must bear being repeated: a thread that is born
// meanwhile may run it although it has inherited its effect.
//
// Calls are serialised: goroutines may call at the same time, and each waits
// for its turn.
//
// # Without cgo
//
// All threads are Go's own, and [syscall.AllThreadsSyscall6] does the work. It
// waits for every thread without a limit. A thread that is about to end may be
// passed over; no Go code runs on it any more.
//
// # With cgo
//
// C libraries make threads that Go does not know of. So the threads are read
// from /proc/self/task, and a signal brings each of them to run the call. It
// is the signal 33, which no thread blocks that uses sigprocmask(2) or
// pthread_sigmask(3), and which the C library uses in the same way;
// what the library sends still reaches its own handler. Programs can go on
// using [syscall.Setuid] and the like at the same time. (Under musl as of
// 1.2.3 these must not be used in any Go program: their handler runs on the
// stacks of goroutines, which are too small.)
//
// Before the first thread changes, threads that have never answered the signal
// are asked to. These errors mean that nothing has changed:
//
//   - ETIMEDOUT: a thread has not answered within 5 seconds. It blocks every
//     signal by a bare system call, is stopped by a debugger, or sleeps
//     uninterruptibly.
//   - ENOENT, EACCES, EMFILE, ENFILE: /proc/self/task cannot be opened. A
//     call needs two free descriptors. What it needs is open before the first
//     thread changes, so it may itself take away the right to open files.
//   - ESRCH: /proc belongs to another pid namespace.
//   - EAGAIN: the user's signal queue is full (RLIMIT_SIGPENDING).
//   - ENOTSUP, E2BIG: the signal cannot be delivered, as under an emulator.
//   - ENOMEM.
//
// A thread that has answered before and does not answer later ends the
// process, after 30 seconds, with a message that names it. Time in which the
// whole process is stopped does not count. Nor does time in which such a thread
// sleeps uninterruptibly, as for a file system that hangs, or in vfork(2) for
// a program that is on one: then the call waits as long as the thread does.
//
// Threads of the kernel's own (of io_uring and vhost) and dead ones that are
// still listed are passed over.
//
// # Interrupted system calls
//
// With cgo, each thread is interrupted once when it is first seen and once
// for each successful call; a call that fails interrupts no thread a second
// time. The handler asks for interrupted system calls to be resumed
// (SA_RESTART), and Go's own packages resume what Linux does not. But C code,
// and Go code that uses package syscall directly, sees EINTR from those calls
// that signal(7) says are never resumed: poll, select, epoll_wait, nanosleep,
// semop, msgrcv, sigtimedwait, sockets with a time limit, and others. There
// is no way to reach a thread that would spare them; [syscall.Setuid] and the
// preemption signals of the Go runtime have the same effect.
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
// An argument can point to memory of Go. The memory stays alive and in place
// until Syscall3 returns if the conversion from [unsafe.Pointer] to uintptr is
// in the argument list and Syscall3 is called by its name, also in a go or
// defer statement. A call through a variable or an interface gives no such
// guarantee: the compiler does not know the function there.
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
