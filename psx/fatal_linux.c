//go:build linux && cgo

#define _GNU_SOURCE
#include "fatal_linux.h"

#include "futex_linux.h"

#include <errno.h>
#include <poll.h>
#include <signal.h>
#include <stddef.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/syscall.h>
#include <sys/uio.h>
#include <time.h>
#include <unistd.h>

/* The name in musl on systems of 32 bits. */
#if !defined(SYS_timer_settime) && defined(SYS_timer_settime32)
#define SYS_timer_settime SYS_timer_settime32
#endif

struct line {
	char text[320];
	size_t length;
};

static void add(struct line *l, const char *s)
{
	while (*s && l->length < sizeof l->text)
		l->text[l->length++] = *s++;
}

static void add_number(struct line *l, long number)
{
	char digits[24], *p = digits + sizeof digits;
	unsigned long n = number < 0 ? -(unsigned long)number : (unsigned long)number;

	*--p = 0;
	do
		*--p = '0' + n % 10;
	while (n /= 10);
	if (number < 0)
		*--p = '-';
	add(l, p);
}

/*
 * All of this uses syscall(2): the functions of the C library are cancellation
 * points, at which a cancelled thread would end, and not the process.
 */

/*
 * Makes the kernel kill the process in a second, whatever this thread does then.
 * Returns 0 or -1.
 */
static int limit_time(void)
{
	/* The kernel's struct itimerspec: the interval, and the first time. */
	struct psx_duration once[2] = {{0, 0}, {1, 0}};
	struct sigevent event;
	int timer;

	memset(&event, 0, sizeof event);
	event.sigev_notify = SIGEV_SIGNAL;
	event.sigev_signo = SIGKILL;
	if (syscall(SYS_timer_create, CLOCK_MONOTONIC, &event, &timer))
		return -1;
	return syscall(SYS_timer_settime, timer, 0, once, NULL) ? -1 : 0;
}

/*
 * Writes to standard error. If that would have to wait for a reader, the text is
 * lost. O_NONBLOCK would change the file for every process that shares it.
 */
static void write_now(const char *text, size_t length)
{
	struct iovec part = {(void *)text, length};
	struct pollfd ready = {STDERR_FILENO, POLLOUT, 0};
	struct psx_duration none = {0, 0};
	int limited = limit_time() == 0;

#ifdef SYS_sendto
	if (syscall(SYS_sendto, STDERR_FILENO, text, length, MSG_DONTWAIT | MSG_NOSIGNAL, NULL, 0) >= 0 || errno == EAGAIN)
		return;
#endif
#ifdef SYS_pwritev2
	enum { NOWAIT = 8 }; /* RWF_NOWAIT; the offset -1 is that of the file */

	if (syscall(SYS_pwritev2, STDERR_FILENO, &part, 1, -1L, -1L, NOWAIT) >= 0)
		return;
#endif
	/*
	 * Terminals, named pipes and many file systems do not support RWF_NOWAIT,
	 * nor do pipes in older kernels. If another writer fills the file between
	 * the next two calls, the timer ends the process.
	 */
	if (limited && syscall(SYS_ppoll, &ready, 1, &none, NULL, 0) == 1)
		syscall(SYS_write, STDERR_FILENO, text, length);
}

void psx_fatal(const char *what, int tid, long nr, long value, int error)
{
	struct line l = {.length = 0};

	add(&l, "psx: ");
	if (tid) {
		add(&l, "thread ");
		add_number(&l, tid);
	} else {
		add(&l, "a thread");
	}
	add(&l, " ");
	add(&l, what);
	add(&l, " (system call ");
	add_number(&l, nr);
	add(&l, ", result ");
	add_number(&l, value);
	add(&l, ", errno ");
	add_number(&l, error);
	add(&l, "). The threads now differ in privilege, so the process ends.\n");
	write_now(l.text, l.length);
	/* The status of a fatal error in the Go runtime. */
	syscall(SYS_exit_group, 2);
	for (;;) /* a seccomp filter may forbid exit_group */
		syscall(SYS_kill, syscall(SYS_getpid), SIGKILL);
}
