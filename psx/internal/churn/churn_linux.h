#ifndef CHURN_H
#define CHURN_H

enum churn_kind {
	CHURN_JOINED,   /* pthread_create and pthread_join */
	CHURN_DETACHED, /* pthread_create of detached threads */
	CHURN_CLONED,   /* bare clone(2): no library knows the thread */
	CHURN_QUEUED,   /* each maker has 32 of them, and the oldest ends */
	CHURN_RELAY,    /* each thread makes its successor and ends */
};

/*
 * Starts makers that make threads and end them, one after the other, with a
 * pause in microseconds between two. Returns 0 or an errno.
 */
int churn_start(int kind, int makers, long pause);

/* Stops them all and returns how many threads there have been. */
unsigned long churn_stop(void);

#endif
