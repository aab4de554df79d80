//go:build linux && cgo

#define _GNU_SOURCE
#include "longcall_linux.h"

#include <errno.h>
#include <fcntl.h>
#include <poll.h>
#include <pthread.h>
#include <semaphore.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/epoll.h>
#include <sys/file.h>
#include <sys/select.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/syscall.h>
#include <sys/time.h>
#include <sys/un.h>
#include <sys/wait.h>
#include <time.h>
#include <unistd.h>

/* In seconds: longer than a test keeps them waiting. */
enum { LONG = 600 };

static int ready_pipe[2], full_pipe[2], waiting_pipe[2], pair[2], limited[2];
static int listener, locked_file, epoll;
static char directory[] = "/tmp/psx-XXXXXX", fifo[64], file[64], address[64];
static pid_t child;
static int word;
static sem_t semaphore;
static pthread_mutex_t mutex = PTHREAD_MUTEX_INITIALIZER;
static pthread_cond_t condition = PTHREAD_COND_INITIALIZER;
static int signalled, started;
static pthread_t threads[LONG_CALLS];
static int results[LONG_CALLS];

static int wait_for(enum long_call which)
{
	struct timespec t = {LONG, 0};
	struct timeval v = {LONG, 0};
	struct flock whole = {.l_type = F_WRLCK};
	struct epoll_event event;
	struct pollfd p = {waiting_pipe[0], POLLIN, 0};
	char bytes[1] = "";
	sigset_t usr2;
	fd_set set;
	int fd, err = 0;

	switch (which) {
	case LONG_READ:
		return read(ready_pipe[0], bytes, 1) < 0 ? errno : 0;
	case LONG_WRITE:
		return write(full_pipe[1], bytes, 1) < 0 ? errno : 0;
	case LONG_ACCEPT:
		return accept(listener, NULL, NULL) < 0 ? errno : 0;
	case LONG_RECEIVE:
		return recv(pair[0], bytes, 1, 0) < 0 ? errno : 0;
	case LONG_LOCK:
		fd = open(file, O_RDWR | O_CLOEXEC);
		return fcntl(fd, F_OFD_SETLKW, &whole) < 0 ? errno : 0;
	case LONG_FLOCK:
		fd = open(file, O_RDWR | O_CLOEXEC);
		return flock(fd, LOCK_EX) < 0 ? errno : 0;
	case LONG_WAITPID:
		return waitpid(child, NULL, 0) < 0 ? errno : 0;
	case LONG_FUTEX:
		return syscall(SYS_futex, &word, 128, 0, NULL, NULL, 0) < 0 ? errno : 0;
	case LONG_COND:
		clock_gettime(CLOCK_REALTIME, &t);
		t.tv_sec += LONG;
		pthread_mutex_lock(&mutex);
		while (!signalled && !err)
			err = pthread_cond_timedwait(&condition, &mutex, &t);
		pthread_mutex_unlock(&mutex);
		return err;
	case LONG_SEM:
		return sem_wait(&semaphore) < 0 ? errno : 0;
	case LONG_OPEN:
		return open(fifo, O_WRONLY | O_CLOEXEC) < 0 ? errno : 0;
	case LONG_POLL:
		return poll(&p, 1, LONG * 1000) < 0 ? errno : 0;
	case LONG_SELECT:
		FD_ZERO(&set);
		FD_SET(waiting_pipe[0], &set);
		return select(waiting_pipe[0] + 1, &set, NULL, NULL, &v) < 0 ? errno : 0;
	case LONG_EPOLL:
		return epoll_wait(epoll, &event, 1, LONG * 1000) < 0 ? errno : 0;
	case LONG_NANOSLEEP:
		return nanosleep(&t, NULL) < 0 ? errno : 0;
	case LONG_RECEIVE_LIMIT:
		return recv(limited[0], bytes, 1, 0) < 0 ? errno : 0;
	case LONG_SIGTIMEDWAIT:
		sigemptyset(&usr2);
		sigaddset(&usr2, SIGUSR2);
		pthread_sigmask(SIG_BLOCK, &usr2, NULL);
		return sigtimedwait(&usr2, NULL, &t) < 0 ? errno : 0;
	default:
		return ENOSYS;
	}
}

