/* The list of the threads of the process, and a record of each. */
#ifndef CAPRUN_PSX_THREADS_H
#define CAPRUN_PSX_THREADS_H

#include <stdint.h>

#define psx_threads_open caprun_psx_threads_open
#define psx_threads_close caprun_psx_threads_close
#define psx_threads_scan caprun_psx_threads_scan
#define psx_threads_at caprun_psx_threads_at
#define psx_threads_state caprun_psx_threads_state

/*
 * The record of one thread. When the kernel uses a thread number again, that is
 * another thread, with a record of its own.
 *
 * Three counters increase during the life of the process. A call consists of
 * rounds, and a round of scans of the list of threads:
 *
 *	call   |------------------ 5 -------------------|----- 6 ---
 *	round  |--- 8 ----|-- 9 --|--- 10 ---|--- 11 ---|--- 12 ----
 *	scan   |-20-|-21--|-22-23-|-24-|-25--|-26-|-27--|-28-|-29---
 *
 * first_seen and last_seen are numbers of scans; signalled, settled and answered
 * are numbers of rounds; ran is the number of a call. Equal to the current number,
 * each of them means:
 *
 *	last_seen  == scan    the scan has found the thread
 *	first_seen == scan    no earlier scan had found it
 *	signalled  == round   the signal has been sent
 *	answered   == round   the handler has answered it
 *	settled    == round   nothing was left to do when the scan began
 *	ran        == call    the handler has run the system call
 */
struct psx_thread {
	/* Only the caller reads and writes these, but the handler reads tid. */
	int tid;
	uint64_t inode;      /* of its directory in /proc: differs if tid is used again */
	unsigned first_seen; /* the first scan that found it, 0 in an earlier call */
	unsigned last_seen;  /* the last scan that found it */
	unsigned signalled;  /* the last round in which the signal was sent to it */
	unsigned settled;    /* the last round in which nothing was left for it to do */
	int responsive;      /* it has answered once */
	int ignored;         /* it never answers and need not */

	/* The thread itself writes these, in its handler. */
	unsigned answered; /* the last round that it answered */
	unsigned ran;      /* the last call that it ran */
};

/*
 * Opens all files that the other functions need. pid and tid are the numbers of
 * the process and of the calling thread. Returns 0 or an errno; after 0,
 * psx_threads_close must follow.
 */
int psx_threads_open(int pid, int tid);
void psx_threads_close(void);

/*
 * Lists the threads and sets last_seen of each to *scan. *complete says whether
 * the list is known to be the exact set of the threads at the moment when the scan
 * began. Returns 0 or an errno.
 */
int psx_threads_scan(unsigned *scan, int *complete);

/*
 * Returns the record with this index, or NULL after the last one. A record does
 * not move until the next psx_threads_open. Safe in a signal handler.
 */
struct psx_thread *psx_threads_at(int index);

enum psx_state {
	PSX_CAN_ANSWER,
	PSX_SLEEPS,        /* uninterruptibly, in the kernel */
	PSX_NEVER_ANSWERS, /* and need not: a dead thread, or one of the kernel */
};

/* Returns the state of a thread that has not answered. */
enum psx_state psx_threads_state(int tid);

#endif
