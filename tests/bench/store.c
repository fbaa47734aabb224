/* SPDX-License-Identifier: MIT */
/*
 * store.c: commits and reads a second of the embedded store, beside LMDB, SQLite
 * (WAL, synchronous=FULL) and a bare loop of write and fdatasync, one file for
 * each process. The engines take turns in short rounds, so that a disk that is
 * slow for a while is slow for all.
 *
 *	store DIR [seconds-a-round [rounds [records [processes [read-percent]]]]]
 */
#include <fcntl.h>
#include <stdatomic.h>
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/stat.h>
#include <sys/wait.h>
#include <time.h>
#include <unistd.h>

#include <lmdb.h>
#include <sqlite3.h>

#include "store.h"

#define NOW		INT64_C(1800000000)
#define VALUE_LEN	280
#define PROCESSES_MAX	8
#define RAW_LEN		(16u << 20)

struct engine {
	const char *name;
	bool reads;			/* knows how */
	void (*open)(const char *dir);
	bool (*write)(unsigned key);
	bool (*read)(unsigned key);
};

/* Times by a sixteenth of a power of two of nanoseconds. */
struct histogram {
	uint64_t count, bins[64 * 16];
};

struct shared {
	_Atomic int ready, go, stop;
	struct histogram writes[PROCESSES_MAX], reads[PROCESSES_MAX];
};

static struct shared *shared;
static unsigned records = 10000;
static uint64_t random_state;
static unsigned char value[VALUE_LEN];

static uint64_t
nanoseconds(void)
{
	struct timespec t;

	clock_gettime(CLOCK_MONOTONIC, &t);
	return (uint64_t)t.tv_sec * 1000000000u + (uint64_t)t.tv_nsec;
}

static unsigned
random_next(void)
{
	random_state ^= random_state << 13;
	random_state ^= random_state >> 7;
	random_state ^= random_state << 17;
	return (unsigned)(random_state >> 16);
}

static _Noreturn void
give_up(const char *what)
{
	fprintf(stderr, "store: %s\n", what);
	_exit(1);
}

static void
histogram_add(struct histogram *h, uint64_t ns)
{
	int power = ns < 16 ? 0 : 59 - __builtin_clzll(ns);

	h->bins[ns < 16 ? ns : (uint64_t)(power + 1) * 16 + (ns >> power & 15)]++;
	h->count++;
}

static void
histogram_merge(struct histogram *into, const struct histogram *from)
{
	into->count += from->count;
	for (size_t i = 0; i < 64 * 16; i++)
		into->bins[i] += from->bins[i];
}

static double
histogram_us(const struct histogram *h, double part)
{
	uint64_t want = (uint64_t)((double)h->count * part), seen = 0;

	for (uint64_t i = 0; i < 64 * 16; i++)
		if ((seen += h->bins[i]) > want)
			return (double)(i < 16 ? i : (16 + i % 16) << (i / 16 - 1)) / 1e3;
	return 0;
}

static size_t
key_of(char key[static 32], unsigned number)
{
	return (size_t)snprintf(key, 32, "s:%022u", number);
}

/* guardbee */
static struct gb_store *gb;
static struct gb_arena *arena;

static void
guardbee_open(const char *dir)
{
	char url[300], why[300];

	snprintf(url, sizeof url, "gdbm:%s/guardbee", dir);
	if (gb_store_open(url, NOW, why, sizeof why, &gb) != GB_OK || (arena = gb_arena_new()) == NULL)
		give_up(why);
}

static bool
guardbee_write(unsigned number)
{
	char key[32];
	struct gb_change change = { .kind = GB_PUT, .key = key, .value = value, .value_len = VALUE_LEN };
	struct gb_record record;
	enum gb_err err;

	key_of(key, number);
	do {
		if (gb_store_get(gb, key, NOW, arena, &record) != GB_OK)
			return false;
		change.version = record.version;
		gb_arena_reset(arena);
	} while ((err = gb_store_commit(gb, &change, 1, NOW, NULL)) == GB_ERR_CONFLICT);
	return err == GB_OK;
}

static bool
guardbee_read(unsigned number)
{
	char key[32];
	struct gb_record record;
	bool ok;

	key_of(key, number);
	ok = gb_store_get(gb, key, NOW, arena, &record) == GB_OK && record.value_len == VALUE_LEN;
	gb_arena_reset(arena);
	return ok;
}

/* LMDB */
static MDB_env *lmdb;
static MDB_dbi lmdb_dbi;
static MDB_txn *lmdb_reader;

static void
lmdb_open(const char *dir)
{
	char path[300];
	MDB_txn *txn;

	snprintf(path, sizeof path, "%s/lmdb", dir);
	mkdir(path, 0700);
	if (mdb_env_create(&lmdb) != 0 || mdb_env_set_mapsize(lmdb, (size_t)8 << 30) != 0 ||
	    mdb_env_open(lmdb, path, 0, 0600) != 0 || mdb_txn_begin(lmdb, NULL, 0, &txn) != 0 ||
	    mdb_dbi_open(txn, NULL, 0, &lmdb_dbi) != 0 || mdb_txn_commit(txn) != 0 ||
	    mdb_txn_begin(lmdb, NULL, MDB_RDONLY, &lmdb_reader) != 0)
		give_up("lmdb");
	mdb_txn_reset(lmdb_reader);
}

