//go:build linux && cgo

#define _GNU_SOURCE
#include "say_linux.h"

#include <signal.h>
#include <stddef.h>
#include <sys/syscall.h>
#include <unistd.h>

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

void psx_die(const char *what, int tid, long nr, long value, int error)
{
	struct line l = {.length = 0};

	add(&l, "psx: ");
	if (tid) {
		add(&l, "thread ");
		add_number(&l, tid);
	} else {
		add(&l, "some thread");
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
	if (write(STDERR_FILENO, l.text, l.length) < 0) {
		/* Nobody can be told. */
	}
	/* The status of a fatal error in the Go runtime. */
	syscall(SYS_exit_group, 2);
	for (;;) /* a seccomp filter may stand in the way of the first */
		kill(getpid(), SIGKILL);
}
