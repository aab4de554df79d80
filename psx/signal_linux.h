/* The signal whose handler runs the call: sending and receiving it. */
#ifndef CAPRUN_PSX_SIGNAL_H
#define CAPRUN_PSX_SIGNAL_H

#define psx_signal_send caprun_psx_signal_send
#define psx_signal_ready caprun_psx_signal_ready
#define psx_signal_received caprun_psx_signal_received

/*
 * Ensures that the signal reaches our handler: it sends the signal to the calling
 * thread, and installs the handler where that is needed. pid and tid are the
 * numbers of the process and of the calling thread. *lost says whether the handler
 * had to be installed, so that earlier signals may be lost. Returns 0 or an errno:
 * ENOTSUP if the signal does not reach our handler.
 */
int psx_signal_ready(int pid, int tid, int *lost);

/*
 * Queues the signal for one thread of this process, which has the number pid. The
 * handler receives round and index; index is not negative. Returns 0 or an errno:
 * ESRCH if the thread has ended, EAGAIN if the signal queue of the user is full.
 */
int psx_signal_send(int pid, int tid, unsigned round, int index);

/*
 * The handler calls this on the thread that received the signal. It may interrupt
 * any code of the program, so it must be async-signal-safe.
 */
void psx_signal_received(unsigned round, int index);

#endif