static bool
lmdb_write(unsigned number)
{
	char text[32];
	MDB_val key = { key_of(text, number), text }, data = { VALUE_LEN, value };
	MDB_txn *txn;

	return mdb_txn_begin(lmdb, NULL, 0, &txn) == 0 && mdb_put(txn, lmdb_dbi, &key, &data, 0) == 0 &&
	    mdb_txn_commit(txn) == 0;
}

static bool
lmdb_read(unsigned number)
{
	char text[32];
	unsigned char copy[VALUE_LEN];
	MDB_val key = { key_of(text, number), text }, data;
	bool ok;

	if (mdb_txn_renew(lmdb_reader) != 0)
		return false;
	if ((ok = mdb_get(lmdb_reader, lmdb_dbi, &key, &data) == 0 && data.mv_size == VALUE_LEN))
		memcpy(copy, data.mv_data, VALUE_LEN);
	mdb_txn_reset(lmdb_reader);
	return ok;
}

/* SQLite */
static sqlite3 *sqlite;
static sqlite3_stmt *sqlite_put, *sqlite_get;

static void
sqlite_open(const char *dir)
{
	char path[300];

	snprintf(path, sizeof path, "%s/sqlite.db", dir);
	if (sqlite3_open(path, &sqlite) != SQLITE_OK)
		give_up("sqlite");
	sqlite3_busy_timeout(sqlite, 30000);
	if (sqlite3_exec(sqlite, "PRAGMA journal_mode=WAL; PRAGMA synchronous=FULL;"
	    "CREATE TABLE IF NOT EXISTS r(k TEXT PRIMARY KEY, v BLOB) WITHOUT ROWID", NULL, NULL, NULL) != SQLITE_OK ||
	    sqlite3_prepare_v2(sqlite, "INSERT OR REPLACE INTO r VALUES(?,?)", -1, &sqlite_put, NULL) != SQLITE_OK ||
	    sqlite3_prepare_v2(sqlite, "SELECT v FROM r WHERE k=?", -1, &sqlite_get, NULL) != SQLITE_OK)
		give_up(sqlite3_errmsg(sqlite));
}

static bool
sqlite_write(unsigned number)
{
	char key[32];
	int len = (int)key_of(key, number);
	bool ok;

	sqlite3_bind_text(sqlite_put, 1, key, len, SQLITE_STATIC);
	sqlite3_bind_blob(sqlite_put, 2, value, VALUE_LEN, SQLITE_STATIC);
	ok = sqlite3_step(sqlite_put) == SQLITE_DONE;
	sqlite3_reset(sqlite_put);
	return ok;
}

static bool
sqlite_read(unsigned number)
{
	char key[32];
	int len = (int)key_of(key, number);
	bool ok;

	sqlite3_bind_text(sqlite_get, 1, key, len, SQLITE_STATIC);
	ok = sqlite3_step(sqlite_get) == SQLITE_ROW && sqlite3_column_bytes(sqlite_get, 0) == VALUE_LEN;
	sqlite3_reset(sqlite_get);
	return ok;
}

/* The disk itself: overwrites one page after the other of a file that is there. */
static int raw = -1;
static uint64_t raw_at;

static void
raw_open(const char *dir)
{
	static const unsigned char zeros[1 << 16];
	char path[300];
	struct stat status;

	snprintf(path, sizeof path, "%s/raw.%llu", dir, (unsigned long long)(random_state % PROCESSES_MAX));
	if ((raw = open(path, O_RDWR | O_CREAT, 0600)) < 0 || fstat(raw, &status) != 0)
		give_up("raw");
	for (uint64_t at = (uint64_t)status.st_size; at < RAW_LEN; at += sizeof zeros)
		if (pwrite(raw, zeros, sizeof zeros, (off_t)at) != sizeof zeros)
			give_up("raw");
	fsync(raw);
}

static bool
raw_write(unsigned number)
{
	unsigned char page[4096];

	memset(page, (int)number, sizeof page);
	raw_at = (raw_at + sizeof page) % RAW_LEN;
	return pwrite(raw, page, sizeof page, (off_t)raw_at) == sizeof page && fdatasync(raw) == 0;
}

static const struct engine engines[] = {
	{ "guardbee", true, guardbee_open, guardbee_write, guardbee_read },
	{ "lmdb", true, lmdb_open, lmdb_write, lmdb_read },
	{ "sqlite", true, sqlite_open, sqlite_write, sqlite_read },
	{ "raw", false, raw_open, raw_write, NULL },
};
#define ENGINES (sizeof engines / sizeof *engines)

