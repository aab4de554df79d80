//go:build linux && cgo

#define _GNU_SOURCE
#include "signal_linux.h"

#include "futex_linux.h"

#include <errno.h>
#include <signal.h>
#include <stdint.h>
#include <string.h>
#include <sys/syscall.h>
#include <unistd.h>

/*
 * Number 33 is the one that stays deliverable. glibc (SIGSETXID) and musl
 * (SIGCANCEL) keep it out of every mask that sigprocmask(2) or
 * pthread_sigmask(3) can be asked to set, and Go leaves it open even on
 * threads that are ending. 32 will not do: the timer threads of both libraries
 * block it. Nor will 34: glibc gives it to the program, and musl sets its
 * handler anew for each broadcast of its own.
 *
 * It is shared, so each of our signals carries a code that nobody else sends,
 * and whatever does not carry it goes to the handler that was there before.
 */
#define SIGNAL 33
#define CODE (-0x707378) /* negative, as the kernel demands of user space */

/*
 * Both libraries refuse sigaction(2) for their own numbers, so this is the
 * kernel's own structure and call.
 */
struct kernel_sigaction {
#if defined(__mips__)
	unsigned flags;
	void (*handler)(int, siginfo_t *, void *);
	unsigned char mask[16];
#else
	void (*handler)(int, siginfo_t *, void *);
	unsigned long flags;
#if !defined(__riscv) && !defined(__loongarch__)
	void (*restorer)(void);
#endif
	unsigned char mask[8];
#endif
};

/*
 * x86 does not return from a signal without the program's help. Debuggers and
 * unwinders know these very instructions.
 */
#if defined(__x86_64__)
#define RESTORER 0x04000000
__asm__(".text\n"
	".balign 16\n"
	".type caprun_psx_return, @function\n"
	"caprun_psx_return:\n"
	"	movq $15, %rax\n" /* rt_sigreturn */
	"	syscall\n"
	".size caprun_psx_return, .-caprun_psx_return\n");
#elif defined(__i386__)
#define RESTORER 0x04000000
__asm__(".text\n"
	".balign 16\n"
	".type caprun_psx_return, @function\n"
	"caprun_psx_return:\n"
	"	movl $173, %eax\n" /* rt_sigreturn */
	"	int $0x80\n"
	".size caprun_psx_return, .-caprun_psx_return\n");
#endif

#ifdef RESTORER
__attribute__((visibility("hidden"))) void caprun_psx_return(void);
#endif

typedef void handler(int, siginfo_t *, void *);

/* The handler that was there before ours. */
static uintptr_t previous;
static unsigned installing; /* previous may be out of date; a futex(2) */

/* An index that asks for nothing but an echo: the one awaited, and the last heard. */
#define ECHO (-1)
static unsigned awaited, heard;

static int kernel_sigaction(const struct kernel_sigaction *new, struct kernel_sigaction *old)
{
	return syscall(SYS_rt_sigaction, SIGNAL, new, old, sizeof new->mask) ? errno : 0;
}

/* The default action of a real-time signal is to end the process. */
static void take_default_action(void)
{
	struct kernel_sigaction action;

	memset(&action, 0, sizeof action);
	kernel_sigaction(&action, NULL);
	/* It is blocked until our handler returns, and delivered then. */
	syscall(SYS_tgkill, getpid(), syscall(SYS_gettid), SIGNAL);
}

static void receive(unsigned round, int index)
{
	if (index != ECHO)
		psx_signal_received(round, index);
	else if (round == __atomic_load_n(&awaited, __ATOMIC_ACQUIRE))
		__atomic_store_n(&heard, round, __ATOMIC_RELEASE);
}

/* Has the handler that was there before ours do what it would have done. */
static void forward(int number, siginfo_t *info, void *context)
{
	/*
	 * Another thread is in install, where nothing interrupts it. The limit is
	 * for the child of a fork(2) at that moment, which lacks that thread.
	 */
	long long limit = psx_now() + 1000000;
	uintptr_t next;

	while (__atomic_load_n(&installing, __ATOMIC_ACQUIRE) && psx_futex_wait(&installing, 1, limit) != ETIMEDOUT)
		;
	next = __atomic_load_n(&previous, __ATOMIC_ACQUIRE);
	if (next == (uintptr_t)SIG_DFL)
		take_default_action();
	else if (next != (uintptr_t)SIG_IGN)
		/* A handler that wants the number alone ignores the rest. */
		((handler *)next)(number, info, context);
}

