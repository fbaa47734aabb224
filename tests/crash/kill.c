/* SPDX-License-Identifier: MIT */
/*
 * kill.c: several writers, one store, and SIGKILL at any basic block of it.
 *
 *	kill DIR KILLS SEED
 *
 * Half of the kills come from outside at random times; for the other half the
 * store is built with -fsanitize-coverage=trace-pc and the process kills itself
 * at a random block of the store's own code: between any two of its steps;
 * more often than chance would have it just after a header of the log is written.
 * After each death another process must find all that was acknowledged, and
 * the transaction in flight whole or not at all. The others go on meanwhile.
 * Every fifty kills all die, and half of the times the control page is lost.
 */
#include <errno.h>
#include <signal.h>
#include <stdatomic.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/syscall.h>
#include <sys/wait.h>
#include <unistd.h>

#include "model.h"

#define WORKERS 4
#define ALL_DIE 50
#define HEADER_BLOCKS 24

static struct {
	_Atomic uint64_t done[WORKERS];	/* acknowledged */
	_Atomic uint64_t transactions, reads, wrong_reads, failed_reads, unanswered;
} *shared;

static long countdown;			/* blocks left to live; 0: for ever */
static uint64_t header_seed;

void __sanitizer_cov_trace_pc(void);

void
__sanitizer_cov_trace_pc(void)
{
	if (countdown != 0 && --countdown == 0)
		kill(getpid(), SIGKILL);
}

/* Stands before the C library's. A header of the log is the only short write at these places. */
ssize_t
pwrite(int fd, const void *bytes, size_t len, off_t offset)
{
	ssize_t written = syscall(SYS_pwrite64, fd, bytes, len, offset);

	if (countdown > HEADER_BLOCKS && len < 4096 && (offset == 0 || offset == 4096) &&
	    model_random(&header_seed) % 4 == 0)
		countdown = 1 + (long)(model_random(&header_seed) % HEADER_BLOCKS);
	return written;
}

static void
work(const char *dir, unsigned worker, uint64_t seed)
{
	struct gb_arena *arena = gb_arena_new();
	struct gb_store *store;
	char why[300];

	header_seed = seed;
	if (model_random(&seed) % 2 == 0)
		countdown = 1 + (long)(model_random(&seed) % (model_random(&seed) % 2 == 0 ? 3000 : 60000));
	if ((store = model_open(dir, why)) == NULL) {
		fprintf(stderr, "kill: worker %u: %s\n", worker, why);
		_exit(3);
	}
	for (;;) {
		uint64_t n = atomic_load(&shared->done[worker]) + 1;
		enum gb_err err = model_write(store, arena, worker, n);

		if (err != GB_OK) {
			gb_store_health(store, MODEL_NOW, why, sizeof why);
			atomic_fetch_add(&shared->unanswered, 1);
			_exit(err == GB_ERR_STORE_UNAVAILABLE ? 7 : 4);
		}
		atomic_store(&shared->done[worker], n);
		atomic_fetch_add(&shared->transactions, 1);
		for (int i = 0; i < 3; i++) {
			unsigned key = (unsigned)(model_random(&seed) % MODEL_KEYS);

			enum model_verdict verdict = model_read(store, arena, worker, key, n);

			atomic_fetch_add(&shared->wrong_reads, verdict == MODEL_WRONG);
			atomic_fetch_add(&shared->failed_reads, verdict == MODEL_UNREADABLE);
			atomic_fetch_add(&shared->reads, 1);
		}
	}
}

static pid_t
start(const char *dir, unsigned worker, uint64_t *seed)
{
	uint64_t own = model_random(seed);
	pid_t child = fork();

	if (child == 0)
		work(dir, worker, own);
	return child;
}

