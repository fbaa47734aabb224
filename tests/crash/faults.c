/* SPDX-License-Identifier: MIT */
/*
 * faults.c: every system call and every allocation of the store fails, once and
 * for ever, at its first call, at its second and so on until a run meets none:
 * one by one up to SINGLY, then in ever wider steps.
 *
 *	faults DIR SINGLY
 *
 * A run opens a store that must be recovered (or made), reads and commits
 * across checkpoints. Under a fault each call answers or says 503; what was
 * answered is right; nothing acknowledged is lost; and once the cause is gone
 * the same process serves on.
 */
#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <sys/wait.h>
#include <unistd.h>

#include "io.h"
#include "model.h"

#define BEFORE	30			/* transactions in the store before */
#define DURING	20			/* transactions tried under the fault; they cross checkpoints */

static const struct {
	enum io_call call;
	int error;
} faults[] = {
	{ IO_PREAD, EIO }, { IO_PWRITE, ENOSPC }, { IO_PWRITE, EIO }, { IO_FDATASYNC, EIO }, { IO_FSYNC, EIO },
	{ IO_FTRUNCATE, EIO }, { IO_FALLOCATE, ENOSPC }, { IO_OPEN, EMFILE }, { IO_OPEN, EACCES }, { IO_OPEN, EROFS },
	{ IO_RENAME, EIO }, { IO_MMAP, ENOMEM }, { IO_MALLOC, ENOMEM },
};

enum outcome { GOOD, WRONG_ERROR, BAD_READ, DOES_NOT_RESUME, BAD_CONTENT, BAD_STRUCTURE, UNOPENABLE };
static const char *const outcome_names[] = { "good", "a wrong error", "a wrong answer", "does not resume",
    "wrong content", "wrong structure", "unopenable afterwards" };

struct plan {
	enum io_call call;
	int error;
	unsigned nth;
	bool forever, create;
};

static bool
is_503(enum gb_err err)
{
	return gb_error_row(err)->status == 503 && err != GB_ERR_CONFLICT;
}

/* Opens, at first under the fault, then without. */
static struct gb_store *
open_under(const char *dir, const struct plan *plan)
{
	struct gb_store *store;
	char why[300];

	io_fail(plan->call, plan->nth, plan->error, plan->forever);
	if ((store = model_open(dir, why)) != NULL)
		return store;
	io_fail(plan->call, 0, 0, false);
	return model_open(dir, why);
}

static enum outcome
serve(struct gb_store *store, struct gb_arena *arena, uint64_t *done, uint64_t to)
{
	for (int tries = 0; *done < to && tries < 2 * DURING; tries++) {
		enum gb_err err = model_write(store, arena, 0, *done + 1);
		struct gb_record record;
		uint64_t found;

		if (err != GB_OK && !is_503(err))
			return WRONG_ERROR;
		*done += err == GB_OK;
		/* a 503 may have happened after all: the record says */
		gb_arena_reset(arena);
		err = gb_store_get(store, "w:0", MODEL_NOW, arena, &record);
		if (err != GB_OK && !is_503(err))
			return WRONG_ERROR;
		if (err != GB_OK)
			return GOOD;
		found = 0;
		if (record.value != NULL)
			memcpy(&found, record.value, sizeof found);
		if (found != *done && found != *done + 1)
			return BAD_READ;
		*done = found;
	}
	return GOOD;
}

static enum outcome
verify(const char *dir, struct gb_arena *arena, uint64_t done)
{
	char why[300];
	struct gb_store *store = model_open(dir, why);
	uint64_t found;
	enum model_verdict verdict;

	if (store == NULL) {
		fprintf(stderr, "faults: %s\n", why);
		return UNOPENABLE;
	}
	verdict = model_check(store, arena, 0, done, &found);
	gb_store_close(store);
	if (verdict != MODEL_OK)
		return BAD_CONTENT;
	return model_structure(dir, why) ? GOOD : BAD_STRUCTURE;
}

