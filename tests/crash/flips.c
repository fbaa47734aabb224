/* SPDX-License-Identifier: MIT */
/*
 * flips.c: files that were damaged at rest.
 *
 *	flips DIR TRIALS SEED
 *
 * Each trial flips bits in, truncates, zeroes a part of or removes one file of
 * a closed store. Then the store may refuse to open, or refuse a record, or
 * mend itself; a record that is answered must be right, and nothing may crash.
 */
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <sys/wait.h>
#include <unistd.h>

#include "model.h"

#define WORKERS	3
#define DONE	80			/* transactions of each */
#define FILES	4

static const char *const names[FILES] = { "store.gdbm", "store.log", "store.sums", "store.control" };

enum damage { BITS, TRUNCATED, ZEROED, REMOVED, DAMAGE__COUNT };
static const char *const damage_names[] = { "bits flipped", "truncated", "zeroed", "removed" };

enum outcome { MENDED, REFUSED, PARTLY, WRONG_ANSWER, OUTCOME__COUNT };

static void
path_of(char path[static 300], const char *dir, size_t file)
{
	snprintf(path, 300, "%s/%s", dir, names[file]);
}

static void
prepare(const char *dir)
{
	struct gb_arena *arena = gb_arena_new();
	char why[300];
	struct gb_store *store = model_open(dir, why);

	for (uint64_t n = 1; n <= DONE; n++)
		for (unsigned i = 0; i < WORKERS; i++)
			if (store == NULL || model_write(store, arena, i, n) != GB_OK)
				exit(2);
	gb_store_close(store);
	gb_arena_free(arena);
}

/* All in place, so that the control page still knows the files. */
static unsigned char *contents[FILES];
static size_t lens[FILES];

static void
remember(const char *dir)
{
	for (size_t i = 0; i < FILES; i++) {
		struct stat status;
		char path[300];
		int fd;

		path_of(path, dir, i);
		if ((fd = open(path, O_RDONLY)) < 0 || fstat(fd, &status) != 0)
			exit(2);
		lens[i] = (size_t)status.st_size;
		contents[i] = malloc(lens[i]);
		if (contents[i] == NULL || read(fd, contents[i], lens[i]) != (ssize_t)lens[i])
			exit(2);
		close(fd);
	}
}

static void
restore(const char *dir)
{
	for (size_t i = 0; i < FILES; i++) {
		char path[300];
		int fd;

		path_of(path, dir, i);
		if ((fd = open(path, O_WRONLY | O_CREAT, 0600)) < 0 || ftruncate(fd, 0) != 0 ||
		    write(fd, contents[i], lens[i]) != (ssize_t)lens[i])
			exit(2);
		close(fd);
	}
}

static void
damage(const char *dir, size_t file, enum damage how, uint64_t *seed)
{
	char path[300];
	unsigned char byte;
	off_t at = (off_t)(model_random(seed) % lens[file]);
	int fd;

	path_of(path, dir, file);
	if ((fd = open(path, O_RDWR)) < 0)
		exit(2);
	if (how == BITS)
		for (int flips = 1 + (int)(model_random(seed) % 3); flips > 0; flips--) {
			/* half of them near the beginning, where the headers are */
			at = (off_t)(model_random(seed) % (model_random(seed) % 2 == 0 && lens[file] > 400 ? 400 : lens[file]));
			if (pread(fd, &byte, 1, at) != 1)
				exit(2);
			byte ^= (unsigned char)(1u << model_random(seed) % 8);
			if (pwrite(fd, &byte, 1, at) != 1)
				exit(2);
		}
	else if (how == TRUNCATED && ftruncate(fd, at) != 0)
		exit(2);
	else if (how == ZEROED) {
		static const unsigned char zeros[8192];
		size_t len = 1 + model_random(seed) % sizeof zeros;

		if (len > lens[file] - (size_t)at)
			len = lens[file] - (size_t)at;
		if (pwrite(fd, zeros, len, at) != (ssize_t)len)
			exit(2);
	}
	close(fd);
	if (how == REMOVED)
		unlink(path);
}

/* Reads all, then writes and reads again: damage must not spread into what is written. */
static enum outcome
look(const char *dir)
{
	struct gb_arena *arena = gb_arena_new();
	char why[300];
	struct gb_store *store = model_open(dir, why);
	enum outcome outcome = MENDED;

	if (store == NULL)
		return REFUSED;
	for (unsigned i = 0; i < WORKERS; i++) {
		uint64_t found, done = DONE;
		enum model_verdict verdict = model_check(store, arena, i, DONE, &found);

		if (verdict == MODEL_OK && model_write(store, arena, i, DONE + 1) == GB_OK) {
			done++;
			verdict = model_check(store, arena, i, done, &found);
		}
		if (verdict == MODEL_UNREADABLE)
			outcome = PARTLY;
		else if (verdict != MODEL_OK)
			return WRONG_ANSWER;
	}
	gb_store_close(store);
	return outcome;
}

int
main(int argc, char **argv)
{
	long counts[OUTCOME__COUNT] = { 0 }, bad = 0, trials;
	uint64_t seed;

	if (argc != 4)
		return 2;
	trials = atol(argv[2]);
	seed = strtoull(argv[3], NULL, 10);
	prepare(argv[1]);
	remember(argv[1]);
	for (long i = 0; i < trials; i++) {
		uint64_t was = seed;
		size_t file = model_random(&seed) % FILES;
		enum damage how = (enum damage)(model_random(&seed) % DAMAGE__COUNT);
		bool wipe = model_random(&seed) % 4 == 0;
		char path[300];
		int status;
		pid_t child;

		restore(argv[1]);
		damage(argv[1], file, how, &seed);
		path_of(path, argv[1], 3);
		if (wipe)
			unlink(path);
		if ((child = fork()) == 0) {
			alarm(60);
			_exit((int)look(argv[1]));
		}
		waitpid(child, &status, 0);
		if (WIFEXITED(status) && WEXITSTATUS(status) < OUTCOME__COUNT)
			counts[WEXITSTATUS(status)]++;
		if (WIFEXITED(status) && WEXITSTATUS(status) < WRONG_ANSWER)
			continue;
		bad++;
		printf("flips: %s %s%s, seed %llu: %s %#x\n", names[file], damage_names[how],
		    wipe ? ", no control page" : "", (unsigned long long)was,
		    WIFEXITED(status) ? "wrong answer" : "killed", (unsigned)status);
	}
	model_remove(argv[1]);
	printf("flips: %ld damaged stores: %ld mended, %ld refused, %ld refused in part: %s\n", trials,
	    counts[MENDED], counts[REFUSED], counts[PARTLY], bad == 0 ? "no wrong answer, no crash" : "BROKEN");
	return bad == 0 ? 0 : 1;
}
