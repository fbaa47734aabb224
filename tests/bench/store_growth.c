/* SPDX-License-Identifier: MIT */
/*
 * store_growth.c: what size costs, and what short-lived records leave behind.
 *
 *	store_growth grow DIR RECORDS		get, commit and opening at 10,000 and at RECORDS, beside LMDB
 *	store_growth turn DIR ALIVE SESSIONS	the file after SESSIONS sessions of which ALIVE live at a time
 *	store_growth recover DIR RECORDS	opening after a kill and after a power cut, the log being full
 *
 * A get needs three addresses one after the other: directory, bucket, record.
 * "Three loads" are what that costs of itself in a file of that size.
 */
#include <fcntl.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/stat.h>
#include <sys/wait.h>
#include <time.h>
#include <unistd.h>

#include <lmdb.h>

#include "store.h"
#include "store/engine.h"

#define BEGIN	INT64_C(1800000000)
#define DAY	(24 * 3600)
#define LIFE	(10 * DAY)		/* of a session */
#define PROBES	2000
#define VALUE_LEN 240

static struct gb_store *store;
static struct gb_arena *arena;
static char url[300];
static unsigned char value[VALUE_LEN];

static double
microseconds(void)
{
	struct timespec t;

	clock_gettime(CLOCK_MONOTONIC, &t);
	return (double)t.tv_sec * 1e6 + (double)t.tv_nsec / 1e3;
}

static _Noreturn void
give_up(const char *what)
{
	fprintf(stderr, "store_growth: %s\n", what);
	exit(1);
}

static void
open_store(int64_t now)
{
	char why[300];

	if (gb_store_open(url, now, why, sizeof why, &store) != GB_OK)
		give_up(why);
}

static void
put_many(uint64_t from, unsigned len, int64_t expires_at, int64_t now)
{
	struct gb_change changes[GB_STORE_CHANGES_MAX];
	static char keys[GB_STORE_CHANGES_MAX][32];

	for (unsigned i = 0; i < len; i++) {
		snprintf(keys[i], sizeof keys[i], "s:%022llu", (unsigned long long)(from + i));
		changes[i] = (struct gb_change){ .kind = GB_PUT, .key = keys[i], .value = value, .value_len = VALUE_LEN,
		    .expires_at = expires_at };
	}
	if (gb_store_commit(store, changes, len, now, NULL) != GB_OK)
		give_up("commit");
}

static int
by_number(const void *a, const void *b)
{
	double x = *(const double *)a, y = *(const double *)b;

	return x < y ? -1 : x > y;
}

static double
median(double *times, size_t len)
{
	qsort(times, len, sizeof *times, by_number);
	return times[len / 2];
}

static size_t
key_of(char key[static 32], uint64_t number)
{
	return (size_t)snprintf(key, 32, "s:%022llu", (unsigned long long)number);
}

/* What the next call is about. */
static uint64_t number;
static char key[32];

static void
guardbee_get(void)
{
	struct gb_record record;

	if (gb_store_get(store, key, BEGIN, arena, &record) != GB_OK || record.value == NULL)
		give_up("get");
}

static void
guardbee_commit(void)
{
	struct gb_change change = { .kind = GB_PUT, .key = key, .value = value, .value_len = VALUE_LEN };
	struct gb_record record;

	if (gb_store_get(store, key, BEGIN, arena, &record) != GB_OK)
		give_up("get");
	change.version = record.version;
	if (gb_store_commit(store, &change, 1, BEGIN, NULL) != GB_OK)
		give_up("commit");
}

/* LMDB, its keys in rising order: the kindest there is to a tree. */
static MDB_env *lmdb;
static MDB_dbi lmdb_dbi;
static MDB_txn *lmdb_reader;

