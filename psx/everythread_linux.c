//go:build linux && cgo

#define _GNU_SOURCE
#include "everythread_linux.h"
#include "futex_linux.h"
#include "say_linux.h"
#include "signal_linux.h"
#include "threads_linux.h"

#include <errno.h>
#include <limits.h>
#include <stddef.h>
#include <sys/syscall.h>
#include <time.h>
#include <unistd.h>

/*
 * A call is a few rounds. In a round the threads are listed and signalled until
 * a fresh and complete list has only threads that had answered before.
 *
 * REHEARSE comes before anything changes. Threads that have never answered
 * before are asked to answer and do nothing else. If one does not, the call
 * fails and all is as it was.
 *
 * RUN has each thread run the system call. From here there is no way back.
 *
 * HOLD is for when threads are born faster than they can be listed. It has
 * each thread run the system call, unless it has, and then stay where it is,
 * making no further threads. That cannot be the rule: the C libraries wait
 * for locks while they block every signal, and the one who has the lock may
 * be held. So it ends soon, with or without success.
 */
enum kind { REHEARSE, RUN, HOLD };

/* Times are in microseconds. */
enum {
	FIRST_WAIT = 200,     /* for an answer, before the threads are listed again */
	LONGEST_WAIT = 16000,
	INSPECTION = 1000,    /* waits longer than that make the late threads suspect */
	FIRST_HOLD = 10000,
	LONGEST_HOLD = 160000,
	LOOKS = 8, /* that find new threads, before threads are held */
};

/* What the answering threads read. */
static struct round {
	enum kind kind;
	unsigned call_number;
	struct psx_call call;
	long first_value; /* what every thread has to get */
	long hold_limit;
} round;
static unsigned current; /* the number of the round, 0 between rounds; a futex(2) */

/* What they write. */
static unsigned answers; /* since the process began; a futex(2) */
static unsigned enough;  /* that many wake the caller */

static long run(const struct psx_call *c)
{
	return syscall(c->nr, c->args[0], c->args[1], c->args[2], c->args[3], c->args[4], c->args[5]);
}

void psx_signal_received(unsigned number, int index)
{
	int tid = syscall(SYS_gettid);
	struct psx_thread *t;
	struct round r;
	unsigned n;

	/*
	 * A signal can arrive long after its round has been given up, and this
	 * thread may be stopped anywhere in here for as long.
	 */
	if (number == 0 || number != __atomic_load_n(&current, __ATOMIC_ACQUIRE))
		return;
	r = round;
	__atomic_thread_fence(__ATOMIC_ACQUIRE);
	if (number != __atomic_load_n(&current, __ATOMIC_RELAXED))
		return;

	t = psx_threads_at(index);
	if (!t || t->tid != tid || t->answered == number)
		return;
	if (r.kind != REHEARSE && t->ran != r.call_number) {
		long value = run(&r.call);

		if (value != r.first_value)
			psx_die("got another result than the first thread", tid, r.call.nr, value, value == -1 ? errno : 0);
		__atomic_store_n(&t->ran, r.call_number, __ATOMIC_RELEASE);
	}
	__atomic_store_n(&t->answered, number, __ATOMIC_RELEASE);
	n = __atomic_add_fetch(&answers, 1, __ATOMIC_SEQ_CST);
	if ((int)(n - __atomic_load_n(&enough, __ATOMIC_SEQ_CST)) >= 0)
		psx_futex(&answers, FUTEX_WAKE_PRIVATE, 1, NULL);
	if (r.kind == HOLD) {
		struct psx_duration d = {0, r.hold_limit * 1000};

		while (psx_futex(&current, FUTEX_WAIT_PRIVATE, number, &d) == EINTR)
			;
	}
}

static void begin(enum kind what)
{
	static unsigned last;

	if (++last == 0)
		last = 1;
	round.kind = what;
	__atomic_store_n(&current, last, __ATOMIC_RELEASE);
}

static void end(void)
{
	__atomic_store_n(&current, 0, __ATOMIC_RELEASE);
	if (round.kind == HOLD)
		psx_futex(&current, FUTEX_WAKE_PRIVATE, INT_MAX, NULL);
}

/* Says whether the round needs an answer of the thread that it does not have. */
static int needed(const struct psx_thread *t, unsigned first_look)
{
	unsigned answered = __atomic_load_n(&t->answered, __ATOMIC_ACQUIRE);

	if (t->excused)
		return 0;
	switch (round.kind) {
	case REHEARSE: /* those who come later can wait for the call itself */
		return !answered && t->since <= first_look;
	case RUN:
		return __atomic_load_n(&t->ran, __ATOMIC_ACQUIRE) != round.call_number;
	default:
		return answered != current;
	}
}

/* Notes which threads have nothing left to do in this round. */
static void settle(unsigned first_look)
{
	struct psx_thread *t;
	int i;

	for (i = 0; (t = psx_threads_at(i)); i++)
		if (!needed(t, first_look))
			t->settled = current;
}

/* What one look at the threads has shown. */
struct sight {
	int missing; /* answers that the round needs and does not have */
	int pending; /* those of them that can come: the signal is on its way */
	int recent;  /* threads that have settled, or ended, since the look began */
	int fresh;   /* threads that the look before did not have */
	int one;     /* a thread whose answer is missing */
};

/*
 * Signals the threads of the last look whose answers are missing. Those that
 * have it already are signalled once more if it may be lost, and are inspected
 * if they are taking long.
 */
static struct sight ask(unsigned first_look, unsigned look, int lost, int inspect)
{
	struct sight s = {0, 0, 0, 0, 0};
	int self = syscall(SYS_gettid), i;
	struct psx_thread *t;

