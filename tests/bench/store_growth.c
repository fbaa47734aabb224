/* SPDX-License-Identifier: MIT */
/*
 * store_growth.c: what size costs, and what short-lived records leave behind.
 *
 *	store_growth grow DIR RECORDS		get, commit and opening at 10,000 and at RECORDS
 *	store_growth turn DIR ALIVE SESSIONS	the file after SESSIONS sessions of which ALIVE live at a time
 */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <time.h>

#include "store.h"

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

static uint64_t
get_all(const uint64_t *numbers, double *times)
{
	struct gb_record record;
	uint64_t version = 0;
	char key[32];

	for (int i = 0; i < PROBES; i++) {
		double began;

		snprintf(key, sizeof key, "s:%022llu", (unsigned long long)numbers[i]);
		began = microseconds();
		if (gb_store_get(store, key, BEGIN, arena, &record) != GB_OK || record.value == NULL)
			give_up("get");
		times[i] = microseconds() - began;
		version ^= record.version;
		gb_arena_reset(arena);
	}
	return version;
}

static void
commit_all(const uint64_t *numbers, double *times)
{
	struct gb_record record;
	char key[32];

	for (int i = 0; i < PROBES; i++) {
		struct gb_change change = { .kind = GB_PUT, .key = key, .value = value, .value_len = VALUE_LEN };
		double began;

		snprintf(key, sizeof key, "s:%022llu", (unsigned long long)numbers[i]);
		if (gb_store_get(store, key, BEGIN, arena, &record) != GB_OK)
			give_up("get");
		change.version = record.version;
		began = microseconds();
		if (gb_store_commit(store, &change, 1, BEGIN, NULL) != GB_OK)
			give_up("commit");
		times[i] = microseconds() - began;
		gb_arena_reset(arena);
	}
}

/* Gets twice: the first time this process meets those pages, and again. */
static void
probe(uint64_t records)
{
	static double first[PROBES], again[PROBES], commits[PROBES], opens[PROBES / 10];
	static uint64_t numbers[PROBES];
	struct stat status;
	char path[400];

	for (int i = 0; i < PROBES; i++)
		numbers[i] = (uint64_t)rand() * 2654435761u % records;
	for (int i = 0; i < PROBES / 10; i++) {
		double began;

		gb_store_close(store);
		began = microseconds();
		open_store(BEGIN);
		opens[i] = microseconds() - began;
	}
	get_all(numbers, first);
	get_all(numbers, again);
	commit_all(numbers, commits);
	snprintf(path, sizeof path, "%s/store.gdbm", url + 5);
	stat(path, &status);
	printf("%9llu records: get %5.2f us, of pages never met %5.2f us, commit %7.1f us, open %6.1f us (p50); "
	    "%.0f bytes a record\n", (unsigned long long)records, median(again, PROBES), median(first, PROBES),
	    median(commits, PROBES), median(opens, PROBES / 10), (double)status.st_size / (double)records);
	fflush(stdout);
}

static void
grow(uint64_t records)
{
	open_store(BEGIN);
	for (uint64_t n = 0; n < records; n += GB_STORE_CHANGES_MAX) {
		put_many(n, GB_STORE_CHANGES_MAX, 0, BEGIN);
		if (n < 10000 && n + GB_STORE_CHANGES_MAX >= 10000)
			probe(10000);
	}
	probe(records);
}

static off_t
file_len(void)
{
	struct stat status;
	char path[400];

	snprintf(path, sizeof path, "%s/store.gdbm", url + 5);
	return stat(path, &status) == 0 ? status.st_size : -1;
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

int
main(int argc, char **argv)
{
	if (argc < 4 || (arena = gb_arena_new()) == NULL)
		give_up("usage: store_growth grow DIR RECORDS | turn DIR ALIVE SESSIONS");
	snprintf(url, sizeof url, "gdbm:%s", argv[2]);
	if (strcmp(argv[1], "grow") == 0)
		grow(strtoull(argv[3], NULL, 10));
	else if (argc > 4)
		turn(strtoull(argv[3], NULL, 10), strtoull(argv[4], NULL, 10));
	gb_store_close(store);
	gb_arena_free(arena);
	return 0;
}