/* What a stranger finds of this worker now; false, with a line: it is wrong. */
static bool
judge(const char *dir, unsigned worker)
{
	static const char *const verdicts[] = { "ok", "LOST", "WRONG", "UNREADABLE" };
	uint64_t done = atomic_load(&shared->done[worker]), found = 0;
	struct gb_arena *arena = gb_arena_new();
	enum model_verdict verdict = MODEL_UNREADABLE;
	struct gb_store *store;
	char why[300] = "";

	if ((store = model_open(dir, why)) != NULL) {
		verdict = model_check(store, arena, worker, done, &found);
		gb_store_close(store);
	}
	gb_arena_free(arena);
	if (verdict != MODEL_OK)
		printf("kill: worker %u: %s: acknowledged %llu, found %llu %s\n", worker, verdicts[verdict],
		    (unsigned long long)done, (unsigned long long)found, why);
	atomic_store(&shared->done[worker], found);
	return verdict == MODEL_OK;
}

/* The worker that died, by now or by our hand; -1: one ended in a way it must not. */
static int
one_dies(pid_t pids[static WORKERS], uint64_t *seed)
{
	unsigned victim = (unsigned)(model_random(seed) % WORKERS);
	int status;
	pid_t dead;

	usleep((useconds_t)(model_random(seed) % 4000));
	if ((dead = waitpid(-1, &status, WNOHANG)) == 0) {
		kill(pids[victim], SIGKILL);
		dead = waitpid(pids[victim], &status, 0);
	}
	for (int i = 0; i < WORKERS; i++)
		if (pids[i] == dead) {
			if (WIFSIGNALED(status) ? WTERMSIG(status) == SIGKILL : WEXITSTATUS(status) == 7)
				return i;
			printf("kill: worker %d ended with %#x\n", i, (unsigned)status);
		}
	return -1;
}

static bool
all_die(const char *dir, pid_t pids[static WORKERS], bool wipe)
{
	char path[300], why[300];
	bool ok = true;

	for (int i = 0; i < WORKERS; i++) {
		kill(pids[i], SIGKILL);
		waitpid(pids[i], NULL, 0);
	}
	snprintf(path, sizeof path, "%s/store.control", dir);
	if (wipe)
		unlink(path);
	for (unsigned i = 0; i < WORKERS; i++)
		ok &= judge(dir, i);
	if (!model_structure(dir, why)) {
		printf("kill: structure: %s\n", why);
		ok = false;
	}
	return ok;
}

int
main(int argc, char **argv)
{
	long kills = 0, want;
	pid_t pids[WORKERS];
	uint64_t seed;
	bool ok = true;

	setvbuf(stdout, NULL, _IOLBF, 0);
	if (argc != 4)
		return 2;
	want = atol(argv[2]);
	seed = strtoull(argv[3], NULL, 10);
	shared = mmap(NULL, sizeof *shared, PROT_READ | PROT_WRITE, MAP_SHARED | MAP_ANONYMOUS, -1, 0);
	if (shared == MAP_FAILED)
		return 2;
	alarm(3600);
	for (unsigned i = 0; i < WORKERS; i++)
		pids[i] = start(argv[1], i, &seed);
	while (ok && kills < want) {
		int dead = one_dies(pids, &seed);

		kills++;
		/* half of the times those who live must get over it by themselves for a while */
		if (model_random(&seed) % 2 == 0)
			usleep((useconds_t)(model_random(&seed) % 6000));
		if (!(ok = dead >= 0 && judge(argv[1], (unsigned)dead)))
			break;
		if (kills % ALL_DIE == 0) {
			ok = all_die(argv[1], pids, kills % (2 * ALL_DIE) == 0);
			kills += WORKERS;
			for (unsigned i = 0; i < WORKERS; i++)
				pids[i] = start(argv[1], i, &seed);
			continue;
		}
		pids[dead] = start(argv[1], (unsigned)dead, &seed);
	}
	ok &= all_die(argv[1], pids, true);
	model_remove(argv[1]);
	ok &= shared->wrong_reads == 0 && shared->failed_reads == 0;
	printf("kill: %ld kills, %llu transactions acknowledged, %llu without an answer, %llu reads, %llu of them wrong, "
	    "%llu without an answer: %s\n", kills, (unsigned long long)shared->transactions,
	    (unsigned long long)shared->unanswered, (unsigned long long)shared->reads,
	    (unsigned long long)shared->wrong_reads, (unsigned long long)shared->failed_reads,
	    ok ? "nothing lost, nothing broken" : "BROKEN");
	return ok ? 0 : 1;
}
