/* futex(2), for words that only this process uses. */
#ifndef CAPRUN_PSX_FUTEX_H
#define CAPRUN_PSX_FUTEX_H

#include <errno.h>
#include <stddef.h>
#include <sys/syscall.h>
#include <unistd.h>

/* The kernel's struct timespec, whatever time_t the library has. */
struct psx_duration {
	long seconds;
	long nanoseconds;
};

/* From linux/futex.h, which is not always there. */
enum { FUTEX_WAIT_PRIVATE = 128, FUTEX_WAKE_PRIVATE = 129 };

static inline int psx_futex(unsigned *word, int operation, unsigned value, const struct psx_duration *limit)
{
	return syscall(SYS_futex, word, operation, value, limit, NULL, 0) < 0 ? errno : 0;
}

#endif
