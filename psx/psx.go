// Package psx runs one system call on every thread of the process.
//
// Linux keeps credentials per thread: user IDs, capability sets, securebits,
// no_new_privs, Landlock domains. The Go runtime moves goroutines between
// threads, so a program that changes its privilege must change all of its
// threads in the same way. [Syscall3] and [Syscall6] do that.
//
// # How a call proceeds
//
// The call first runs on the calling thread. If it fails there, its error is
// returned, and no other thread has run it. If it succeeds, it runs on every
// other thread, and the function returns when every thread has run it. If
// another thread gets a different result, the threads of the process differ in
// privilege, and nothing can repair that: psx writes a message to standard
// error and ends the process with status 2. With cgo, psx does not wait for a
// reader of standard error: a message that is not accepted at once is lost.
//
// Use psx only for calls that change the calling thread, and that give the same
// result on each thread. A call that only reads needs no psx. A call that
// changes the whole process (chroot, umask, setrlimit) would run once for every
// thread. It must be safe to repeat the call: a thread that is created while psx
// runs may repeat it although it has inherited its effect.
//
// Calls are serialized: several goroutines may call at the same time, and each
// waits for its turn.
//
// # Without cgo
//
// All threads belong to the Go runtime, and [syscall.AllThreadsSyscall6] does
// the work. It waits for every thread without a time limit. It may skip a thread
// that is about to end; no Go code runs on that thread any more.
//
// # With cgo
//
// C libraries create threads that the Go runtime does not know. psx therefore
// lists the threads in /proc/self/task and sends each of them a signal, whose
// handler runs the call. The signal is number 33. A thread cannot block it by
// sigprocmask(2) or pthread_sigmask(3) of the C library, which uses it for the
// same purpose. The signals of the C library still reach the library's own
// handler, so a program can use [syscall.Setuid] and similar functions at the
// same time. (With musl 1.2.3, no Go program may use these: the handler of musl
// runs on the stacks of goroutines, which are too small for it.)
//
// Before any thread changes, psx sends the signal to each thread that has never
// answered it. After one of these errors, no thread has changed:
//
//   - ETIMEDOUT: a thread has not answered within 5 seconds. It blocks every
//     signal by a direct system call, is stopped by a debugger, or sleeps
//     uninterruptibly.
//   - ENOENT, EACCES, EMFILE, ENFILE: /proc/self/task cannot be opened. A
//     call needs two free file descriptors. It opens them before the first
//     thread changes, so the call itself may remove the right to open files.
//   - ESRCH: /proc belongs to another PID namespace.
//   - EAGAIN: the signal queue of the user is full (RLIMIT_SIGPENDING).
//   - ENOTSUP, E2BIG: the signal cannot be delivered, for example under an
//     emulator.
//   - ENOMEM.
//
// If a thread has answered before and does not answer again within 30 seconds,
// psx writes a message that names the thread, and ends the process. Time during
// which the whole process is stopped does not count. Neither does time during
// which the thread sleeps uninterruptibly, as on a file system that does not
// respond, or in vfork(2) for a program on such a file system: then the call
// waits as long as the thread sleeps.
//
// psx skips threads of the kernel (of io_uring and vhost), and dead threads that
// are still listed.
//
// # Interrupted system calls
//
// With cgo, psx interrupts each thread once when it first finds it, and once for
// each successful call. A call that fails interrupts no thread a second time.
// The handler asks the kernel to restart interrupted system calls (SA_RESTART),
// and the standard library repeats those that Linux does not restart. But C code,
// and Go code that uses package syscall directly, gets EINTR from the calls
// that, according to signal(7), are never restarted: poll, select, epoll_wait,
// nanosleep, semop, msgrcv, sigtimedwait, operations on sockets with a timeout,
// and others. A thread cannot be reached without this; [syscall.Setuid] and the
// preemption signals of the Go runtime have the same effect.
package psx

import "syscall"

// Syscall3 runs the system call with up to three arguments on every thread of
// the process. It returns the result on the calling thread, 0, and the error
// number, which is 0 for success. After an error the first result is
// ^uintptr(0). The errors of psx itself are described above, in the section
// about cgo.
//
// The second result exists because [syscall.RawSyscall] has it. It is always 0:
// no supported architecture returns a second value.
//
// An argument can point to Go memory. The memory stays alive and in place until
// Syscall3 returns if the argument list contains the conversion from
// [unsafe.Pointer] to uintptr, and Syscall3 is called by its name, also in a go
// or defer statement. A call through a variable or an interface gives no such
// guarantee, because the compiler does not know which function is called.
//
// On systems other than Linux, Syscall3 returns ENOSYS.
//
//go:uintptrescapes
func Syscall3(syscallnr, arg1, arg2, arg3 uintptr) (uintptr, uintptr, syscall.Errno) {
	return everyThread(syscallnr, arg1, arg2, arg3, 0, 0, 0)
}

// Syscall6 is like [Syscall3], with up to six arguments.
//
//go:uintptrescapes
func Syscall6(syscallnr, arg1, arg2, arg3, arg4, arg5, arg6 uintptr) (uintptr, uintptr, syscall.Errno) {
	return everyThread(syscallnr, arg1, arg2, arg3, arg4, arg5, arg6)
}

// failed is the first result of a call that has failed.
const failed = ^uintptr(0)
