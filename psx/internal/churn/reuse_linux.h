#ifndef CHURN_REUSE_H
#define CHURN_REUSE_H

/* Says which guest reuse is to replace, and the name that it waits for. */
void reuse_prepare(int tid, const char *name);

/*
 * Runs on a guest that blocks every signal. When the other guest has the name,
 * ends it and starts one with the same number, and then unblocks both. Needs a
 * pid namespace of its own. Returns 0, an errno, or -1 if the number was not
 * to be had.
 */
int reuse(void);

#endif
