#ifndef CHURN_PROCESS_H
#define CHURN_PROCESS_H

/*
 * Returns whether Go programs can use the functions of the C library that run a
 * call on all threads. The signal handler of musl 1.2.3 runs on the current stack,
 * and overruns the small stacks of goroutines.
 */
int process_broadcasts_are_safe(void);

/* Calls setuid(3) with the current uid, on all threads. Returns 0 or an errno. */
int process_setuid_same(void);

/*
 * Forks a child that calls setgid(3) with its current gid and ends. That call must
 * not wait for threads of the parent. Returns 0, an errno, or -1 if the child has
 * failed.
 */
int process_fork(void);

/* Runs a program by posix_spawn(3). Returns the same as process_fork. */
int process_spawn(void);

/* Cancels a thread by pthread_cancel(3). Returns whether the thread has ended. */
int process_cancel(void);

/* Has a timer call a function once, on a new thread. Returns 0 or an errno. */
int process_timer(void);

/* Sends signal 33 to a thread, with these members of siginfo_t. Returns 0 or an errno. */
int process_forge(int tid, int code, int error, int value);

enum process_handler { HANDLER_DEFAULT, HANDLER_SILENT, HANDLER_FORWARDING };

/*
 * Replaces the handler of signal 33 by the default action, by a handler that does
 * nothing, or by one that calls the previous handler. Returns 0 or an errno.
 */
int process_take_signal(int handler);

/* Ends only the calling thread. Does not return. */
void process_end_thread(void);

/* Makes the kernel create a kernel thread (of io_uring) in the process. Returns 0 or an errno. */
int process_kernel_thread(void);

int process_get_errno(void);
void process_set_errno(int value);

#endif
