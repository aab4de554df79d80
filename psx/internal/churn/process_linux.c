//go:build linux && cgo

#define _GNU_SOURCE
#include "process_linux.h"

#include <errno.h>
#include <pthread.h>
#include <semaphore.h>
#include <signal.h>
#include <spawn.h>
#include <string.h>
#include <sys/syscall.h>
#include <sys/wait.h>
#include <time.h>
#include <unistd.h>

int process_broadcasts_are_safe(void)
{
#ifdef __GLIBC__
	return 1;
#else
	return 0;
#endif
}

int process_setuid_same(void)
{
	return setuid(getuid()) ? errno : 0;
}

static int reap(pid_t pid)
{
	int status;

	while (waitpid(pid, &status, 0) < 0)
		if (errno != EINTR)
			return errno;
	return WIFEXITED(status) && WEXITSTATUS(status) == 0 ? 0 : -1;
}

int process_fork(void)
{
	pid_t pid = fork();

	if (pid == 0)
		_exit(setgid(getgid()) ? 1 : 0);
	return pid < 0 ? errno : reap(pid);
}

int process_spawn(void)
{
	char *argv[] = {"true", NULL};
	pid_t pid;
	int err = posix_spawn(&pid, "/bin/true", NULL, NULL, argv, environ);

	return err ? err : reap(pid);
}

static void *sleeper(void *arg)
{
	sem_post(arg);
	for (;;)
		pause();
	return NULL;
}

int process_cancel(void)
{
	pthread_t t;
	void *result = NULL;
	sem_t asleep;

	sem_init(&asleep, 0, 0);
	if (pthread_create(&t, NULL, sleeper, &asleep))
		return 0;
	while (sem_wait(&asleep))
		;
	return pthread_cancel(t) == 0 && pthread_join(t, &result) == 0 && result == PTHREAD_CANCELED;
}

static sem_t rung;

static void ring(union sigval v)
{
	(void)v;
	sem_post(&rung);
}

int process_timer(void)
{
	struct sigevent event;
	struct itimerspec soon = {{0, 0}, {0, 1000000}};
	timer_t timer;

	memset(&event, 0, sizeof event);
	event.sigev_notify = SIGEV_THREAD;
	event.sigev_notify_function = ring;
	sem_init(&rung, 0, 0);
	if (timer_create(CLOCK_MONOTONIC, &event, &timer) || timer_settime(timer, 0, &soon, NULL))
		return errno;
	while (sem_wait(&rung))
		;
	return 0;
}

int process_forge(int tid, int code, int error, int value)
{
	siginfo_t info;

	memset(&info, 0, sizeof info);
	info.si_signo = 33;
	info.si_code = code;
	info.si_errno = error;
	info.si_pid = getpid();
	info.si_value.sival_int = value;
	return syscall(SYS_rt_tgsigqueueinfo, getpid(), tid, 33, &info) ? errno : 0;
}

static void (*replaced)(int, siginfo_t *, void *);

static void silent(int number, siginfo_t *info, void *context)
{
	(void)number, (void)info, (void)context;
}

static void forwarding(int number, siginfo_t *info, void *context)
{
	replaced(number, info, context);
}

int process_take_signal(int handler)
{
	/* The structure of the kernel begins with the handler on most machines. */
	void (*action[16])(int, siginfo_t *, void *);

	if (syscall(SYS_rt_sigaction, 33, NULL, action, _NSIG / 8))
		return errno;
	replaced = action[0];
	action[0] = handler == HANDLER_DEFAULT ? NULL : handler == HANDLER_SILENT ? silent : forwarding;
	return syscall(SYS_rt_sigaction, 33, action, NULL, _NSIG / 8) ? errno : 0;
}

void process_end_thread(void)
{
	syscall(SYS_exit, 0);
}

int process_kernel_thread(void)
{
	unsigned parameters[30] = {0}; /* struct io_uring_params */
	enum { SETUP = 425, FLAGS = 2, POLLING_THREAD = 2 };

	parameters[FLAGS] = POLLING_THREAD;
	return syscall(SETUP, 4, parameters) < 0 ? errno : 0;
}

int process_get_errno(void)
{
	return errno;
}

void process_set_errno(int value)
{
	errno = value;
}
