/* The entry point, which Go calls. */
#ifndef CAPRUN_PSX_EVERYTHREAD_H
#define CAPRUN_PSX_EVERYTHREAD_H

/* A prefix, because a larger program may contain another psx. */
#define psx_every_thread caprun_psx_every_thread

struct psx_call {
	long nr;
	long args[6];
};

struct psx_result {
	long value;
	int error; /* an errno, or 0; value is -1 after an error */
};

/*
 * Runs the call on every thread of the process. Only one thread may call this at
 * a time. The timeouts are in milliseconds: for a thread to answer before any
 * thread has changed, and for a thread to run the call. errno is not changed.
 */
struct psx_result psx_every_thread(struct psx_call call, long probe_timeout, long run_timeout);

#endif
