//go:build linux && cgo

#define _GNU_SOURCE
#include "churn_linux.h"

#include <errno.h>
#include <pthread.h>
#include <sched.h>
#include <semaphore.h>
#include <stdlib.h>
#include <sys/mman.h>
#include <sys/syscall.h>
#include <time.h>
#include <unistd.h>

enum { STACK = 64 << 10, QUEUE = 32 };

struct maker {
	pthread_t thread;
	int kind;
	long pause;
	int alive;      /* threads that have not ended */
	char *stack;    /* of a cloned thread */
	int cloned_tid; /* 0 when it has ended, by CLONE_CHILD_CLEARTID */
	struct {
		pthread_t thread;
		sem_t end;
		int used;
	} queue[QUEUE];
	unsigned turn; /* of the queue */
};

static struct maker all[64];
static int running, stop;
static unsigned long ended;
static pthread_attr_t small, detached;

static void rest(long microseconds)
{
	struct timespec t = {microseconds / 1000000, microseconds % 1000000 * 1000};

	if (microseconds)
		clock_nanosleep(CLOCK_MONOTONIC, 0, &t, NULL);
}

static void *brief(void *arg)
{
	struct maker *m = arg;

	__atomic_add_fetch(&ended, 1, __ATOMIC_RELAXED);
	__atomic_sub_fetch(&m->alive, 1, __ATOMIC_RELEASE);
	return NULL;
}

/* This thread shares errno with its maker, so it calls no function that may fail. */
static int bare(void *arg)
{
	brief(arg);
	return 0;
}

static void *queued(void *end)
{
	while (sem_wait(end))
		;
	__atomic_add_fetch(&ended, 1, __ATOMIC_RELAXED);
	return NULL;
}

static void end_oldest(struct maker *m)
{
	unsigned i = m->turn++ % QUEUE;

	if (m->queue[i].used) {
		sem_post(&m->queue[i].end);
		pthread_join(m->queue[i].thread, NULL);
		sem_destroy(&m->queue[i].end);
		m->queue[i].used = 0;
	}
}

static void *pass_on(void *arg)
{
	struct maker *m = arg;
	pthread_t next;

	__atomic_add_fetch(&ended, 1, __ATOMIC_RELAXED);
	rest(m->pause);
	if (__atomic_load_n(&stop, __ATOMIC_ACQUIRE) || pthread_create(&next, &detached, pass_on, m))
		__atomic_sub_fetch(&m->alive, 1, __ATOMIC_RELEASE);
	return NULL;
}

static void make(struct maker *m)
{
	const int flags = CLONE_VM | CLONE_FS | CLONE_FILES | CLONE_SIGHAND | CLONE_THREAD | CLONE_SYSVSEM |
		CLONE_PARENT_SETTID | CLONE_CHILD_CLEARTID;
	pthread_t t;
	unsigned i;

	switch (m->kind) {
	case CHURN_JOINED:
		m->alive++;
		if (pthread_create(&t, &small, brief, m))
			m->alive--;
		else
			pthread_join(t, NULL);
		break;
	case CHURN_DETACHED:
		if (__atomic_load_n(&m->alive, __ATOMIC_ACQUIRE) > 8) {
			sched_yield();
			break;
		}
		__atomic_add_fetch(&m->alive, 1, __ATOMIC_RELAXED);
		if (pthread_create(&t, &detached, brief, m))
			__atomic_sub_fetch(&m->alive, 1, __ATOMIC_RELAXED);
		break;
	case CHURN_QUEUED:
		i = m->turn % QUEUE;
		end_oldest(m);
		sem_init(&m->queue[i].end, 0, 0);
		m->queue[i].used = !pthread_create(&m->queue[i].thread, &small, queued, &m->queue[i].end);
		break;
	case CHURN_CLONED:
		m->alive++;
		if (clone(bare, m->stack + STACK, flags, m, &m->cloned_tid, NULL, &m->cloned_tid) < 0)
			m->alive--;
		while (__atomic_load_n(&m->cloned_tid, __ATOMIC_ACQUIRE))
			sched_yield();
		break;
	}
}

static void *keep_making(void *arg)
{
	struct maker *m = arg;
	int i;

	while (!__atomic_load_n(&stop, __ATOMIC_ACQUIRE)) {
		make(m);
		rest(m->pause);
	}
	for (i = 0; i < QUEUE; i++)
		end_oldest(m);
	return NULL;
}

int churn_start(int kind, int makers, long pause)
{
	int err;

	pthread_attr_init(&small);
	pthread_attr_setstacksize(&small, STACK);
	pthread_attr_init(&detached);
	pthread_attr_setstacksize(&detached, STACK);
	pthread_attr_setdetachstate(&detached, PTHREAD_CREATE_DETACHED);
	stop = 0;
	ended = 0;
	for (running = 0; running < makers; running++) {
		struct maker *m = &all[running];

		m->kind = kind;
		m->pause = pause;
		m->alive = kind == CHURN_RELAY;
		if (!m->stack)
			m->stack = mmap(NULL, STACK, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
		err = pthread_create(&m->thread, &small, kind == CHURN_RELAY ? pass_on : keep_making, m);
		if (err)
			return err;
		if (kind == CHURN_RELAY)
			pthread_detach(m->thread);
	}
	return 0;
}

unsigned long churn_stop(void)
{
	int i;

	__atomic_store_n(&stop, 1, __ATOMIC_RELEASE);
	for (i = 0; i < running; i++) {
		if (all[i].kind != CHURN_RELAY)
			pthread_join(all[i].thread, NULL);
		while (__atomic_load_n(&all[i].alive, __ATOMIC_ACQUIRE))
			rest(1000);
	}
	running = 0;
	return ended;
}