static void
lmdb_open(const char *dir)
{
	MDB_txn *txn;

	mkdir(dir, 0700);
	if (mdb_env_create(&lmdb) != 0 || mdb_env_set_mapsize(lmdb, (size_t)16 << 30) != 0 ||
	    mdb_env_open(lmdb, dir, 0, 0600) != 0 || mdb_txn_begin(lmdb, NULL, 0, &txn) != 0 ||
	    mdb_dbi_open(txn, NULL, 0, &lmdb_dbi) != 0 || mdb_txn_commit(txn) != 0 ||
	    mdb_txn_begin(lmdb, NULL, MDB_RDONLY, &lmdb_reader) != 0)
		give_up("lmdb");
	mdb_txn_reset(lmdb_reader);
}

static void
lmdb_put_many(uint64_t from, unsigned len)
{
	MDB_txn *txn;

	if (mdb_txn_begin(lmdb, NULL, 0, &txn) != 0)
		give_up("lmdb");
	for (unsigned i = 0; i < len; i++) {
		char text[32];
		MDB_val name = { key_of(text, from + i), text }, data = { VALUE_LEN, value };

		if (mdb_put(txn, lmdb_dbi, &name, &data, 0) != 0)
			give_up("lmdb");
	}
	if (mdb_txn_commit(txn) != 0)
		give_up("lmdb");
}

static void
lmdb_get(void)
{
	unsigned char copy[VALUE_LEN];
	MDB_val name = { strlen(key), key }, data;

	if (mdb_txn_renew(lmdb_reader) != 0 || mdb_get(lmdb_reader, lmdb_dbi, &name, &data) != 0)
		give_up("lmdb");
	memcpy(copy, data.mv_data, VALUE_LEN);
	__asm__ __volatile__("" : : "r"(copy) : "memory");
	mdb_txn_reset(lmdb_reader);
}

static void
lmdb_commit(void)
{
	lmdb_put_many(number, 1);
}

/* Three loads of the mapped store.gdbm, where the last one's value decides the next one's place. */
static const unsigned char *pages;
static size_t pages_len;

static void
load_three(void)
{
	uint64_t at = number + 1;

	for (int i = 0; i < 3; i++) {
		uint64_t nothing = *(const volatile uint64_t *)(pages + at * 0x9e3779b97f4a7c15u % (pages_len / 64) * 64);

		__asm__ __volatile__("and $0, %0" : "+r"(nothing));
		at = at * 3 + 1 + nothing;
	}
}

/* The median of what one call costs. */
static double
timed(void (*call)(void), const uint64_t *numbers)
{
	static double times[PROBES];

	for (int i = 0; i < PROBES; i++) {
		double began;

		number = numbers[i];
		key_of(key, number);
		began = microseconds();
		call();
		times[i] = microseconds() - began;
		gb_arena_reset(arena);
	}
	return median(times, PROBES);
}

static double
time_open(void)
{
	static double times[PROBES / 10];

	for (int i = 0; i < PROBES / 10; i++) {
		double began;

		gb_store_close(store);
		began = microseconds();
		open_store(BEGIN);
		times[i] = microseconds() - began;
	}
	return median(times, PROBES / 10);
}

static void
path_of(char path[static 400], const char *name)
{
	snprintf(path, 400, "%s%s", url + 5, name);
}

static off_t
file_len(void)
{
	struct stat status;
	char path[400];

	path_of(path, "/store.gdbm");
	return stat(path, &status) == 0 ? status.st_size : -1;
}

static double
time_loads(const uint64_t *numbers)
{
	char path[400];
	double time;
	void *map;
	int fd;

	path_of(path, "/store.gdbm");
	pages_len = (size_t)file_len();
	if ((fd = open(path, O_RDONLY)) < 0 ||
	    (map = mmap(NULL, pages_len, PROT_READ, MAP_SHARED, fd, 0)) == MAP_FAILED)
		give_up("cannot map store.gdbm");
	pages = map;
	timed(load_three, numbers);
	time = timed(load_three, numbers);
	munmap(map, pages_len);
	close(fd);
	return time;
}

/* All in microseconds. A get the first time that this process meets the pages, and again. */
struct costs {
	double get, get_first, commit, lmdb_get, lmdb_commit, loads, open;
};