static void *waiter(void *arg)
{
	int *result = arg;

	__atomic_add_fetch(&started, 1, __ATOMIC_RELEASE);
	*result = wait_for(result - results);
	return NULL;
}

static void nap(void)
{
	const struct timespec t = {0, 20000000};

	nanosleep(&t, NULL);
}

static int prepare(void)
{
	struct sockaddr_un name = {.sun_family = AF_UNIX};
	struct epoll_event event = {.events = EPOLLIN};
	struct timeval limit = {LONG, 0};
	struct flock whole = {.l_type = F_WRLCK};
	char bytes[4096] = "";

	if (!mkdtemp(directory))
		return errno;
	snprintf(fifo, sizeof fifo, "%s/fifo", directory);
	snprintf(file, sizeof file, "%s/file", directory);
	snprintf(address, sizeof address, "%s/socket", directory);
	memcpy(name.sun_path, address, sizeof address);
	if (pipe2(ready_pipe, O_CLOEXEC) || pipe2(full_pipe, O_CLOEXEC) || pipe2(waiting_pipe, O_CLOEXEC) ||
	    socketpair(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0, pair) ||
	    socketpair(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0, limited) ||
	    setsockopt(limited[0], SOL_SOCKET, SO_RCVTIMEO, &limit, sizeof limit) || mkfifo(fifo, 0600))
		return errno;
	listener = socket(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0);
	if (listener < 0 || bind(listener, (struct sockaddr *)&name, sizeof name) || listen(listener, 1))
		return errno;
	locked_file = open(file, O_RDWR | O_CREAT | O_CLOEXEC, 0600);
	if (locked_file < 0 || fcntl(locked_file, F_OFD_SETLK, &whole) || flock(locked_file, LOCK_EX))
		return errno;
	epoll = epoll_create1(EPOLL_CLOEXEC);
	if (epoll < 0 || epoll_ctl(epoll, EPOLL_CTL_ADD, waiting_pipe[0], &event))
		return errno;
	fcntl(full_pipe[1], F_SETFL, O_NONBLOCK);
	while (write(full_pipe[1], bytes, sizeof bytes) > 0)
		;
	fcntl(full_pipe[1], F_SETFL, 0);
	sem_init(&semaphore, 0, 0);
	child = fork();
	if (child == 0)
		for (;;)
			pause();
	return child < 0 ? errno : 0;
}

int long_start(void)
{
	int i, err = prepare();

	for (i = 0; i < LONG_CALLS && !err; i++)
		err = pthread_create(&threads[i], NULL, waiter, &results[i]);
	while (!err && __atomic_load_n(&started, __ATOMIC_ACQUIRE) < LONG_CALLS)
		nap();
	nap(); /* until the last threads have made their calls */
	return err;
}

void long_end(int to[LONG_CALLS])
{
	struct sockaddr_un name = {.sun_family = AF_UNIX};
	char bytes[65536];
	int fd, i;

	if (read(full_pipe[0], bytes, sizeof bytes) < 0 || write(ready_pipe[1], "", 1) + send(pair[1], "", 1, 0) + send(limited[1], "", 1, 0) + write(waiting_pipe[1], "", 1) != 4)
		abort();
	fd = socket(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0);
	memcpy(name.sun_path, address, sizeof address);
	if (connect(fd, (struct sockaddr *)&name, sizeof name))
		abort();
	close(locked_file);
	kill(child, SIGKILL);
	__atomic_store_n(&word, 1, __ATOMIC_RELEASE);
	syscall(SYS_futex, &word, 129, 1, NULL, NULL, 0);
	pthread_mutex_lock(&mutex);
	signalled = 1;
	pthread_cond_signal(&condition);
	pthread_mutex_unlock(&mutex);
	sem_post(&semaphore);
	fd = open(fifo, O_RDONLY | O_CLOEXEC | O_NONBLOCK);
	for (i = 0; i < LONG_CALLS; i++) {
		if (i == LONG_NANOSLEEP || i == LONG_SIGTIMEDWAIT)
			continue; /* only a signal or the timeout ends these */
		pthread_join(threads[i], NULL);
	}
	unlink(fifo);
	unlink(file);
	unlink(address);
	rmdir(directory);
	memcpy(to, results, sizeof results);
}
