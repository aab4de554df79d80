//go:build linux && cgo

#define _GNU_SOURCE
#include "guest_linux.h"
#include "reuse_linux.h"

#include <errno.h>
#include <pthread.h>
#include <sched.h>
#include <signal.h>
#include <stdint.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/prctl.h>
#include <sys/syscall.h>
#include <sys/wait.h>
#include <time.h>
#include <unistd.h>

struct guest {
	int tid;
	int order; /* GUEST_NOTHING when it is done */
	int result;
	char *stack;
};

static struct guest guests[16];
static int count;

/* Classic BPF and seccomp(2), whose headers may be missing. */
struct instruction {
	uint16_t code;
	uint8_t if_true, if_false;
	uint32_t value;
};

struct program {
	unsigned short length;
	const struct instruction *instructions;
};

/* Makes prctl(PR_SET_NAME) fail on the calling thread. Returns 0 or an errno. */
static int guest_refuse_names(void)
{
	enum {
		LOAD = 0x20, EQUAL = 0x15, RETURN = 0x06,
		NUMBER = 0, FIRST_ARGUMENT = 16, /* offsets; on a little-endian system that of the lower half */
		ALLOW = 0x7fff0000, FAIL = 0x00050000, FILTER = 2,
	};
#if __BYTE_ORDER__ == __ORDER_BIG_ENDIAN__
	const int low = FIRST_ARGUMENT + 4;
#else
	const int low = FIRST_ARGUMENT;
#endif
	const struct instruction instructions[] = {
		{LOAD, 0, 0, NUMBER},
		{EQUAL, 0, 3, SYS_prctl},
		{LOAD, 0, 0, low},
		{EQUAL, 0, 1, PR_SET_NAME},
		{RETURN, 0, 0, FAIL | EPERM},
		{RETURN, 0, 0, ALLOW},
	};
	const struct program p = {sizeof instructions / sizeof *instructions, instructions};

	if (prctl(PR_SET_NO_NEW_PRIVS, 1, 0, 0, 0) || prctl(PR_SET_SECCOMP, FILTER, &p))
		return errno;
	return 0;
}

static int set_mask(int byte)
{
	unsigned char mask[16];

	memset(mask, byte, sizeof mask);
	return syscall(SYS_rt_sigprocmask, SIG_SETMASK, mask, NULL, _NSIG / 8) ? errno : 0;
}

int guest_unblock(void)
{
	return set_mask(0);
}

static int vfork_ended;

/*
 * The child of vfork(2), which behaves like one whose program is on a slow file
 * system. It shares memory and errno with its parent, and ends after a minute.
 */
static int hang(void *arg)
{
	const struct timespec nap = {0, 1000000};
	int naps;

	(void)arg;
	for (naps = 0; naps < 60000 && !__atomic_load_n(&vfork_ended, __ATOMIC_ACQUIRE); naps++)
		syscall(SYS_nanosleep, &nap, NULL);
	syscall(SYS_exit, 0);
	return 0;
}

static int sleep_in_vfork(void)
{
	static char stack[64 << 10] __attribute__((aligned(16)));
	int err = set_mask(0xff);
	pid_t child;

	if (err)
		return err;
	child = clone(hang, stack + sizeof stack, CLONE_VM | CLONE_VFORK | SIGCHLD, NULL);
	err = child < 0 ? errno : 0;
	if (!err && waitpid(child, NULL, 0) < 0)
		err = errno;
	set_mask(0);
	return err;
}

void guest_end_vfork(void)
{
	__atomic_store_n(&vfork_ended, 1, __ATOMIC_RELEASE);
}

static int carry_out(int order)
{
	sigset_t set;

	switch (order) {
	case GUEST_BLOCK_RAW:
		return set_mask(0xff);
	case GUEST_BLOCK_LIBRARY:
		sigfillset(&set);
		return pthread_sigmask(SIG_SETMASK, &set, NULL);
	case GUEST_UNBLOCK:
		return guest_unblock();
	case GUEST_REFUSE_NAMES:
		return guest_refuse_names();
	case GUEST_REUSE:
		return reuse();
	case GUEST_VFORK:
		return sleep_in_vfork();
	}
	return 0;
}

static void obey(struct guest *g)
{
	const struct timespec nap = {0, 1000000};
	int order;

	__atomic_store_n(&g->tid, (int)syscall(SYS_gettid), __ATOMIC_RELEASE);
	do {
		while (!(order = __atomic_load_n(&g->order, __ATOMIC_ACQUIRE)))
			syscall(SYS_nanosleep, &nap, NULL);
		g->result = carry_out(order);
		__atomic_store_n(&g->order, GUEST_NOTHING, __ATOMIC_RELEASE);
	} while (order != GUEST_END);
}

static void *obey_as_thread(void *arg)
{
	obey(arg);
	return NULL;
}

static int obey_as_clone(void *arg)
{
	obey(arg);
	return 0;
}

static void nap(void)
{
	const struct timespec t = {0, 200000};

	nanosleep(&t, NULL);
}

int guest_start(int cloned)
{
	const int flags = CLONE_VM | CLONE_FS | CLONE_FILES | CLONE_SIGHAND | CLONE_THREAD | CLONE_SYSVSEM;
	const size_t size = 256 << 10;
	struct guest *g;
	pthread_t t;
	int err;

	if (count == sizeof guests / sizeof *guests)
		return -EAGAIN;
	g = &guests[count++];
	if (cloned) {
		g->stack = mmap(NULL, size, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
		if (g->stack == MAP_FAILED || clone(obey_as_clone, g->stack + size, flags, g) < 0)
			return -errno;
	} else {
		err = pthread_create(&t, NULL, obey_as_thread, g);
		if (err)
			return -err;
		pthread_detach(t);
	}
	while (!__atomic_load_n(&g->tid, __ATOMIC_ACQUIRE))
		nap();
	return g->tid;
}

int guest_tell(int tid, int order)
{
	struct guest *g = guests + count;

	/* The newest one, if a thread number has been used twice. */
	do {
		if (g == guests)
			return ESRCH;
	} while ((--g)->tid != tid);
	__atomic_store_n(&g->order, order, __ATOMIC_RELEASE);
	while (__atomic_load_n(&g->order, __ATOMIC_ACQUIRE))
		nap();
	return g->result;
}
