/* Ending the process when its threads differ in privilege. */
#ifndef CAPRUN_PSX_FATAL_H
#define CAPRUN_PSX_FATAL_H

#define psx_fatal caprun_psx_fatal

/*
 * Writes a message to standard error and ends the process with status 2. The
 * message says what happened to thread tid (0 for an unknown thread) with the
 * system call nr, which returned value; error is an errno or 0.
 *
 * Safe in a signal handler. It does not wait for a reader: what standard error
 * does not accept at once is lost. If the write takes a second, SIGKILL ends the
 * process.
 */
__attribute__((noreturn)) void psx_fatal(const char *what, int tid, long nr, long value, int error);

#endif
