//go:build linux && cgo

#define _GNU_SOURCE
#include "everythread_linux.h"
#include "fatal_linux.h"
#include "futex_linux.h"
#include "signal_linux.h"
#include "threads_linux.h"

#include <errno.h>
#include <limits.h>
#include <stddef.h>
#include <sys/syscall.h>
#include <time.h>
#include <unistd.h>

/*
 * A call consists of rounds. A round scans the list of threads and signals them,
 * and repeats that until a new and complete list has only threads that had
 * answered before the scan.
 *
 * PROBE comes before any change. Threads that have never answered a signal are
 * asked to answer, and do nothing else. If one does not answer, the call fails,
 * and nothing has changed.
 *
 * RUN has each thread run the system call. From here there is no way back.
 *
 * HOLD is for threads that are created faster than they can be listed. Each
 * thread runs the system call, unless it has, and then waits in its handler, so
 * that it creates no further threads. It cannot be the normal case: the C
 * libraries wait for locks while they block every signal, and the owner of such a
 * lock may be the thread that is held. So the round ends soon, even if not all
 * threads have answered.
 *
 * Why no thread is missed. Let M be the moment at which the last scan of RUN or
 * HOLD began. That scan is complete: it lists as many threads as existed at M. No
 * other scan follows, so each listed thread except the caller had settled before
 * M, in a record that an earlier scan had made. So each of them existed at M, and
 * together they are all threads that existed at M. A thread that was created after
 * M has inherited the change: the thread that created it had run the call before
 * M, and a handler does not run in the middle of clone(2).
 *
 * Why a call ends.
 *  - The handler takes no lock. In HOLD it sleeps until its deadline at most.
 *  - wait_for_answers returns when no answer has come for its limit, and at the
 *    latest with the last answer that it waits for. Signals do not postpone that.
 *  - A scan reads a list whose length the kernel limits.
 *  - run_round repeats scans and waits. Each repetition subtracts its time from
 *    the time that is left, and the round ends when none is left. A repetition
 *    that takes very long subtracts a fixed time, because the process may have
 *    been stopped.
 *  - run_on_others repeats rounds. They share one timeout, and when it is over,
 *    the process ends.
 * There is one exception: RUN waits as long as a late thread sleeps
 * uninterruptibly, for a disk, or until its vfork(2) child has executed a program
 * from one. Until it wakes up, it executes nothing with its old privilege, so
 * waiting is safe. If the call returned, it would leave the thread behind; if it
 * ended the process, a file system that does not respond could do that. glibc and
 * the Go runtime wait, too.
 */
enum kind { PROBE, RUN, HOLD };

/* Times are in microseconds. */
enum {
	POLL = 10,            /* for an answer, before the caller sleeps */
	FIRST_WAIT = 200,     /* for an answer, before the threads are scanned again */
	LONGEST_WAIT = 16000,
	INSPECTION = 1000,    /* after a longer wait, the state of late threads is read */
	FIRST_HOLD = 10000,
	LONGEST_HOLD = 160000,
	SCANS = 8, /* that find new threads, before threads are held */
};

/* The handlers read these. */
static struct round {
	enum kind kind;
	unsigned call_number;
	struct psx_call call;
	long first_value; /* the result on the calling thread, which each must get */
	long hold_limit;
} round;
static unsigned current; /* the number of the round, 0 between rounds; a futex(2) */
static int pid, self;    /* the process and its calling thread, read once in a call */

/* The handlers write this. */
static unsigned answers; /* since the process began; a futex(2) */

/* The caller sleeps until there are enough answers. */
static int sleeping;
static unsigned enough;

static long run(const struct psx_call *c)
{
	return syscall(c->nr, c->args[0], c->args[1], c->args[2], c->args[3], c->args[4], c->args[5]);
}

/*
 * Records the answer of this thread and returns 1, or 0 if it has answered or the
 * round is over. This thread may be stopped anywhere in here until the round is
 * over and its record belongs to another thread. Then it still writes its number
 * there, which is harmless, because no later round has that number. But it must
 * not replace the answer of the other thread.
 */
static int answer(struct psx_thread *t, unsigned number)
{
	unsigned before;

	do {
		before = __atomic_load_n(&t->answered, __ATOMIC_SEQ_CST);
		if (before == number || number != __atomic_load_n(&current, __ATOMIC_SEQ_CST))
			return 0;
	} while (!__atomic_compare_exchange_n(&t->answered, &before, number, 0, __ATOMIC_SEQ_CST, __ATOMIC_SEQ_CST));
	return 1;
}

