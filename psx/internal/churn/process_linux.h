#ifndef CHURN_PROCESS_H
#define CHURN_PROCESS_H

/*
 * Says whether the library's own broadcasts can be used beside Go code. musl's
 * handler (as of 1.2.3) runs on the stack that it finds, and overruns the
 * small ones of goroutines.
 */
int process_broadcasts_are_safe(void);

/* setuid(2) to the present uid by the C library, on all its threads. 0 or an errno. */
int process_setuid_same(void);

/*
 * Forks. The child changes to the group id that it has, which must not wait
 * for threads that it no longer has, and ends. Returns 0, an errno, or -1 if
 * the child has failed.
 */
int process_fork(void);

/* Starts a program by posix_spawn(3) and waits for it. Returns as process_fork. */
int process_spawn(void);

/* Cancels a thread with pthread_cancel(3). Says whether that has ended it. */
int process_cancel(void);

/* Has a timer call a function on a thread of its own, once. 0 or an errno. */
int process_timer(void);

/* Sends signal 33 to a thread with a code and contents of choice. 0 or an errno. */
int process_forge(int tid, int code, int error, int value);

enum process_handler { HANDLER_DEFAULT, HANDLER_SILENT, HANDLER_FORWARDING };

/*
 * Puts another handler in the place of the one for signal 33: none, one that
 * does nothing, or one that calls the one that was there. 0 or an errno.
 */
int process_take_signal(int handler);

/* Ends the calling thread and nothing else. */
void process_end_thread(void);

/* Has the kernel put a thread of its own (io_uring) into the process. 0 or an errno. */
int process_kernel_thread(void);

int process_get_errno(void);
void process_set_errno(int value);

#endif