static void handle(int number, siginfo_t *info, void *context)
{
	int saved = errno;

	if (info->si_code == CODE)
		receive((unsigned)info->si_errno, info->si_value.sival_int);
	else
		forward(number, info, context);

	/*
	 * A thread made by a bare clone(2) may share its errno with another
	 * thread, so it is not written without need.
	 */
	if (errno != saved)
		errno = saved;
}

static int set_mask(const unsigned char *new, unsigned char *old)
{
	return syscall(SYS_rt_sigprocmask, SIG_SETMASK, new, old, sizeof ((struct kernel_sigaction *)NULL)->mask) ? errno : 0;
}

/*
 * Puts our handler in the place of the present one. Only the kernel can say
 * which one that is: another thread may set its handler at this moment, and
 * whoever asks first and sets then would lose it. So until the kernel has
 * said it, signals that are not ours wait in forward.
 */
static int install(void)
{
	struct kernel_sigaction ours, was;
	unsigned char mask[sizeof ours.mask];
	int err;

	memset(&ours, 0, sizeof ours);
	ours.handler = handle;
	/*
	 * Go code runs on stacks too small for a handler, hence SA_ONSTACK.
	 * Nothing may interrupt the handler, hence the full mask.
	 */
	ours.flags = SA_SIGINFO | SA_ONSTACK | SA_RESTART;
#ifdef RESTORER
	ours.flags |= RESTORER;
	ours.restorer = caprun_psx_return;
#endif
	memset(ours.mask, 0xff, sizeof ours.mask);

	err = set_mask(ours.mask, mask); /* or this thread could wait for itself */
	if (err)
		return err;
	__atomic_store_n(&installing, 1, __ATOMIC_SEQ_CST);
	err = kernel_sigaction(&ours, &was);
	if (!err && was.handler != handle)
		__atomic_store_n(&previous, (uintptr_t)was.handler, __ATOMIC_RELEASE);
	__atomic_store_n(&installing, 0, __ATOMIC_SEQ_CST);
	psx_futex_wake(&installing, INT_MAX);
	set_mask(mask, NULL);
	return err;
}

int psx_signal_send(int pid, int tid, unsigned round, int index)
{
	siginfo_t info;

	memset(&info, 0, sizeof info);
	info.si_signo = SIGNAL;
	info.si_code = CODE;
	info.si_errno = (int)round;
	info.si_pid = pid;
	info.si_value.sival_int = index;
	return syscall(SYS_rt_tgsigqueueinfo, pid, tid, SIGNAL, &info) ? errno : 0;
}

/*
 * Sends this thread the signal, which is delivered before the call returns.
 * Returns 0, ENOTSUP when our handler has not heard of it, or another errno.
 */
static int listen(int pid, int tid)
{
	static unsigned last;
	int err;

	__atomic_store_n(&awaited, ++last, __ATOMIC_RELEASE);
	err = psx_signal_send(pid, tid, last, ECHO);
	if (!err && __atomic_load_n(&heard, __ATOMIC_ACQUIRE) != last)
		err = ENOTSUP;
	return err;
}

int psx_signal_ready(int pid, int tid, int *lost)
{
	static int installed;
	struct kernel_sigaction action;
	int err, tries;

	*lost = 0;
	/* Somebody may be setting handlers at the same time, though not for ever. */
	for (tries = 0; tries < 4; tries++) {
		err = kernel_sigaction(NULL, &action);
		if (err)
			return err;
		/*
		 * Another handler may pass our signals on to ours, and would be
		 * passed its own for ever if ours were put in front of it again.
		 * So the echo decides, unless the signal could end the process.
		 */
		if (installed && (uintptr_t)action.handler != (uintptr_t)SIG_DFL) {
			err = listen(pid, tid);
			if (err != ENOTSUP)
				return err;
		}
		*lost = 1;
		if (action.handler != handle) {
			err = install();
			if (err)
				return err;
			installed = 1;
		}
	}
	return ENOTSUP;
}
