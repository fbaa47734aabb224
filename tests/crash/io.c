/* SPDX-License-Identifier: MIT */
/* io.c: fails and records the system calls of the store. */
#include <errno.h>
#include <fcntl.h>
#include <stdarg.h>
#include <stdatomic.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/stat.h>
#include <sys/syscall.h>
#include <unistd.h>

#include "io.h"

const char *const io_names[IO_CALL__COUNT] = {
	[IO_PREAD] = "read", [IO_PWRITE] = "write", [IO_FDATASYNC] = "fdatasync", [IO_FSYNC] = "fsync",
	[IO_FTRUNCATE] = "ftruncate", [IO_FALLOCATE] = "fallocate", [IO_OPEN] = "open", [IO_RENAME] = "rename",
	[IO_MMAP] = "mmap", [IO_MALLOC] = "malloc",
};

static struct {
	unsigned nth, count;
	int error;
	bool forever;
} faults[IO_CALL__COUNT];

/* Shared by all processes of a traced run. */
static struct {
	_Atomic int lock, stop;
	pid_t owner;
	_Atomic uint64_t events;
} *trace;
static int trace_fd = -1;

void *__libc_malloc(size_t);
void *__libc_calloc(size_t, size_t);
void *__libc_realloc(void *, size_t);

void
io_fail(enum io_call call, unsigned nth, int error, bool forever)
{
	faults[call].nth = nth;
	faults[call].count = 0;
	faults[call].error = error;
	faults[call].forever = forever;
}

unsigned
io_count(enum io_call call)
{
	return faults[call].count;
}

static bool
fails(enum io_call call)
{
	unsigned count = ++faults[call].count, nth = faults[call].nth;

	if (nth == 0 || !(count == nth || (faults[call].forever && count > nth)))
		return false;
	errno = faults[call].error;
	return true;
}

static void
lock(void)
{
	for (int i = 0; atomic_exchange(&trace->lock, 1) != 0; i++)
		if (i > 100)
			usleep(10);
	if (atomic_load(&trace->stop) != 0 && getpid() != trace->owner) {
		atomic_store(&trace->lock, 0);
		_exit(0);
	}
}

static void
unlock(void)
{
	atomic_store(&trace->lock, 0);
}

/* Under the lock. */
static uint64_t
record(uint32_t kind, uint32_t file, uint64_t offset, const void *bytes, uint64_t len, uint64_t aux)
{
	static unsigned char buffer[(1 << 21) + sizeof(struct io_event)];
	struct io_event event = { kind, file, offset, len, aux };

	uint64_t total = sizeof event + (len + 7) / 8 * 8;	/* events stay aligned */

	if (total > sizeof buffer)
		abort();
	memcpy(buffer, &event, sizeof event);
	if (len > 0)
		memcpy(buffer + sizeof event, bytes, len);
	if (syscall(SYS_write, trace_fd, buffer, total) != (long)total)
		abort();
	return atomic_fetch_add(&trace->events, 1);
}

/* By name, so that it needs no knowledge of who opened what. */
static enum io_file
file_of(int fd)
{
	char link[64], path[512];
	const char *name;
	ssize_t len;

	if (trace_fd < 0)
		return IO_NONE;
	snprintf(link, sizeof link, "/proc/self/fd/%d", fd);
	if ((len = readlink(link, path, sizeof path - 1)) < 0)
		return IO_NONE;
	path[len] = '\0';
	if ((name = strrchr(path, '/')) == NULL)
		return IO_NONE;
	return strcmp(name, "/store.gdbm") == 0 ? IO_GDBM : strcmp(name, "/store.sums") == 0 ? IO_SUMS :
	    strncmp(name, "/store.log", 10) == 0 ? IO_LOG : IO_NONE;
}

void
io_trace(const char *path)
{
	trace = mmap(NULL, 4096, PROT_READ | PROT_WRITE, MAP_SHARED | MAP_ANONYMOUS, -1, 0);
	trace_fd = open(path, O_WRONLY | O_CREAT | O_TRUNC | O_APPEND | O_CLOEXEC, 0600);
	if (trace == MAP_FAILED || trace_fd < 0)
		abort();
	trace->owner = getpid();
}

void
io_stop(bool stop)
{
	atomic_store(&trace->stop, stop);
}