static struct costs
probe(uint64_t records)
{
	static uint64_t numbers[PROBES];
	struct costs costs;

	for (int i = 0; i < PROBES; i++)
		numbers[i] = (uint64_t)rand() * 2654435761u % records;
	costs.open = time_open();
	costs.get_first = timed(guardbee_get, numbers);
	costs.get = timed(guardbee_get, numbers);
	timed(lmdb_get, numbers);
	costs.lmdb_get = timed(lmdb_get, numbers);
	costs.loads = time_loads(numbers);
	costs.commit = timed(guardbee_commit, numbers);
	costs.lmdb_commit = timed(lmdb_commit, numbers);
	printf("%9llu records: get %5.2f us, of pages never met %5.2f us, commit %7.1f us, open %6.1f us (p50); "
	    "%.0f bytes a record\n                   LMDB's get %5.2f us, commit %7.1f us; three loads %5.2f us\n",
	    (unsigned long long)records, costs.get, costs.get_first, costs.commit, costs.open,
	    (double)file_len() / (double)records, costs.lmdb_get, costs.lmdb_commit, costs.loads);
	fflush(stdout);
	return costs;
}

static void
grow(uint64_t records)
{
	struct costs small = { 0 }, large;
	char path[400];

	open_store(BEGIN);
	path_of(path, "/lmdb");
	lmdb_open(path);
	mdb_env_set_flags(lmdb, MDB_NOSYNC, 1);
	for (uint64_t n = 0; n < records; n += GB_STORE_CHANGES_MAX) {
		put_many(n, GB_STORE_CHANGES_MAX, 0, BEGIN);
		lmdb_put_many(n, GB_STORE_CHANGES_MAX);
		if (n + GB_STORE_CHANGES_MAX >= 10000 && small.get == 0) {
			mdb_env_set_flags(lmdb, MDB_NOSYNC, 0);
			small = probe(10000);
			mdb_env_set_flags(lmdb, MDB_NOSYNC, 1);
		}
	}
	mdb_env_set_flags(lmdb, MDB_NOSYNC, 0);
	large = probe(records);
	printf("grown: get %.2f times, commit %.2f; LMDB's get %.2f, commit %.2f; three loads %.2f\n",
	    large.get / small.get, large.commit / small.commit, large.lmdb_get / small.lmdb_get,
	    large.lmdb_commit / small.lmdb_commit, large.loads / small.loads);
}

/* One session a commit, as logins are; time goes on so that `alive` of them live. */
static void
turn(uint64_t alive, uint64_t sessions)
{
	off_t fresh = 0;

	open_store(BEGIN);
	for (uint64_t n = 0; n < sessions; n++) {
		int64_t now = BEGIN + (int64_t)(n * LIFE / alive);

		put_many(n, 1, now + LIFE, now);
		if (n + 1 == alive)
			fresh = file_len();
		if ((n + 1) % (sessions / 10) == 0 || n + 1 == alive) {
			printf("%9llu sessions: %.2f MB, %.2f times the fresh store\n", (unsigned long long)(n + 1),
			    (double)file_len() / 1e6, fresh > 0 ? (double)file_len() / (double)fresh : 0);
			fflush(stdout);
		}
	}
}

/* Replaces as many records as a commit can, anywhere among `records`, by others. */
static void
replace_many(uint64_t records)
{
	struct gb_change changes[GB_STORE_CHANGES_MAX];
	static char keys[GB_STORE_CHANGES_MAX][32];
	static unsigned char values[GB_STORE_CHANGES_MAX][VALUE_LEN];
	uint64_t at = (uint64_t)rand();
	struct gb_record record;

	for (unsigned i = 0; i < GB_STORE_CHANGES_MAX; i++) {
		key_of(keys[i], (at + i * (records / GB_STORE_CHANGES_MAX)) % records);
		if (gb_store_get(store, keys[i], BEGIN, arena, &record) != GB_OK)
			give_up("get");
		for (unsigned b = 0; b < VALUE_LEN; b++)
			values[i][b] = (unsigned char)(rand() >> 8);
		changes[i] = (struct gb_change){ .kind = GB_PUT, .key = keys[i], .version = record.version,
		    .value = values[i], .value_len = VALUE_LEN };
		gb_arena_reset(arena);
	}
	if (gb_store_commit(store, changes, GB_STORE_CHANGES_MAX, BEGIN, NULL) != GB_OK)
		give_up("commit");
}