void psx_signal_received(unsigned number, int index)
{
	int tid = syscall(SYS_gettid);
	struct psx_thread *t;
	struct round r;
	unsigned n;

	/* A signal can arrive long after the end of its round. */
	if (number == 0 || number != __atomic_load_n(&current, __ATOMIC_ACQUIRE))
		return;
	r = round;
	__atomic_thread_fence(__ATOMIC_ACQUIRE);
	if (number != __atomic_load_n(&current, __ATOMIC_RELAXED))
		return;

	t = psx_threads_at(index);
	if (!t || t->tid != tid)
		return;
	/* The call lasts until this is recorded, so the record stays valid. */
	if (r.kind != PROBE && __atomic_load_n(&t->ran, __ATOMIC_RELAXED) != r.call_number) {
		long value = run(&r.call);

		if (value != r.first_value)
			psx_fatal("got a different result than the first thread", tid, r.call.nr, value, value == -1 ? errno : 0);
		__atomic_store_n(&t->ran, r.call_number, __ATOMIC_RELEASE);
	}
	if (!answer(t, number))
		return;
	n = __atomic_add_fetch(&answers, 1, __ATOMIC_SEQ_CST);
	if (__atomic_load_n(&sleeping, __ATOMIC_SEQ_CST) && (int)(n - __atomic_load_n(&enough, __ATOMIC_SEQ_CST)) >= 0)
		psx_futex_wake(&answers, 1);
	if (r.kind == HOLD) {
		long long deadline = psx_now() + r.hold_limit;

		while (psx_futex_wait(&current, number, deadline) == EINTR)
			;
	}
}

static void begin_round(enum kind kind)
{
	static unsigned last;

	if (++last == 0)
		last = 1;
	round.kind = kind;
	__atomic_store_n(&current, last, __ATOMIC_RELEASE);
}

static void end_round(void)
{
	__atomic_store_n(&current, 0, __ATOMIC_RELEASE);
	if (round.kind == HOLD)
		psx_futex_wake(&current, INT_MAX);
}

/*
 * Returns whether the round still needs an answer from the thread. An answer has
 * the number of this round, or of this call.
 */
static int answer_needed(struct psx_thread *t, unsigned first_scan)
{
	int answered = __atomic_load_n(&t->answered, __ATOMIC_ACQUIRE) == current;
	int ran = __atomic_load_n(&t->ran, __ATOMIC_ACQUIRE) == round.call_number;

	t->responsive |= answered || ran;
	if (t->ignored)
		return 0;
	switch (round.kind) {
	case PROBE: /* a thread that is created later need not answer before RUN */
		return !t->responsive && t->first_seen <= first_scan;
	case RUN:
		return !ran;
	default:
		return !answered;
	}
}

/* Marks the threads that have nothing left to do in this round. */
static void mark_settled(unsigned first_scan)
{
	struct psx_thread *t;
	int i;

	for (i = 0; (t = psx_threads_at(i)); i++)
		if (!answer_needed(t, first_scan))
			t->settled = current;
}

/* The threads of one scan, except those that had settled before it. */
struct progress {
	int missing; /* the round still needs their answers */
	int pending; /* of these, the threads that have been signalled */
	int asleep;  /* of these, the threads that sleep uninterruptibly */
	int recent;  /* have settled, or ended, since the scan began */
	int fresh;   /* were not found by the scan before */
	int example; /* the number of a thread whose answer is missing */
};

/*
 * Signals the threads of the last scan whose answers are missing. It signals a
 * thread again if the first signal may be lost. With inspect, it reads the state
 * of the threads that were signalled before.
 */
static struct progress signal_threads(unsigned first_scan, unsigned scan, int lost, int inspect)
{
	struct progress p = {0, 0, 0, 0, 0, 0};
	struct psx_thread *t;
	int i;

	for (i = 0; (t = psx_threads_at(i)); i++) {
		enum psx_state state = PSX_CAN_ANSWER;

		if (t->last_seen != scan || t->tid == self || t->settled == current)
			continue;
		p.fresh += t->first_seen == scan;
		if (inspect && t->signalled == current) {
			state = psx_threads_state(t->tid);
			t->ignored = state == PSX_NEVER_ANSWERS;
		}
		if (!answer_needed(t, first_scan)) {
			p.recent++;
			continue;
		}
		if (t->signalled != current || lost) {
			int err = psx_signal_send(pid, t->tid, current, i);

			if (err == ESRCH) {
				p.recent++;
				continue;
			}
			if (!err)
				t->signalled = current;
		}
		p.missing++;
		p.pending += t->signalled == current;
		p.asleep += state == PSX_SLEEPS;
		p.example = t->tid;
	}
	return p;
}

/*
 * Waits until there are this many answers, or none has come for the limit.
 * Returns whether there are enough.
 *
 * It polls while answers keep coming: waking a sleeping caller takes longer than a
 * thread needs to answer. It does not call sched_yield(2), which on a busy machine
 * runs another process for milliseconds.
 *
 * No wakeup is lost. An answer that is counted before the kernel compares keeps
 * the caller from sleeping. One that is counted later finds that the caller sleeps.
 */
