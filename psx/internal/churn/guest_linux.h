#ifndef CHURN_GUEST_H
#define CHURN_GUEST_H

/* What a guest can be told to do. It goes on waiting afterwards. */
enum guest_order {
	GUEST_NOTHING,
	GUEST_BLOCK_RAW,     /* block every signal, asking the kernel itself */
	GUEST_BLOCK_LIBRARY, /* the same by pthread_sigmask(3) */
	GUEST_UNBLOCK,       /* undo both */
	GUEST_REFUSE_NAMES,  /* make prctl(PR_SET_NAME) fail with EPERM, by seccomp */
	GUEST_REUSE,         /* see reuse_linux.h */
	GUEST_VFORK,         /* sleep in vfork(2), with all signals blocked, until guest_end_vfork */
	GUEST_END,
};

/*
 * Starts a thread that waits for orders and spins or sleeps in between. cloned
 * ones come from a bare clone(2). Returns its thread number or -errno. There
 * are at most 16, and a number is used once.
 */
int guest_start(int cloned);

/* Gives the guest an order and returns when it has been carried out: 0 or an errno. */
int guest_tell(int tid, int order);

/* Ends the child of GUEST_VFORK. */
void guest_end_vfork(void);

/* Does to the calling thread what GUEST_UNBLOCK does to a guest. 0 or an errno. */
int guest_unblock(void);

#endif