static void
worker(const struct engine *engine, const char *dir, int number, int read_percent)
{
	random_state = (uint64_t)number;
	engine->open(dir);
	random_state = nanoseconds() * 2654435761u + (uint64_t)number + 1;
	atomic_fetch_add(&shared->ready, 1);
	while (atomic_load(&shared->go) == 0)
		usleep(100);
	while (atomic_load_explicit(&shared->stop, memory_order_relaxed) == 0) {
		bool read = (int)(random_next() % 100) < read_percent;
		unsigned key = random_next() % records;
		uint64_t began = nanoseconds();

		if (!(read ? engine->read(key) : engine->write(key)))
			give_up(engine->name);
		histogram_add(read ? &shared->reads[number] : &shared->writes[number], nanoseconds() - began);
	}
	_exit(0);
}

/* One turn of one engine; adds to the sums. */
static void
turn(const struct engine *engine, const char *dir, int processes, int read_percent, double seconds,
    struct histogram *writes, struct histogram *reads, double *time)
{
	uint64_t began;
	int status;

	memset(shared, 0, sizeof *shared);
	for (int i = 0; i < processes; i++)
		if (fork() == 0)
			worker(engine, dir, i, read_percent);
	while (atomic_load(&shared->ready) < processes)
		usleep(100);
	began = nanoseconds();
	atomic_store(&shared->go, 1);
	usleep((useconds_t)(seconds * 1e6));
	atomic_store(&shared->stop, 1);
	*time += (double)(nanoseconds() - began) / 1e9;
	while (wait(&status) > 0)
		if (status != 0)
			give_up("a worker failed");
	for (int i = 0; i < processes; i++) {
		histogram_merge(writes, &shared->writes[i]);
		histogram_merge(reads, &shared->reads[i]);
	}
}

static double
rate(const struct histogram *h, double time)
{
	return time > 0 ? (double)h->count / time : 0;
}

static void
ratio(const char *name, double ours, double theirs)
{
	if (ours > 0 && theirs > 0)
		printf("  /%s %.2f", name, ours / theirs);
}

static void
cell(const char *dir, int processes, int read_percent, double seconds, int rounds)
{
	static struct histogram writes[ENGINES], reads[ENGINES];
	double time[ENGINES] = { 0 };

	memset(writes, 0, sizeof writes);
	memset(reads, 0, sizeof reads);
	for (int round = 0; round < rounds; round++)
		for (size_t i = 0; i < ENGINES; i++)
			if (engines[i].reads || read_percent == 0)
				turn(&engines[i], dir, processes, read_percent, seconds, &writes[i], &reads[i], &time[i]);
	for (size_t i = 0; i < ENGINES; i++)
		if (time[i] > 0)
			printf("%d %3d%%  %-9s commits/s %8.0f  p50 %8.1f us  p99 %9.1f us   reads/s %9.0f  p50 %6.2f us"
			    "  p99 %8.2f us\n", processes, read_percent, engines[i].name, rate(&writes[i], time[i]),
			    histogram_us(&writes[i], 0.5), histogram_us(&writes[i], 0.99), rate(&reads[i], time[i]),
			    histogram_us(&reads[i], 0.5), histogram_us(&reads[i], 0.99));
	printf("%d %3d%%  ratios of commits", processes, read_percent);
	for (size_t i = 1; i < ENGINES; i++)
		ratio(engines[i].name, rate(&writes[0], time[0]), rate(&writes[i], time[i]));
	printf("   of reads");
	for (size_t i = 1; i < ENGINES; i++)
		ratio(engines[i].name, rate(&reads[0], time[0]), rate(&reads[i], time[i]));
	printf("\n");
	fflush(stdout);
}

static void
fill(const char *dir)
{
	for (size_t i = 0; i < ENGINES; i++) {
		pid_t child = fork();
		int status;

		if (child == 0) {
			engines[i].open(dir);
			for (unsigned key = 0; engines[i].reads && key < records; key++)
				if (!engines[i].write(key))
					give_up(engines[i].name);
			_exit(0);
		}
		if (waitpid(child, &status, 0) != child || status != 0)
			give_up("cannot fill");
	}
}

int
main(int argc, char **argv)
{
	static const int processes[] = { 1, 2, 4, 8 }, read_percents[] = { 0, 50, 95, 100 };
	double seconds = argc > 2 ? atof(argv[2]) : 0.5;
	int rounds = argc > 3 ? atoi(argv[3]) : 4;

	if (argc < 2)
		give_up("usage: store DIR [seconds [rounds [records [processes [read-percent]]]]]");
	if (argc > 4)
		records = (unsigned)atoi(argv[4]);
	shared = mmap(NULL, sizeof *shared, PROT_READ | PROT_WRITE, MAP_SHARED | MAP_ANONYMOUS, -1, 0);
	if (shared == MAP_FAILED)
		give_up("no memory");
	fill(argv[1]);
	for (size_t p = 0; p < 4; p++)
		for (size_t r = 0; r < 4; r++)
			if ((argc <= 5 || atoi(argv[5]) == processes[p]) && (argc <= 6 || atoi(argv[6]) == read_percents[r]))
				cell(argv[1], processes[p], read_percents[r], seconds, rounds);
	return 0;
}