	for (i = 0; (t = psx_threads_at(i)); i++) {
		if (t->seen != look || t->tid == self || t->settled == current)
			continue;
		s.fresh += t->since == look;
		if (inspect && t->asked == current)
			t->excused = psx_threads_never_answers(t->tid);
		if (!needed(t, first_look)) {
			s.recent++;
			continue;
		}
		if (t->asked != current || lost) {
			int err = psx_signal_send(t->tid, current, i);

			if (err == ESRCH) {
				s.recent++;
				continue;
			}
			if (!err)
				t->asked = current;
		}
		s.missing++;
		s.pending += t->asked == current;
		s.one = t->tid;
	}
	return s;
}

/*
 * Waits until there are that many answers, or none has come for so long. Says
 * whether there are enough.
 */
static int wait_for(unsigned wanted, long limit)
{
	struct psx_duration d = {0, limit * 1000};
	unsigned n, before;

	__atomic_store_n(&enough, wanted, __ATOMIC_SEQ_CST);
	before = n = __atomic_load_n(&answers, __ATOMIC_SEQ_CST);
	while ((int)(n - wanted) < 0) {
		int err = psx_futex(&answers, FUTEX_WAIT_PRIVATE, n, &d);

		n = __atomic_load_n(&answers, __ATOMIC_SEQ_CST);
		if (err == ETIMEDOUT) {
			if (n == before)
				return 0;
			before = n;
		}
	}
	return 1;
}

static long long microseconds(void)
{
	struct timespec t;

	clock_gettime(CLOCK_MONOTONIC, &t);
	return t.tv_sec * 1000000LL + t.tv_nsec / 1000;
}

/*
 * Goes on until every thread has answered. Returns 0; ETIMEDOUT when time has
 * run out (late is a thread that has not answered, 0 for none in particular);
 * EAGAIN when new threads keep coming; or another errno. It takes the time it
 * needs from *left.
 */
static int everyone(enum kind kind, long *left, int *late)
{
	static unsigned look;
	static int reliable; /* a look has been complete, so that the next ones can be */
	int err = 0, complete = 0, lost = 0, newcomers = 0;
	/* The list of the rehearsal is good enough to begin with. */
	int listed = kind == RUN;
	unsigned first_look = look + 1, had;
	long wait = FIRST_WAIT;
	long long now = microseconds(), before;
	struct sight s;

	begin(kind);
	for (;;) {
		had = __atomic_load_n(&answers, __ATOMIC_SEQ_CST);
		settle(first_look);
		if (!listed)
			err = psx_threads_look(&look, &complete);
		if (err)
			break;
		s = ask(first_look, look, lost, wait > INSPECTION);
		reliable |= complete;
		/*
		 * If all who were there when the look began had settled by then,
		 * those who came later were made by settled ones. A rehearsal need
		 * not be so strict.
		 */
		if (!s.missing && (kind == REHEARSE ? reliable : complete && !s.recent))
			break;
		newcomers += s.fresh && !listed;
		if (kind == RUN && newcomers > LOOKS) {
			err = EAGAIN;
			break;
		}
		listed = 0;
		lost = 0;
		if ((s.missing || !reliable) && !wait_for(had + (s.pending ? s.pending : 1), wait)) {
			/* Some are gone, or slow, or another handler got the signal. */
			if (wait < LONGEST_WAIT)
				wait *= 2;
			if (psx_signal_ready(&lost))
				lost = 0; /* perhaps next time */
		}

		/*
		 * Time in which the whole process was stopped or frozen is
		 * nobody's fault, so a long step does not count in full.
		 */
		before = now;
		now = microseconds();
		*left -= now - before < 4 * LONGEST_WAIT ? now - before : 4 * LONGEST_WAIT;
		if (*left < 0) {
			*late = s.one;
			err = ETIMEDOUT;
			break;
		}
	}
	end();
	return err;
}

/* Has every thread run the call, which has succeeded on this one. */
static void finish(long patience)
{
	int late = 0, ignored, err;
	long hold;

	round.hold_limit = FIRST_HOLD;
	while ((err = everyone(RUN, &patience, &late)) == EAGAIN) {
		hold = round.hold_limit;
		err = everyone(HOLD, &hold, &ignored);
		if (err != ETIMEDOUT)
			break;
		patience -= round.hold_limit;
		if (round.hold_limit < LONGEST_HOLD)
			round.hold_limit *= 2;
	}
	if (err == ETIMEDOUT)
		psx_die("has not run the call in time", late, round.call.nr, round.first_value, 0);
	if (err)
		psx_die("cannot reach all the others", syscall(SYS_gettid), round.call.nr, round.first_value, err);
}

static struct psx_result attempt(long patience_before, long patience_after)
{
	struct psx_result result = {-1, 0};
	int lost, late;

	result.error = psx_threads_open();
	if (result.error)
		return result;
	result.error = psx_signal_ready(&lost);
	if (!result.error)
		result.error = everyone(REHEARSE, &patience_before, &late);
	if (!result.error) {
		round.first_value = result.value = run(&round.call);
		if (result.value == -1)
			result.error = errno;
	}
	if (!result.error)
		finish(patience_after);
	psx_threads_close();
	return result;
}

struct psx_result psx_every_thread(struct psx_call call, long patience_before, long patience_after)
{
	int saved = errno;
	struct psx_result result;

	round.call = call;
	if (++round.call_number == 0)
		round.call_number = 1;
	result = attempt(patience_before * 1000, patience_after * 1000);
	errno = saved;
	return result;
}
