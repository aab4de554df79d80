//go:build linux && cgo

#define _GNU_SOURCE
#include "threads_linux.h"

#include <errno.h>
#include <fcntl.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/stat.h>
#include <sys/syscall.h>
#include <unistd.h>

/* An entry that getdents64(2) returns. Not every C library declares it. */
struct entry {
	uint64_t inode;
	int64_t offset;
	unsigned short length;
	unsigned char type;
	char name[];
};

/*
 * Both are open only during a call, because the program may close any descriptor
 * between calls. They are opened before any change: afterwards the thread may have
 * another root directory, or may not be allowed to open files.
 */
static int tasks = -1;  /* /proc/self/task */
static int leader = -1; /* stat of the main thread, which may have ended long ago */
static int process, caller; /* the numbers of the process and of the calling thread */

/*
 * Handlers write to the records, so these are in blocks that are never moved or
 * freed. Each block is twice as long as the one before. index_of finds the index
 * of a record by thread number; only the caller uses it.
 */
#define FIRST_BLOCK 256
#define BLOCKS 20
static struct psx_thread *blocks[BLOCKS];
static int used;

static int *index_of; /* a hash table with open addressing: index + 1, or 0 if empty */
static int index_size; /* a power of two, at least twice used */

static unsigned scans;
static int stable_inodes; /* a thread keeps its inode, as it does in Linux */

static struct psx_thread *record(int index)
{
	int block = 0, length = FIRST_BLOCK;

	while (index >= length) {
		index -= length;
		length *= 2;
		block++;
	}
	return &blocks[block][index];
}

struct psx_thread *psx_threads_at(int index)
{
	if (index < 0 || index >= __atomic_load_n(&used, __ATOMIC_ACQUIRE))
		return NULL;
	return record(index);
}

/* Returns the place of a thread in index_of, which is empty for an unknown one. */
static int *place(int tid)
{
	unsigned i = (unsigned)tid & (index_size - 1);

	while (index_of[i] && record(index_of[i] - 1)->tid != tid)
		i = (i + 1) & (index_size - 1);
	return &index_of[i];
}

/*
 * Returns memory filled with zeros, or NULL. It does not come from malloc: a thread
 * that waits in our handler may hold a lock of malloc.
 */
static void *zeros(size_t size)
{
	void *p = mmap(NULL, size, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);

	return p == MAP_FAILED ? NULL : p;
}

/* Makes room for one more record. Returns 0 or an errno. */
static int grow(void)
{
	int block = 0, length = FIRST_BLOCK, before = 0, i;
	struct psx_thread *t;

	while (used >= before + length) {
		before += length;
		length *= 2;
		block++;
	}
	if (block == BLOCKS)
		return ENOMEM;
	if (!blocks[block]) {
		blocks[block] = zeros(length * sizeof **blocks);
		if (!blocks[block])
			return ENOMEM;
	}
	if (2 * (used + 1) > index_size) {
		int size = index_size ? 2 * index_size : 4 * FIRST_BLOCK;
		int *fresh = zeros(size * sizeof *fresh);

		if (!fresh)
			return ENOMEM;
		if (index_of)
			munmap(index_of, index_size * sizeof *index_of);
		index_of = fresh;
		index_size = size;
		for (i = 0; (t = psx_threads_at(i)); i++)
			*place(t->tid) = i + 1; /* the latest record of a number wins */
	}
	return 0;
}

/* Resets the rounds and the call to those of a new record. */
static void reset_rounds(struct psx_thread *t)
{
	t->signalled = t->settled = 0;
	__atomic_store_n(&t->answered, 0, __ATOMIC_RELAXED);
	__atomic_store_n(&t->ran, 0, __ATOMIC_RELAXED);
}

/*
 * Removes the records of threads that the last scan did not find. The other
 * records move, and a handler of an earlier round may still write to the former
 * place of its record. It can only write the number of that round, which is no
 * answer in a later one.
 */
static void remove_ended(void)
{
	struct psx_thread *t, *to;
	int i, kept = 0;

	for (i = 0; (t = psx_threads_at(i)); i++) {
		if (t->last_seen != scans)
			continue;
		to = record(kept++);
		to->tid = t->tid;
		to->inode = t->inode;
		to->first_seen = 0; /* before any scan of this call */
		to->last_seen = t->last_seen;
		to->responsive = t->responsive;
		to->ignored = t->ignored;
		reset_rounds(to);
	}
	__atomic_store_n(&used, kept, __ATOMIC_RELEASE);
	if (index_of)
		memset(index_of, 0, index_size * sizeof *index_of);
	for (i = 0; (t = psx_threads_at(i)); i++)
		*place(t->tid) = i + 1;
}

/* Writes a number in decimal and returns the end of it. */
static char *decimal(char *to, int number)
{
	char digits[12];
	int n = 0;

	do
		digits[n++] = '0' + number % 10;
	while (number /= 10);
	while (n)
		*to++ = digits[--n];
	*to = 0;
	return to;
}

static void stat_path(char *path, int tid)
{
	strcpy(decimal(path, tid), "/stat");
}