void
io_ack(unsigned worker, uint64_t number)
{
	if (trace_fd < 0)
		return;
	lock();
	record(IO_ACK, worker, 0, NULL, 0, number);
	unlock();
}

ssize_t
pread(int fd, void *bytes, size_t len, off_t offset)
{
	return fails(IO_PREAD) ? -1 : syscall(SYS_pread64, fd, bytes, len, offset);
}

ssize_t
pwrite(int fd, const void *bytes, size_t len, off_t offset)
{
	enum io_file file = file_of(fd);
	ssize_t written;

	if (fails(IO_PWRITE))
		return -1;
	if (file == IO_NONE)
		return syscall(SYS_pwrite64, fd, bytes, len, offset);
	lock();
	if ((written = syscall(SYS_pwrite64, fd, bytes, len, offset)) > 0)
		record(IO_WRITE, file, (uint64_t)offset, bytes, (uint64_t)written, 0);
	unlock();
	return written;
}

int
ftruncate(int fd, off_t len)
{
	enum io_file file = file_of(fd);
	int r;

	if (fails(IO_FTRUNCATE))
		return -1;
	if (file == IO_NONE)
		return (int)syscall(SYS_ftruncate, fd, len);
	lock();
	if ((r = (int)syscall(SYS_ftruncate, fd, len)) == 0)
		record(IO_LENGTH, file, (uint64_t)len, NULL, 0, 0);
	unlock();
	return r;
}

/* What was written before the call began is durable once it is over. */
static int
sync_file(int fd, long number)
{
	enum io_file file = file_of(fd);
	struct stat status;
	uint64_t began;
	bool directory;
	int r;

	if (trace_fd < 0)
		return (int)syscall(number, fd);
	directory = fstat(fd, &status) == 0 && S_ISDIR(status.st_mode);
	began = atomic_load(&trace->events);
	r = (int)syscall(number, fd);
	if (r == 0 && (file != IO_NONE || directory)) {
		lock();
		record(directory ? IO_DIRECTORY : IO_SYNCED, file, 0, NULL, 0, began);
		unlock();
	}
	return r;
}

int
fdatasync(int fd)
{
	return fails(IO_FDATASYNC) ? -1 : sync_file(fd, SYS_fdatasync);
}

int
fsync(int fd)
{
	return fails(IO_FSYNC) ? -1 : sync_file(fd, SYS_fsync);
}

int
fallocate(int fd, int mode, off_t offset, off_t len)
{
	return fails(IO_FALLOCATE) ? -1 : (int)syscall(SYS_fallocate, fd, mode, offset, len);
}

int
posix_fallocate(int fd, off_t offset, off_t len)
{
	if (fails(IO_FALLOCATE))
		return errno;
	return syscall(SYS_fallocate, fd, 0, offset, len) == 0 ? 0 : errno;
}

int
openat(int dir, const char *path, int flags, ...)
{
	va_list args;
	int mode;

	va_start(args, flags);
	mode = (flags & O_CREAT) != 0 ? va_arg(args, int) : 0;
	va_end(args);
	return fails(IO_OPEN) ? -1 : (int)syscall(SYS_openat, dir, path, flags, mode);
}

int
renameat(int from_dir, const char *from, int to_dir, const char *to)
{
	int r;

	if (fails(IO_RENAME))
		return -1;
	if (trace_fd < 0)
		return (int)syscall(SYS_renameat, from_dir, from, to_dir, to);
	lock();
	if ((r = (int)syscall(SYS_renameat, from_dir, from, to_dir, to)) == 0)
		record(IO_RENAMED, IO_LOG, 0, NULL, 0, 0);
	unlock();
	return r;
}

void *
mmap(void *place, size_t len, int protection, int flags, int fd, off_t offset)
{
	if (fd >= 0 && fails(IO_MMAP))
		return MAP_FAILED;
	return (void *)syscall(SYS_mmap, place, len, protection, flags, fd, offset);
}

void *
malloc(size_t len)
{
	return fails(IO_MALLOC) ? NULL : __libc_malloc(len);
}

void *
calloc(size_t n, size_t len)
{
	return fails(IO_MALLOC) ? NULL : __libc_calloc(n, len);
}

void *
realloc(void *place, size_t len)
{
	return fails(IO_MALLOC) ? NULL : __libc_realloc(place, len);
}