static const struct gb_control *
control_map(void)
{
	char path[400];
	void *map;
	int fd;

	path_of(path, "/store.control");
	if ((fd = open(path, O_RDONLY)) < 0 ||
	    (map = mmap(NULL, GB_PAGE, PROT_READ, MAP_SHARED, fd, 0)) == MAP_FAILED)
		give_up("cannot map store.control");
	close(fd);
	return map;
}

/* Kills a writer when its log is as long as it gets and almost full; returns the bytes to replay. */
static uint64_t
kill_when_full(uint64_t records)
{
	const struct gb_control *control = control_map();
	uint64_t used;
	pid_t writer = fork();

	if (writer == 0) {
		open_store(BEGIN);
		for (;;)
			replace_many(records);
	}
	while (waitpid(writer, NULL, WNOHANG) == 0 && (atomic_load(&control->log_size) < GB_LOG_MAX ||
	    (used = atomic_load(&control->end) - atomic_load(&control->base)) < GB_LOG_MAX / 100 * 97))
		usleep(100);
	kill(writer, SIGKILL);
	waitpid(writer, NULL, 0);
	used = atomic_load(&control->end) - atomic_load(&control->base);
	munmap((void *)(uintptr_t)control, GB_PAGE);
	return used;
}

static void
uncache(const char *name)
{
	char path[400];
	int fd;

	path_of(path, name);
	if ((fd = open(path, O_RDWR)) < 0 || fsync(fd) != 0 || posix_fadvise(fd, 0, 0, POSIX_FADV_DONTNEED) != 0)
		give_up("cannot uncache");
	close(fd);
}

/* As after a kill; as after a power cut; and the same with nothing in the page cache. */
static void
recover(uint64_t records)
{
	static const char *const files[] = { "/store.gdbm", "/store.log", "/store.sums" };
	static const char *const kinds[] = { "a kill", "a power cut", "a power cut, nothing cached" };
	char path[400];

	open_store(BEGIN);
	for (uint64_t n = 0; n < records; n += GB_STORE_CHANGES_MAX)
		put_many(n, GB_STORE_CHANGES_MAX, 0, BEGIN);
	path_of(path, "/store.control");
	for (int kind = 0; kind < 3; kind++) {
		uint64_t used;
		double began;

		gb_store_close(store);
		used = kill_when_full(records);
		for (int i = 0; kind == 2 && i < 3; i++)
			uncache(files[i]);
		if (kind > 0)
			unlink(path);
		began = microseconds();
		open_store(BEGIN);
		printf("%9llu records: open after %s, %.0f MB in the log: %.1f ms\n", (unsigned long long)records,
		    kinds[kind], (double)used / 1e6, (microseconds() - began) / 1e3);
		fflush(stdout);
	}
}

int
main(int argc, char **argv)
{
	if (argc < 4 || (arena = gb_arena_new()) == NULL)
		give_up("usage: store_growth grow DIR RECORDS | turn DIR ALIVE SESSIONS | recover DIR RECORDS");
	snprintf(url, sizeof url, "gdbm:%s", argv[2]);
	if (strcmp(argv[1], "grow") == 0)
		grow(strtoull(argv[3], NULL, 10));
	else if (strcmp(argv[1], "recover") == 0)
		recover(strtoull(argv[3], NULL, 10));
	else if (argc > 4)
		turn(strtoull(argv[3], NULL, 10), strtoull(argv[4], NULL, 10));
	gb_store_close(store);
	gb_arena_free(arena);
	return 0;
}
