/* What Go calls. */
#ifndef CAPRUN_PSX_EVERYTHREAD_H
#define CAPRUN_PSX_EVERYTHREAD_H

/* Names that the linker of a larger program could meet twice. */
#define psx_every_thread caprun_psx_every_thread

struct psx_call {
	long nr;
	long args[6];
};

struct psx_result {
	long value;
	int error; /* an errno; value is -1 then */
};

/*
 * Runs the call on every thread of the process. The caller sees to it that
 * only one thread is in here at a time. The two times are in milliseconds.
 * errno stays as it was.
 */
struct psx_result psx_every_thread(struct psx_call call, long patience_before, long patience_after);

#endif
