#ifndef CHURN_LONGCALL_H
#define CHURN_LONGCALL_H

enum long_call {
	LONG_READ,     /* a pipe */
	LONG_WRITE,    /* a full pipe */
	LONG_ACCEPT,
	LONG_RECEIVE,  /* a socket */
	LONG_LOCK,     /* fcntl(F_OFD_SETLKW) */
	LONG_FLOCK,
	LONG_WAITPID,
	LONG_FUTEX,    /* without a time limit */
	LONG_COND,     /* pthread_cond_timedwait(3) */
	LONG_SEM,      /* sem_wait(3) */
	LONG_OPEN,     /* a FIFO */
	/* According to signal(7), the kernel never restarts the following. */
	LONG_POLL,
	LONG_SELECT,
	LONG_EPOLL,
	LONG_NANOSLEEP,
	LONG_RECEIVE_LIMIT, /* a socket with SO_RCVTIMEO */
	LONG_SIGTIMEDWAIT,
	LONG_CALLS,
};

/* Starts a thread for each of these calls. Returns 0 or an errno. */
int long_start(void);

/*
 * Ends the calls by the event that each waits for, and stores their results: 0 or
 * an errno.
 */
void long_end(int results[LONG_CALLS]);

#endif
