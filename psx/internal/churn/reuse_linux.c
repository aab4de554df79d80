//go:build linux && cgo

#define _GNU_SOURCE
#include "reuse_linux.h"
#include "guest_linux.h"

#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <string.h>
#include <time.h>
#include <unistd.h>

static int old;
static const char *awaited;

void reuse_prepare(int tid, const char *name)
{
	old = tid;
	awaited = name;
}

/* Returns whether the other guest has the name. *there says whether it exists. */
static int has_name(int *there)
{
	char path[64], name[32] = "";
	int fd, n;

	snprintf(path, sizeof path, "/proc/self/task/%d/comm", old);
	fd = open(path, O_RDONLY | O_CLOEXEC);
	*there = fd >= 0;
	if (fd < 0)
		return 0;
	n = read(fd, name, sizeof name - 1);
	close(fd);
	return n > 0 && strncmp(name, awaited, strlen(awaited)) == 0;
}

static void nap(int times)
{
	const struct timespec t = {0, 200000L * times};

	nanosleep(&t, NULL);
}

/* Starts a guest, with the old number if that is available. Returns its number or -errno. */
static int successor(void)
{
	int fd = open("/proc/sys/kernel/ns_last_pid", O_WRONLY | O_CLOEXEC), n;

	if (fd < 0)
		return -errno;
	n = dprintf(fd, "%d", old - 1);
	close(fd);
	return n < 0 ? -EIO : guest_start(1);
}

int reuse(void)
{
	int there, tid = 0, tries;

	while (!has_name(&there))
		nap(1);
	guest_tell(old, GUEST_END);
	while (has_name(&there), there)
		nap(1);
	/*
	 * The number becomes available a little later than the thread disappears, on
	 * a busy machine when that thread runs again. A process can start few more
	 * guests than there are tries.
	 */
	for (tries = 0; tries < 12; tries++) {
		nap(1 << tries);
		tid = successor();
		if (tid < 0 || tid == old)
			break;
		guest_tell(tid, GUEST_END);
	}
	if (tid == old)
		guest_tell(tid, GUEST_UNBLOCK);
	guest_unblock();
	return tid < 0 ? -tid : tid == old ? 0 : -1;
}
