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
 *
 * Why no thread is missed. Let M be the moment at which the last look of RUN or
 * HOLD began. The look is complete: it lists as many threads as existed at M.
 * No other look follows, so each thread on the list, except the caller, had
 * settled before M, in a record that an earlier look had made. So each of them
 * existed at M, and together they are all that existed at M. A thread born
 * after M has inherited the change, because its maker had run the call before
 * M, and a handler does not run in the middle of clone(2).
 *
 * Why a call ends.
 *  - The handler takes no lock. In HOLD it sleeps until its deadline at most.
 *  - wait_for returns at its deadline if no answer has come since, and at the
 *    latest with the last answer that it waits for. Signals do not put the
 *    deadline off.
 *  - A look reads a list whose length the kernel limits.
 *  - everyone repeats looks and waits, and each repetition subtracts its time
 *    from what is left, which ends the round. A repetition that takes very long
 *    subtracts a fixed amount instead, as the process may have been stopped.
 *  - finish repeats rounds. Each one subtracts its time from the same patience,
 *    and when that has run out, the process ends.
 * There is one exception: RUN waits as long as a late thread sleeps
 * uninterruptibly, for a disk, or for its vfork(2) child to execute a program
 * from one. Until it wakes up, it executes nothing with its old privilege, so
 * waiting is safe. To return would leave it behind, and to end the process
 * would let a hung file system do so. glibc and the Go runtime wait likewise.
 */
enum kind { REHEARSE, RUN, HOLD };

/* Times are in microseconds. */
enum {
	POLL = 10,            /* for an answer, before the caller sleeps */
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
static int pid, self;    /* the process and its calling thread, asked for once a call */

/* What they write. */
static unsigned answers; /* since the process began; a futex(2) */

/* The caller sleeps until there are enough answers. */
static int sleeping;
static unsigned enough;

static long run(const struct psx_call *c)
{
	return syscall(c->nr, c->args[0], c->args[1], c->args[2], c->args[3], c->args[4], c->args[5]);
}

/*
 * Notes the answer of this thread and returns 1, or 0 if it has answered or the
 * round is over. This thread may be stopped anywhere in here for longer than
 * the round lasts, and the record be another thread's when it goes on. Then
 * its number still gets there, which is harmless, as no later round has it;
 * but it must not replace the answer of the other thread, nor that its own.
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

	/* A signal can arrive long after its round has been given up. */
	if (number == 0 || number != __atomic_load_n(&current, __ATOMIC_ACQUIRE))
		return;
	r = round;
	__atomic_thread_fence(__ATOMIC_ACQUIRE);
	if (number != __atomic_load_n(&current, __ATOMIC_RELAXED))
		return;

	t = psx_threads_at(index);
	if (!t || t->tid != tid)
		return;
	/* The call goes on until this is noted, and so the record stays. */
	if (r.kind != REHEARSE && __atomic_load_n(&t->ran, __ATOMIC_RELAXED) != r.call_number) {
		long value = run(&r.call);

		if (value != r.first_value)
			psx_die("got another result than the first thread", tid, r.call.nr, value, value == -1 ? errno : 0);
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
		psx_futex_wake(&current, INT_MAX);
}

/*
 * Says whether the round needs an answer of the thread that it does not have.
 * An answer has the number of this round, or of this call.
 */
static int needed(struct psx_thread *t, unsigned first_look)
{
	int answered = __atomic_load_n(&t->answered, __ATOMIC_ACQUIRE) == current;
	int ran = __atomic_load_n(&t->ran, __ATOMIC_ACQUIRE) == round.call_number;

	t->known |= answered || ran;
	if (t->excused)
		return 0;
	switch (round.kind) {
	case REHEARSE: /* those who come later can wait for the call itself */
		return !t->known && t->since <= first_look;
	case RUN:
		return !ran;
	default:
		return !answered;
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
	int asleep;  /* those of them whose threads sleep uninterruptibly */
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
	struct sight s = {0, 0, 0, 0, 0, 0};
	struct psx_thread *t;
	int i;

	for (i = 0; (t = psx_threads_at(i)); i++) {
		enum psx_state state = PSX_CAN_ANSWER;

		if (t->seen != look || t->tid == self || t->settled == current)
			continue;
		s.fresh += t->since == look;
		if (inspect && t->asked == current) {
			state = psx_threads_state(t->tid);
			t->excused = state == PSX_NEVER_ANSWERS;
		}
		if (!needed(t, first_look)) {
			s.recent++;
			continue;
		}
		if (t->asked != current || lost) {
			int err = psx_signal_send(pid, t->tid, current, i);

			if (err == ESRCH) {
				s.recent++;
				continue;
			}
			if (!err)
				t->asked = current;
		}
		s.missing++;
		s.pending += t->asked == current;
		s.asleep += state == PSX_SLEEPS;
		s.one = t->tid;
	}
	return s;
}

/*
 * Waits until there are that many answers, or none has come for so long. Says
 * whether there are enough.
 *
 * It polls as long as answers keep coming: to wake a sleeping caller takes longer
 * than a thread needs to answer. It does not call sched_yield(2), which on a busy
 * machine runs another process for milliseconds.
 *
 * No wakeup is lost. An answer counted before the kernel compares keeps the caller
 * from sleeping; one counted later finds that it sleeps.
 */
static int wait_for(unsigned wanted, long limit)
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
 * Goes on until every thread has answered. Returns 0; ETIMEDOUT when time has
 * run out (late is a thread that has not answered, 0 for none in particular);
 * EAGAIN when new threads keep coming; or another errno. It takes the time it
 * needs from *left.
 */
static int everyone(enum kind kind, long *left, int *late)
{
	static unsigned look;
	static int reliable; /* a look has been complete, so that the next ones can be */
	int err = 0, complete = 0, lost = 0, newcomers = 0, asleep;
	/* The list of the rehearsal is good enough to begin with. */
	int listed = kind == RUN;
	unsigned first_look = look + 1, had;
	long wait = FIRST_WAIT;
	long long now = psx_now(), before;
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
		asleep = kind == RUN && s.asleep;
		newcomers += s.fresh && !listed;
		if (kind == RUN && newcomers > LOOKS && !asleep) {
			err = EAGAIN;
			break;
		}
		listed = 0;
		lost = 0;
		if ((s.missing || !reliable) && !wait_for(had + (s.pending ? s.pending : 1), wait)) {
			/* Some are gone, or slow, or another handler got the signal. */
			if (wait < LONGEST_WAIT)
				wait *= 2;
			if (psx_signal_ready(pid, self, &lost))
				lost = 0; /* perhaps next time */
		}

		/*
		 * Time in which the whole process was stopped or frozen is
		 * nobody's fault, so a long step does not count in full.
		 */
		before = now;
		now = psx_now();
		if (asleep)
			continue;
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
		psx_die("cannot reach all the others", self, round.call.nr, round.first_value, err);
}

static struct psx_result attempt(long patience_before, long patience_after)
{
	struct psx_result result = {-1, 0};
	int lost, late;

	result.error = psx_threads_open(pid, self);
	if (result.error)
		return result;
	result.error = psx_signal_ready(pid, self, &lost);
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

	pid = getpid();
	self = syscall(SYS_gettid);
	round.call = call;
	if (++round.call_number == 0)
		round.call_number = 1;
	result = attempt(patience_before * 1000, patience_after * 1000);
	errno = saved;
	return result;
}