/* Exit status: 100 and more when the fault was never met. */
static int
run(const char *dir, const struct plan *plan)
{
	uint64_t done = plan->create ? 0 : BEFORE, before;
	struct gb_arena *arena = gb_arena_new();
	struct gb_store *store = open_under(dir, plan);
	enum outcome outcome;
	bool met;

	if (store == NULL)
		return DOES_NOT_RESUME;
	if ((outcome = serve(store, arena, &done, done + DURING)) != GOOD)
		return (int)outcome;
	met = io_count(plan->call) >= plan->nth;
	io_fail(plan->call, 0, 0, false);
	before = done;
	if ((outcome = serve(store, arena, &done, before + 5)) != GOOD)
		return (int)outcome;
	if (done < before + 5)
		return DOES_NOT_RESUME;
	gb_store_close(store);
	outcome = verify(dir, arena, done);
	return outcome != GOOD ? (int)outcome : met ? 0 : 100;
}

static void
copy(const char *from_dir, const char *to_dir)
{
	static const char *const names[] = { "store.gdbm", "store.log", "store.sums" };
	char bytes[1 << 16], from[300], to[300];

	mkdir(to_dir, 0700);
	for (size_t i = 0; i < sizeof names / sizeof *names; i++) {
		int in, out;
		ssize_t len;

		snprintf(from, sizeof from, "%s/%s", from_dir, names[i]);
		snprintf(to, sizeof to, "%s/%s", to_dir, names[i]);
		if ((in = open(from, O_RDONLY)) < 0 || (out = open(to, O_WRONLY | O_CREAT | O_TRUNC, 0600)) < 0)
			exit(2);
		while ((len = read(in, bytes, sizeof bytes)) > 0)
			if (write(out, bytes, (size_t)len) != len)
				exit(2);
		close(in);
		close(out);
	}
}

/* A store with some transactions, the last of them only in its log: opening it is work. */
static void
prepare(const char *dir)
{
	struct gb_arena *arena = gb_arena_new();
	char why[300];
	struct gb_store *store = model_open(dir, why);

	for (uint64_t n = 1; n <= BEFORE; n++)
		if (store == NULL || model_write(store, arena, 0, n) != GB_OK)
			exit(2);
	gb_store_close(store);
	gb_arena_free(arena);
}

static bool
try(const char *base, const char *dir, const struct plan *plan, unsigned *runs, bool *over)
{
	int status;
	pid_t child;

	model_remove(dir);
	if (!plan->create)
		copy(base, dir);
	if ((child = fork()) == 0) {
		alarm(60);
		_exit(run(dir, plan));
	}
	waitpid(child, &status, 0);
	(*runs)++;
	*over = WIFEXITED(status) && WEXITSTATUS(status) == 100;
	if (WIFEXITED(status) && (WEXITSTATUS(status) == 0 || *over))
		return true;
	printf("faults: %s number %u%s (%s)%s: %s %#x\n", io_names[plan->call], plan->nth,
	    plan->forever ? " and all after it" : "", strerror(plan->error), plan->create ? ", new store" : "",
	    WIFEXITED(status) ? outcome_names[WEXITSTATUS(status)] : "killed", (unsigned)status);
	return false;
}

int
main(int argc, char **argv)
{
	unsigned runs = 0, bad = 0, singly;
	char base[256];

	if (argc != 3)
		return 2;
	singly = (unsigned)atoi(argv[2]);
	setvbuf(stdout, NULL, _IOLBF, 0);
	snprintf(base, sizeof base, "%s.base", argv[1]);
	prepare(base);
	for (size_t f = 0; f < sizeof faults / sizeof *faults; f++)
		for (int kind = 0; kind < 4; kind++) {
			struct plan plan = { faults[f].call, faults[f].error, 1, kind & 1, kind & 2 };
			bool over = false;

			for (; !over && plan.nth < 4000; plan.nth += plan.nth < singly ? 1 : 1 + plan.nth / 3)
				bad += !try(base, argv[1], &plan, &runs, &over);
		}
	model_remove(argv[1]);
	model_remove(base);
	printf("faults: %u runs: %s\n", runs, bad == 0 ? "503 and back, nothing lost" : "BROKEN");
	return bad == 0 ? 0 : 1;
}
