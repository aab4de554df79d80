/*
 * A handler is stopped between two instructions until its round is over, the next
 * call has begun, and the record of its thread belongs to another thread. This
 * includes C code of the package, and stops it at that point.
 */
#define _GNU_SOURCE
#include <errno.h>
#include <pthread.h>
#include <sched.h>
#include <signal.h>
#include <stdio.h>
#include <string.h>
#include <sys/prctl.h>
#include <sys/syscall.h>
#include <unistd.h>

static __thread int stops;   /* this thread stops once */
static int stopped, resumed; /* its progress */

static void stop_here(void)
{
	if (!stops)
		return;
	stops = 0;
	__atomic_store_n(&stopped, 1, __ATOMIC_SEQ_CST);
	while (!__atomic_load_n(&resumed, __ATOMIC_SEQ_CST))
		sched_yield();
}

#define __atomic_compare_exchange_n(...) (stop_here(), __atomic_compare_exchange_n(__VA_ARGS__))
#include "everythread_linux.c"
#include "threads_linux.c"

static int ready; /* threads that have started */

static void *late(void *arg)
{
	stops = 1;
	__atomic_add_fetch(&ready, 1, __ATOMIC_SEQ_CST);
	for (;;)
		pause();
	return arg;
}

/* Has the record before that of the late thread, and ends before the last scan. */
static void *first(void *arg)
{
	__atomic_add_fetch(&ready, 1, __ATOMIC_SEQ_CST);
	while (!__atomic_load_n(&stopped, __ATOMIC_SEQ_CST))
		sched_yield();
	return arg;
}

/* Never answers, and gets the record that the late thread had. */
static void *silent(void *had)
{
	unsigned char mask[16];

	memset(mask, 0xff, sizeof mask);
	syscall(SYS_rt_sigprocmask, SIG_SETMASK, mask, NULL, _NSIG / 8);
	__atomic_add_fetch(&ready, 1, __ATOMIC_SEQ_CST);
	while (__atomic_load_n(&((struct psx_thread *)had)->tid, __ATOMIC_SEQ_CST) != syscall(SYS_gettid))
		sched_yield();
	__atomic_store_n(&resumed, 1, __ATOMIC_SEQ_CST);
	for (;;)
		pause();
	return NULL;
}

static void start(void *(*f)(void *), void *arg)
{
	pthread_t t;
	int before = __atomic_load_n(&ready, __ATOMIC_SEQ_CST);

	if (pthread_create(&t, NULL, f, arg))
		_exit(1);
	while (__atomic_load_n(&ready, __ATOMIC_SEQ_CST) == before)
		sched_yield();
}

int main(void)
{
	struct psx_call call = {SYS_prctl, {PR_SET_NAME, (long)"after"}};
	struct psx_result r;
	struct psx_thread *had;

	start(first, NULL);
	start(late, NULL);
	r = psx_every_thread(call, 300, 300);
	printf("first call: %s\n", r.error == ETIMEDOUT ? "ETIMEDOUT" : "another result");
	had = record(2);
	start(silent, had);
	r = psx_every_thread(call, 300, 300);
	printf("second call: %s\n", r.error == ETIMEDOUT ? "ETIMEDOUT" : "another result");
	printf("the record: %s\n", __atomic_load_n(&resumed, __ATOMIC_SEQ_CST) ? "was reused" : "was not reused");
	return 0;
}
