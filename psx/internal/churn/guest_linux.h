#ifndef CHURN_GUEST_H
#define CHURN_GUEST_H

/* The orders of a guest, which waits for the next order afterwards. */
enum guest_order {
	GUEST_NOTHING,
	GUEST_BLOCK_RAW,     /* block every signal by a direct system call */
	GUEST_BLOCK_LIBRARY, /* block every signal by pthread_sigmask(3) */
	GUEST_UNBLOCK,       /* undo both */
	GUEST_REFUSE_NAMES,  /* make prctl(PR_SET_NAME) fail with EPERM, by seccomp */
	GUEST_REUSE,         /* see reuse_linux.h */
	GUEST_VFORK,         /* sleep in vfork(2), with all signals blocked, until guest_end_vfork */
	GUEST_END,
};

/*
 * Starts a thread that waits for orders, by pthread_create(3), or if cloned by
 * clone(2). A process can start 16 of them. Returns the thread number or -errno.
 */
int guest_start(int cloned);

/* Gives the guest an order, waits until it is done, and returns its result: 0 or an errno. */
int guest_tell(int tid, int order);

/* Ends the child of GUEST_VFORK. */
void guest_end_vfork(void);

/* Unblocks every signal of the calling thread. Returns 0 or an errno. */
int guest_unblock(void);

#endif