static int wait_for_answers(unsigned wanted, long limit)
{
	unsigned n, before = __atomic_load_n(&answers, __ATOMIC_SEQ_CST);
	long long now, last = psx_now(); /* when the last answer was noticed */

	for (;;) {
		n = __atomic_load_n(&answers, __ATOMIC_SEQ_CST);
		if ((int)(n - wanted) >= 0)
			return 1;
		now = psx_now();
		if (n != before) {
			before = n;
			last = now;
		}
		if (now - last >= limit)
			return 0;
		if (now - last < POLL)
			continue;
		__atomic_store_n(&enough, wanted, __ATOMIC_SEQ_CST);
		__atomic_store_n(&sleeping, 1, __ATOMIC_SEQ_CST);
		psx_futex_wait(&answers, n, last + limit);
		__atomic_store_n(&sleeping, 0, __ATOMIC_SEQ_CST);
	}
}

/*
 * Repeats scans and signals until every thread has answered. Returns 0; ETIMEDOUT
 * when no time is left (late is then a thread that has not answered, or 0);
 * EAGAIN when new threads keep appearing; or another errno. It subtracts the time
 * that it takes from *left.
 */
static int run_round(enum kind kind, long *left, int *late)
{
	static unsigned scan;
	static int reliable; /* a scan has been complete, so later ones can be, too */
	int err = 0, complete = 0, lost = 0, newcomers = 0, asleep;
	/* RUN can begin with the list of PROBE. */
	int listed = kind == RUN;
	unsigned first_scan = scan + 1, had;
	long wait = FIRST_WAIT;
	long long now = psx_now(), before;
	struct progress p;

	begin_round(kind);
	for (;;) {
		had = __atomic_load_n(&answers, __ATOMIC_SEQ_CST);
		mark_settled(first_scan);
		if (!listed)
			err = psx_threads_scan(&scan, &complete);
		if (err)
			break;
		p = signal_threads(first_scan, scan, lost, wait > INSPECTION);
		reliable |= complete;
		/*
		 * If all threads that existed when the scan began had settled by
		 * then, they have created the later ones. PROBE need not be so
		 * strict.
		 */
		if (!p.missing && (kind == PROBE ? reliable : complete && !p.recent))
			break;
		asleep = kind == RUN && p.asleep;
		newcomers += p.fresh && !listed;
		if (kind == RUN && newcomers > SCANS && !asleep) {
			err = EAGAIN;
			break;
		}
		listed = 0;
		lost = 0;
		if ((p.missing || !reliable) && !wait_for_answers(had + (p.pending ? p.pending : 1), wait)) {
			/* Some have ended, or are slow, or another handler got the signal. */
			if (wait < LONGEST_WAIT)
				wait *= 2;
			if (psx_signal_ready(pid, self, &lost))
				lost = 0; /* the next repetition tries again */
		}

		/*
		 * A long step does not count in full: the whole process may have
		 * been stopped or frozen.
		 */
		before = now;
		now = psx_now();
		if (asleep)
			continue;
		*left -= now - before < 4 * LONGEST_WAIT ? now - before : 4 * LONGEST_WAIT;
		if (*left < 0) {
			*late = p.example;
			err = ETIMEDOUT;
			break;
		}
	}
	end_round();
	return err;
}

/* Has every other thread run the call, which has succeeded on this one. */
static void run_on_others(long timeout)
{
	int late = 0, ignored, err;
	long hold;

	round.hold_limit = FIRST_HOLD;
	while ((err = run_round(RUN, &timeout, &late)) == EAGAIN) {
		hold = round.hold_limit;
		err = run_round(HOLD, &hold, &ignored);
		if (err != ETIMEDOUT)
			break;
		timeout -= round.hold_limit;
		if (round.hold_limit < LONGEST_HOLD)
			round.hold_limit *= 2;
	}
	if (err == ETIMEDOUT)
		psx_fatal("has not run the call in time", late, round.call.nr, round.first_value, 0);
	if (err)
		psx_fatal("cannot reach every other thread", self, round.call.nr, round.first_value, err);
}

static struct psx_result attempt(long probe_timeout, long run_timeout)
{
	struct psx_result result = {-1, 0};
	int lost, late;

	result.error = psx_threads_open(pid, self);
	if (result.error)
		return result;
	result.error = psx_signal_ready(pid, self, &lost);
	if (!result.error)
		result.error = run_round(PROBE, &probe_timeout, &late);
	if (!result.error) {
		round.first_value = result.value = run(&round.call);
		if (result.value == -1)
			result.error = errno;
	}
	if (!result.error)
		run_on_others(run_timeout);
	psx_threads_close();
	return result;
}

struct psx_result psx_every_thread(struct psx_call call, long probe_timeout, long run_timeout)
{
	int saved = errno;
	struct psx_result result;

	pid = getpid();
	self = syscall(SYS_gettid);
	round.call = call;
	if (++round.call_number == 0)
		round.call_number = 1;
	result = attempt(probe_timeout * 1000, run_timeout * 1000);
	errno = saved;
	return result;
}
