/* Waiting for a word of memory to change: futex(2), private to this process. */
#ifndef CAPRUN_PSX_FUTEX_H
#define CAPRUN_PSX_FUTEX_H

#include <errno.h>
#include <limits.h>
#include <stddef.h>
#include <sys/syscall.h>
#include <time.h>
#include <unistd.h>

/* The kernel's struct timespec, whatever time_t the library has. */
struct psx_duration {
	long seconds;
	long nanoseconds;
};

/* The monotonic clock in microseconds. */
static inline long long psx_now(void)
{
	struct timespec t;

	clock_gettime(CLOCK_MONOTONIC, &t);
	return t.tv_sec * 1000000LL + t.tv_nsec / 1000;
}

/*
 * Sleeps while the word has this value. Returns 0, EAGAIN if it has another
 * value, EINTR, or ETIMEDOUT at the deadline. The deadline is absolute, so
 * repeated signals do not postpone it.
 */
static inline int psx_futex_wait(unsigned *word, unsigned value, long long deadline)
{
	enum { WAIT_BITSET_PRIVATE = 9 | 128 }; /* from linux/futex.h, which may be missing */
	struct psx_duration d = {(long)(deadline / 1000000), (long)(deadline % 1000000) * 1000};

	return syscall(SYS_futex, word, WAIT_BITSET_PRIVATE, value, &d, NULL, ~0U) < 0 ? errno : 0;
}

/* Wakes at most this many threads that sleep on the word. */
static inline void psx_futex_wake(unsigned *word, int most)
{
	enum { WAKE_PRIVATE = 1 | 128 };

	syscall(SYS_futex, word, WAKE_PRIVATE, most, NULL, NULL, 0);
}

#endif
