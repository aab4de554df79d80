#ifndef CHURN_H
#define CHURN_H

enum churn_kind {
	CHURN_JOINED,   /* pthread_create and pthread_join */
	CHURN_DETACHED, /* pthread_create of detached threads */
	CHURN_CLONED,   /* clone(2): the C library does not know the thread */
	CHURN_QUEUED,   /* each maker keeps 32 threads, of which the oldest ends next */
	CHURN_RELAY,    /* each thread creates its successor and ends */
};

/*
 * Starts this many makers, which create and end threads, with a pause in
 * microseconds between two of them. Returns 0 or an errno.
 */
int churn_start(int kind, int makers, long pause);

/* Stops all makers and returns the number of threads that have ended. */
unsigned long churn_stop(void);

#endif
