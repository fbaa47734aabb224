/* SPDX-License-Identifier: MIT */
/*
 * limit_table.c: STATE/rate.tab, buckets of counters, each bucket under a lock of its
 * own that the kernel releases when a process dies.
 */
#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/stat.h>
#include <time.h>
#include <unistd.h>

#include "limit_table.h"

#define TABLE_NAME	"rate.tab"
#define MAGIC		"gbrate01"	/* changes with the layout: an older file is replaced */
#define BUCKETS		2048u
#define WAYS		16u
#define TRIES_MAX	200		/* at a bucket that is held for some stores to memory */
#define TRY_NS		1000000

struct table {
	char magic[8];
	char reserved[4096 - 8];
	struct gb_counter buckets[BUCKETS][WAYS];
};

struct gb_limit {
	int fd;
	struct table *table;
};

static bool
lock_set(int fd, int command, short type, off_t at)
{
	struct flock lock = { .l_type = type, .l_whence = SEEK_SET, .l_start = at, .l_len = 1 };

	return fcntl(fd, command, &lock) == 0;
}

static bool
is_table(int fd)
{
	char magic[sizeof MAGIC - 1];
	struct stat st;

	return fstat(fd, &st) == 0 && S_ISREG(st.st_mode) && st.st_uid == geteuid() &&
	    (st.st_mode & 077) == 0 && st.st_size == sizeof(struct table) &&
	    pread(fd, magic, sizeof magic, 0) == sizeof magic && memcmp(magic, MAGIC, sizeof magic) == 0;
}

static int
table_open(const struct gb_state *state)
{
	return openat(gb_state_fd(state), TABLE_NAME, O_RDWR | O_NOFOLLOW | O_NONBLOCK | O_CLOEXEC);
}

/* Written whole, so that a full disk is met here and not as a signal at the first store. */
static enum gb_err
table_make(const struct gb_state *state, int exclusive)
{
	struct table *empty = calloc(1, sizeof *empty);
	enum gb_err err;

	if (empty == NULL)
		return GB_ERR_MEMORY;
	memcpy(empty->magic, MAGIC, sizeof empty->magic);
	err = gb_state_write(state, TABLE_NAME, empty, sizeof *empty, exclusive);
	free(empty);
	return err == GB_ERR_CONFLICT ? GB_OK : err;
}

/* An unfit file is replaced by whoever holds its lock, once: all others find the new one. */
static enum gb_err
table_replace(const struct gb_state *state, int unfit)
{
	struct stat ours, named;
	enum gb_err err = GB_OK;

	if (!lock_set(unfit, F_OFD_SETLKW, F_WRLCK, 0) || fstat(unfit, &ours) != 0)
		return GB_ERR_STORE_UNAVAILABLE;
	if (fstatat(gb_state_fd(state), TABLE_NAME, &named, AT_SYMLINK_NOFOLLOW) == 0 &&
	    named.st_ino == ours.st_ino && named.st_dev == ours.st_dev)
		err = table_make(state, 0);
	return err;
}

/* A descriptor of a fit table; -1 with *err. */
static int
table_ready(const struct gb_state *state, enum gb_err *err)
{
	int fd;

	*err = GB_ERR_STORE_UNAVAILABLE;
	for (int tries = 0; tries < 3; tries++) {
		if ((fd = table_open(state)) < 0 && errno != ENOENT)
			return -1;
		if (fd >= 0 && is_table(fd))
			return fd;
		*err = fd < 0 ? table_make(state, 1) : table_replace(state, fd);
		if (fd >= 0)
			close(fd);
		if (*err != GB_OK)
			return -1;
	}
	return -1;
}

enum gb_err
gb_limit_open(const struct gb_state *state, char *why, size_t why_max, struct gb_limit **limit)
{
	struct gb_limit *l = calloc(1, sizeof *l);
	enum gb_err err = GB_ERR_MEMORY;

	*limit = NULL;
	if (l != NULL && (l->fd = table_ready(state, &err)) >= 0) {
		l->table = mmap(NULL, sizeof *l->table, PROT_READ | PROT_WRITE, MAP_SHARED, l->fd, 0);
		if (l->table != MAP_FAILED) {
			*limit = l;
			return GB_OK;
		}
		close(l->fd);
		err = GB_ERR_MEMORY;
	}
	free(l);
	snprintf(why, why_max, "STATE: %s: %s", TABLE_NAME, err == GB_ERR_MEMORY ? "no memory" : "cannot be opened or made");
	return err == GB_ERR_MEMORY ? err : GB_ERR_MISCONFIGURED;
}

void
gb_limit_close(struct gb_limit *limit)
{
	if (limit == NULL)
		return;
	munmap(limit->table, sizeof *limit->table);
	close(limit->fd);
	free(limit);
}

/* Locks stand from byte 1 on; byte 0 is for table_replace. */
static off_t
lock_of(const unsigned char fingerprint[static GB_FINGERPRINT_LEN])
{
	return 1 + (fingerprint[0] << 8 | fingerprint[1]) % (int)BUCKETS;
}

static bool
is_forgotten(const struct gb_counter *counter, int64_t now)
{
	return counter->count == 0 || now - counter->at >= counter->life_s || counter->at - now > counter->life_s;
}

/* Which of two counters is less of a loss. */
static bool
is_emptier(const struct gb_counter *a, const struct gb_counter *b, int64_t now)
{
	if (is_forgotten(a, now) != is_forgotten(b, now))
		return is_forgotten(a, now);
	return a->count != b->count ? a->count < b->count : a->at < b->at;
}

static struct gb_counter *
counter_find(struct gb_counter bucket[static WAYS],
    const unsigned char fingerprint[static GB_FINGERPRINT_LEN], int64_t now)
{
	struct gb_counter *emptiest = &bucket[0];

	for (size_t i = 0; i < WAYS; i++) {
		if (memcmp(bucket[i].fingerprint, fingerprint, GB_FINGERPRINT_LEN) == 0)
			return &bucket[i];
		if (is_emptier(&bucket[i], emptiest, now))
			emptiest = &bucket[i];
	}
	emptiest->count = 0;
	memcpy(emptiest->fingerprint, fingerprint, GB_FINGERPRINT_LEN);
	return emptiest;
}

enum gb_err
gb_counter_take(const struct gb_limit *limit, const unsigned char fingerprint[static GB_FINGERPRINT_LEN],
    int64_t now, struct gb_counter **counter)
{
	const struct timespec pause = { 0, TRY_NS };
	off_t at = lock_of(fingerprint);
	int tries = 0;

	while (!lock_set(limit->fd, F_OFD_SETLK, F_WRLCK, at)) {
		if ((errno != EAGAIN && errno != EACCES) || ++tries == TRIES_MAX)
			return GB_ERR_BUSY;
		nanosleep(&pause, NULL);
	}
	*counter = counter_find(limit->table->buckets[at - 1], fingerprint, now);
	if (is_forgotten(*counter, now))
		(*counter)->count = 0;
	if ((*counter)->count == 0 || (*counter)->at > now)
		(*counter)->at = now;
	return GB_OK;
}

void
gb_counter_release(const struct gb_limit *limit, const struct gb_counter *counter)
{
	lock_set(limit->fd, F_OFD_SETLK, F_UNLCK, lock_of(counter->fingerprint));
}
