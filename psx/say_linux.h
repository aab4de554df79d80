/* Last words. */
#ifndef CAPRUN_PSX_SAY_H
#define CAPRUN_PSX_SAY_H

#define psx_die caprun_psx_die

/*
 * Says on standard error that thread tid (0 for none in particular) has what
 * for a problem with the system call nr, and ends the process. error is an
 * errno or 0; value is what the call returned. Safe in a signal handler.
 * It waits for nobody: what standard error does not take at once is lost. The
 * exit status is 2, or SIGKILL ends the process if the write takes a second.
 */
__attribute__((noreturn)) void psx_die(const char *what, int tid, long nr, long value, int error);

#endif
