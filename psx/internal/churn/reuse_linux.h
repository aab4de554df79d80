#ifndef CHURN_REUSE_H
#define CHURN_REUSE_H

/* Sets the guest that reuse replaces, and the name that it waits for. */
void reuse_prepare(int tid, const char *name);

/*
 * Runs on a guest that blocks every signal. When the other guest has the name, it
 * ends that one, starts a new guest with the same number, and unblocks the signals
 * of both. Needs a PID namespace without other processes. Returns 0, an errno, or
 * -1 if the number was not available.
 */
int reuse(void);

#endif
