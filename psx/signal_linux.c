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
 * Signal 33 can always be delivered. glibc (SIGSETXID) and musl (SIGCANCEL) do not
 * let sigprocmask(2) or pthread_sigmask(3) block it, and the Go runtime does not
 * block it even on threads that are ending. 32 is not suitable, because the timer
 * threads of both libraries block it. Neither is 34: glibc leaves it to the
 * program, and musl sets its handler again whenever it uses the signal itself.
 *
 * We share the signal with the C library. So each of our signals carries a code
 * that no other sender uses, and a signal without it goes to the previous handler.
 */
#define SIGNAL 33
#define CODE (-0x707378) /* negative, as the kernel demands of user space */

/*
 * Both libraries refuse sigaction(2) for signals that they use, so this is the
 * structure of the kernel.
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
 * On x86 the program must provide the return from a signal handler. Debuggers and
 * unwinders recognize exactly these instructions.
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

static uintptr_t previous;  /* the handler before ours */
static unsigned installing; /* previous may be out of date; a futex(2) */

/* A signal with this index only shows that it reaches our handler. */
#define ECHO (-1)
static unsigned sent_echo, received_echo; /* the numbers of the last echoes */

static int kernel_sigaction(const struct kernel_sigaction *new, struct kernel_sigaction *old)
{
	return syscall(SYS_rt_sigaction, SIGNAL, new, old, sizeof new->mask) ? errno : 0;
}

/* Takes the default action of a real-time signal: it ends the process. */
static void take_default_action(void)
{
	struct kernel_sigaction action;

	memset(&action, 0, sizeof action);
	kernel_sigaction(&action, NULL);
	/* The signal is blocked until our handler returns. */
	syscall(SYS_tgkill, getpid(), syscall(SYS_gettid), SIGNAL);
}

static void receive(unsigned round, int index)
{
	if (index != ECHO)
		psx_signal_received(round, index);
	else if (round == __atomic_load_n(&sent_echo, __ATOMIC_ACQUIRE))
		__atomic_store_n(&received_echo, round, __ATOMIC_RELEASE);
}

/* Passes a signal that is not ours to the previous handler. */
static void forward(int number, siginfo_t *info, void *context)
{
	/*
	 * Another thread is in install, which no signal interrupts. The limit is
	 * for a child of fork(2), in which that thread does not exist.
	 */
	long long limit = psx_now() + 1000000;
	uintptr_t next;

	while (__atomic_load_n(&installing, __ATOMIC_ACQUIRE) && psx_futex_wait(&installing, 1, limit) != ETIMEDOUT)
		;
	next = __atomic_load_n(&previous, __ATOMIC_ACQUIRE);
	if (next == (uintptr_t)SIG_DFL)
		take_default_action();
	else if (next != (uintptr_t)SIG_IGN)
		/* A handler that takes only the number ignores the other arguments. */
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
	 * A thread that was created by clone(2) itself may share errno with
	 * another thread, so errno is written only if it has changed.
	 */
	if (errno != saved)
		errno = saved;
}

static int set_mask(const unsigned char *new, unsigned char *old)
{
	return syscall(SYS_rt_sigprocmask, SIG_SETMASK, new, old, sizeof ((struct kernel_sigaction *)NULL)->mask) ? errno : 0;
}

/*
 * Replaces the current handler by ours. Another thread may set a handler at the
 * same time, so only the call that sets ours can return the previous one. Until it
 * has returned, signals that are not ours wait in forward.
 */
static int install(void)
{
	struct kernel_sigaction ours, was;
	unsigned char mask[sizeof ours.mask];
	int err;

	memset(&ours, 0, sizeof ours);
	ours.handler = handle;
	/*
	 * The stacks of goroutines are too small for a handler, hence SA_ONSTACK.
	 * No signal may interrupt the handler, hence the full mask.
	 */
	ours.flags = SA_SIGINFO | SA_ONSTACK | SA_RESTART;
#ifdef RESTORER
	ours.flags |= RESTORER;
	ours.restorer = caprun_psx_return;
#endif
	memset(ours.mask, 0xff, sizeof ours.mask);

	err = set_mask(ours.mask, mask); /* forward on this thread would wait for this function */
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
 * Sends the signal to this thread, which receives it before the call returns.
 * Returns 0, ENOTSUP if our handler has not received it, or another errno.
 */
static int send_echo(int pid, int tid)
{
	static unsigned last;
	int err;

	__atomic_store_n(&sent_echo, ++last, __ATOMIC_RELEASE);
	err = psx_signal_send(pid, tid, last, ECHO);
	if (!err && __atomic_load_n(&received_echo, __ATOMIC_ACQUIRE) != last)
		err = ENOTSUP;
	return err;
}

int psx_signal_ready(int pid, int tid, int *lost)
{
	static int installed;
	struct kernel_sigaction action;
	int err, tries;

	*lost = 0;
	/* Another thread may set handlers at the same time, but not without end. */
	for (tries = 0; tries < 4; tries++) {
		err = kernel_sigaction(NULL, &action);
		if (err)
			return err;
		/*
		 * Another handler may call ours. If ours were installed again, the
		 * two would call each other without end. So the echo decides, unless
		 * the signal could end the process.
		 */
		if (installed && (uintptr_t)action.handler != (uintptr_t)SIG_DFL) {
			err = send_echo(pid, tid);
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
