/* Which threads the process has, and what is known of each. */
#ifndef CAPRUN_PSX_THREADS_H
#define CAPRUN_PSX_THREADS_H

#include <stdint.h>

#define psx_threads_open caprun_psx_threads_open
#define psx_threads_close caprun_psx_threads_close
#define psx_threads_look caprun_psx_threads_look
#define psx_threads_at caprun_psx_threads_at
#define psx_threads_never_answers caprun_psx_threads_never_answers

/* One life of one thread: a number that is used again is another thread. */
struct psx_thread {
	int tid;
	uint64_t inode;    /* of its directory in /proc: tells lives apart */
	unsigned since;    /* the first look that found it */
	unsigned seen;     /* the last look that found it */
	unsigned asked;    /* the last round it was signalled for */
	unsigned answered; /* the last round it answered, 0 for none */
	unsigned settled;  /* the last round in which nothing was left for it to do */
	unsigned ran;      /* the last call it ran, 0 for none */
	int excused;       /* it never answers and need not */
};

/*
 * Opens what the rest needs, so that nothing has to be opened later. Returns 0
 * or an errno; after 0, psx_threads_close must follow.
 */
int psx_threads_open(void);
void psx_threads_close(void);

/*
 * Lists the threads anew. look is then the number that their seen has.
 * complete says whether the list is known to be the exact set of the threads
 * at the moment when the look began. Returns 0 or an errno.
 */
int psx_threads_look(unsigned *look, int *complete);

/*
 * The record with that index, or NULL past the last one. It stays where it is
 * until the next psx_threads_open, and is safe to ask for in a signal handler.
 */
struct psx_thread *psx_threads_at(int index);

/*
 * Says whether a thread that does not answer is one that never will and need
 * not: dead but not yet reaped, or a thread of the kernel's own.
 */
int psx_threads_never_answers(int tid);

#endif
