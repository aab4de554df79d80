/* The signal that brings a thread to run the call: sending and receiving. */
#ifndef CAPRUN_PSX_SIGNAL_H
#define CAPRUN_PSX_SIGNAL_H

#define psx_signal_send caprun_psx_signal_send
#define psx_signal_ready caprun_psx_signal_ready
#define psx_signal_received caprun_psx_signal_received

/*
 * Makes sure that the signal reaches our handler, by sending it to the calling
 * thread, whose numbers these are. A handler that stands in its place gets what
 * is not ours. lost says whether ours was not reached until now, so that
 * signals may be lost. Returns 0 or an errno: ENOTSUP when the signal cannot
 * reach it.
 */
int psx_signal_ready(int pid, int tid, int *lost);

/*
 * Queues the signal for one thread of this process, which has the number pid.
 * round and index arrive with it; index is not negative. Returns 0 or an errno:
 * ESRCH for a thread that is gone, EAGAIN when the user's signal queue is full.
 */
int psx_signal_send(int pid, int tid, unsigned round, int index);

/*
 * Called by the handler on the thread that received the signal. It may run
 * anywhere in the program, so it must be async-signal-safe.
 */
void psx_signal_received(unsigned round, int index);

#endif
