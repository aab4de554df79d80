/*
 * Another thread sets its handler for the signal while the package sets its own,
 * and at once sends that signal. This includes C code of the package, and runs the
 * other thread at the worst moments.
 */
#define _GNU_SOURCE
#include <errno.h>
#include <pthread.h>
#include <signal.h>
#include <stdarg.h>
#include <stdio.h>
#include <string.h>
#include <sys/syscall.h>
#include <time.h>
#include <unistd.h>

static long intercept(long nr, ...);
#define syscall intercept
#include "signal_linux.c"
#undef syscall

void psx_signal_received(unsigned round, int index)
{
	(void)round, (void)index;
}

static int received; /* by the other handler */
static pthread_t user;

static void other(int number, siginfo_t *info, void *context)
{
	(void)number, (void)info, (void)context;
	__atomic_add_fetch(&received, 1, __ATOMIC_SEQ_CST);
}

static void *use(void *arg)
{
	const unsigned char none[sizeof ((struct kernel_sigaction *)NULL)->mask] = {0};

	set_mask(none, NULL); /* it inherits the mask of install */
	syscall(SYS_tgkill, getpid(), syscall(SYS_gettid), SIGNAL);
	return arg;
}

static long intercept(long nr, ...)
{
	static int done;
	const struct timespec while_used = {0, 100000000};
	struct kernel_sigaction action;
	long a[6], result;
	va_list list;
	int i, now;

	va_start(list, nr);
	for (i = 0; i < 6; i++)
		a[i] = va_arg(list, long);
	va_end(list);
	now = nr == SYS_rt_sigaction && a[1] && !done;
	if (now) {
		done = 1;
		memcpy(&action, (void *)a[1], sizeof action); /* with its restorer */
		action.handler = other;
		syscall(SYS_rt_sigaction, SIGNAL, &action, NULL, sizeof action.mask);
	}
	result = syscall(nr, a[0], a[1], a[2], a[3], a[4], a[5]);
	if (now) {
		if (pthread_create(&user, NULL, use, NULL))
			_exit(1);
		nanosleep(&while_used, NULL);
	}
	return result;
}

static void *stay(void *arg)
{
	for (;;)
		pause();
	return arg;
}

int main(void)
{
	int lost, err;

	/* glibc sets its own handler when the second thread is made. */
	if (pthread_create(&user, NULL, stay, NULL))
		return 1;
	err = psx_signal_ready(getpid(), syscall(SYS_gettid), &lost);
	printf("error: %d\n", err);
	pthread_join(user, NULL);
	printf("received: %d\n", __atomic_load_n(&received, __ATOMIC_SEQ_CST));
	use(NULL);
	printf("received: %d\n", __atomic_load_n(&received, __ATOMIC_SEQ_CST));
	return 0;
}
