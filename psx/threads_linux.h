/* Which threads the process has, and what is known of each. */
#ifndef CAPRUN_PSX_THREADS_H
#define CAPRUN_PSX_THREADS_H

#include <stdint.h>

#define psx_threads_open caprun_psx_threads_open
#define psx_threads_close caprun_psx_threads_close
#define psx_threads_look caprun_psx_threads_look
#define psx_threads_at caprun_psx_threads_at
#define psx_threads_state caprun_psx_threads_state

/*
 * One life of one thread: a number that is used again is another thread.
 *
 * Three counters run through the life of the process. A call consists of
 * rounds, a round of looks at the list of threads:
 *
 *	call   |------------------ 5 -------------------|----- 6 ---
 *	round  |--- 8 ----|-- 9 --|--- 10 ---|--- 11 ---|--- 12 ----
 *	look   |-20-|-21--|-22-23-|-24-|-25--|-26-|-27--|-28-|-29---
 *
 * since and seen are looks, asked, settled and answered are rounds, ran is a
 * call. Each answers one question when it is equal to the present number:
 *
 *	seen     == look    the look has found the thread
 *	since    == look    no look before it had
 *	asked    == round   the signal has been sent
 *	answered == round   the handler has answered it
 *	settled  == round   nothing was left to do when the look began
 *	ran      == call    the handler has run the system call
 */
struct psx_thread {
	/* The caller alone reads and writes these. The handler reads tid. */
	int tid;
	uint64_t inode;   /* of its directory in /proc: tells lives apart */
	unsigned since;   /* the first look that found it, 0 in an earlier call */
	unsigned seen;    /* the last look that found it */
	unsigned asked;   /* the last round it was signalled for */
	unsigned settled; /* the last round in which nothing was left for it to do */
	int known;        /* it has answered once */
	int excused;      /* it never answers and need not */

	/* The thread itself writes these, in its handler. */
	unsigned answered; /* the last round it answered */
	unsigned ran;      /* the last call it ran */
};

/*
 * Opens what the rest needs, so that nothing has to be opened later. The two
 * numbers are those of the process and of the calling thread. Returns 0 or an
 * errno; after 0, psx_threads_close must follow.
 */
int psx_threads_open(int pid, int tid);
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

enum psx_state {
	PSX_CAN_ANSWER,
	PSX_SLEEPS,        /* uninterruptibly, in the kernel */
	PSX_NEVER_ANSWERS, /* and need not: dead but not yet reaped, or the kernel's own */
};

/* Says why a thread may not have answered. */
enum psx_state psx_threads_state(int tid);

#endif