int psx_threads_open(int pid, int tid)
{
	char path[32], own[16], self[16];
	ssize_t n;
	int err;

	/* The /proc of another PID namespace has other numbers. */
	n = readlink("/proc/self", self, sizeof self - 1);
	if (n < 0)
		return errno;
	self[n] = 0;
	decimal(own, pid);
	if (strcmp(own, self))
		return ESRCH;

	tasks = open("/proc/self/task", O_RDONLY | O_DIRECTORY | O_CLOEXEC);
	if (tasks < 0)
		return errno;
	stat_path(path, pid);
	leader = openat(tasks, path, O_RDONLY | O_CLOEXEC);
	if (leader < 0) {
		err = errno;
		close(tasks);
		return err;
	}
	process = pid;
	caller = tid;
	remove_ended();
	stable_inodes = 1;
	return 0;
}

void psx_threads_close(void)
{
	close(leader);
	close(tasks);
}

/*
 * Records that this scan has found a thread, and counts it in *listed unless the
 * scan has found it before. Returns 0 or an errno.
 */
static int record_found(int tid, uint64_t inode, int *listed)
{
	struct psx_thread *t;
	int *at, err;

	err = grow();
	if (err)
		return err;
	at = place(tid);
	t = *at ? record(*at - 1) : NULL;
	if (!t || (stable_inodes && t->inode != inode)) {
		t = record(used);
		t->tid = tid;
		t->first_seen = scans;
		t->last_seen = 0;
		t->responsive = t->ignored = 0;
		reset_rounds(t);
		__atomic_store_n(&used, used + 1, __ATOMIC_RELEASE);
		*at = used;
	}
	*listed += t->last_seen != scans;
	t->inode = inode;
	t->last_seen = scans;
	return 0;
}

int psx_threads_scan(unsigned *scan, int *complete)
{
	static union {
		struct entry align;
		char bytes[32768];
	} buffer;
	int listed = 0, caller_found, err = 0, *at;
	char name[16];
	struct stat st;
	long n, i;

	/*
	 * In Linux the inode of a living thread changes only when memory runs
	 * short. An emulation of Linux may return a new one each time. The inode of
	 * the calling thread shows which case this is.
	 */
	decimal(name, caller);
	if (fstatat(tasks, name, &st, 0))
		return errno;
	err = grow();
	if (err)
		return err;
	if (*(at = place(caller)) && record(*at - 1)->inode != st.st_ino)
		stable_inodes = 0;

	/*
	 * While the directory is read, a thread that ends can hide a living one.
	 * The number of links shows that: it is the number of threads plus 2. If
	 * the scan finds as many threads as existed, and all of them are older than
	 * the scan, then it has missed none.
	 */
	if (fstat(tasks, &st) || lseek(tasks, 0, SEEK_SET))
		return errno;
	scans++;
	while ((n = syscall(SYS_getdents64, tasks, buffer.bytes, sizeof buffer)) > 0) {
		struct entry *e;

		for (i = 0; i < n && !err; i += e->length) {
			e = (struct entry *)(buffer.bytes + i);
			if (e->name[0] == '.')
				continue;
			err = record_found(atoi(e->name), e->inode, &listed);
		}
		if (err)
			return err;
	}
	if (n < 0)
		return errno;
	at = place(caller);
	caller_found = *at && record(*at - 1)->last_seen == scans;
	*scan = scans;
	*complete = caller_found && listed == (int)st.st_nlink - 2;
	return 0;
}

enum psx_state psx_threads_state(int tid)
{
	/* proc_pid_stat(5): the state, the flags of the kernel, the blocked signals 1 to 31. */
	enum { STATE = 3, FLAGS = 9, BLOCKED = 32 };
	const unsigned long kernel_thread = 0x4010;  /* PF_USER_WORKER, PF_IO_WORKER */
	const unsigned long all_blocked = 0x7ffbfeff; /* except SIGKILL and SIGSTOP */
	char text[1024], path[32], state = 0, *p;
	unsigned long flags = 0, blocked = 0;
	int fd, field;
	ssize_t n;

	if (tid == process) {
		n = pread(leader, text, sizeof text - 1, 0);
	} else {
		stat_path(path, tid);
		fd = openat(tasks, path, O_RDONLY | O_CLOEXEC);
		if (fd < 0)
			return PSX_CAN_ANSWER;
		n = read(fd, text, sizeof text - 1);
		close(fd);
	}
	if (n <= 0)
		return PSX_CAN_ANSWER;
	text[n] = 0;
	p = strrchr(text, ')'); /* the name before it may contain any character */
	for (field = 2; p && (p = strchr(p, ' ')); ) {
		p++;
		field++;
		if (field == STATE)
			state = *p;
		else if (field == FLAGS)
			flags = strtoul(p, NULL, 10);
		else if (field == BLOCKED)
			blocked = strtoul(p, NULL, 10);
	}
	if (state == 'Z' || state == 'X')
		return PSX_NEVER_ANSWERS;
	/* Threads of io_uring and vhost belong to the process and never leave the kernel. */
	if ((flags & kernel_thread) && blocked == all_blocked)
		return PSX_NEVER_ANSWERS;
	return state == 'D' ? PSX_SLEEPS : PSX_CAN_ANSWER;
}
