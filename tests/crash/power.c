/* SPDX-License-Identifier: MIT */
/*
 * power.c: what a disk may show after the power went.
 *
 *	power record TRACE DIR WORKERS TRANSACTIONS SEED
 *	power replay TRACE DIR TRIALS SEED [stop]
 *
 * `record` runs writers while io.c writes down every write, flush and
 * acknowledgement in their order; between, all die and the control page
 * is lost, so that recoveries are in the record too. `replay` cuts the record
 * at many places and builds files a disk could then hold: all that a finished
 * flush covers, and of the rest, page by page or sector by sector, any later
 * state. From each, the store must come back with all that was acknowledged.
 */
#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/stat.h>
#include <sys/wait.h>
#include <unistd.h>

#include "io.h"
#include "model.h"

#define WORKERS_MAX	8
#define IMAGE_MAX	(16u << 20)
#define LIVES		4		/* all die so often */
#define BIAS_EVENTS	14		/* half of the cuts lie so close behind a header of the log */
#define BEGIN_EVENTS	40		/* some while the store is made */

static const char *const file_names[IO_FILE__COUNT] = { "store.gdbm", "store.log", "store.sums" };

/* record */

static void
write_some(const char *dir, unsigned worker, uint64_t from, uint64_t to)
{
	struct gb_arena *arena = gb_arena_new();
	char why[300];
	struct gb_store *store = model_open(dir, why);

	if (store == NULL) {
		fprintf(stderr, "power: %s\n", why);
		_exit(1);
	}
	for (uint64_t n = from; n <= to; n++) {
		if (model_write(store, arena, worker, n) != GB_OK)
			_exit(1);
		io_ack(worker, n);
		if (n % 7 == 0)
			usleep(200);
	}
	_exit(0);
}

/* How many transactions of a worker are in the store; the rest of its life begins there. */
static uint64_t
found_of(const char *dir, unsigned worker)
{
	struct gb_arena *arena = gb_arena_new();
	char why[300];
	struct gb_store *store = model_open(dir, why);
	uint64_t found = 0;

	if (store != NULL) {
		model_check(store, arena, worker, 0, &found);
		gb_store_close(store);
	}
	gb_arena_free(arena);
	return found;
}

static int
record_run(const char *trace, const char *dir, unsigned workers, uint64_t transactions, uint64_t seed)
{
	uint64_t from[WORKERS_MAX] = { 0 };
	pid_t pids[WORKERS_MAX];
	char control[300];
	int status, bad = 0;

	snprintf(control, sizeof control, "%s/store.control", dir);
	io_trace(trace);
	for (int life = 1; life <= LIVES; life++) {
		for (unsigned i = 0; i < workers; i++)
			if ((pids[i] = fork()) == 0)
				write_some(dir, i, from[i] + 1, transactions * (uint64_t)life / LIVES);
		if (life < LIVES) {
			usleep((useconds_t)(20000 + model_random(&seed) % 60000));
			io_stop(true);
		}
		for (unsigned i = 0; i < workers; i++)
			if (waitpid(pids[i], &status, 0) == pids[i] && WIFEXITED(status) && WEXITSTATUS(status) != 0)
				bad = 1;
		io_stop(false);
		unlink(control);
		for (unsigned i = 0; i < workers; i++)
			io_ack(i, from[i] = found_of(dir, i));	/* who could read it was told */
	}
	model_remove(dir);
	return bad;
}

/* replay */

struct run {
	const unsigned char *bytes;
	const struct io_event **events;
	size_t events_len;
	size_t *headers;		/* events that wrote a header of the log */
	size_t headers_len;
	unsigned workers;
};

struct image {
	unsigned char *bytes[IO_FILE__COUNT];
	uint64_t len[IO_FILE__COUNT];
	uint64_t acked[WORKERS_MAX];
	bool named;			/* store.log has its name */
};

static bool
run_load(struct run *run, const char *path)
{
	struct stat status;
	int fd = open(path, O_RDONLY | O_CLOEXEC);
	size_t at = 0;

	if (fd < 0 || fstat(fd, &status) != 0)
		return false;
	run->bytes = mmap(NULL, (size_t)status.st_size, PROT_READ, MAP_PRIVATE, fd, 0);
	run->events = calloc((size_t)status.st_size / sizeof(struct io_event) + 1, sizeof *run->events);
	run->headers = calloc((size_t)status.st_size / sizeof(struct io_event) + 1, sizeof *run->headers);
	close(fd);
	while (at + sizeof(struct io_event) <= (size_t)status.st_size) {
		const struct io_event *event = (const void *)(run->bytes + at);

		if (event->kind == IO_WRITE && event->file == IO_LOG && event->offset < 8192 && event->len < 4096)
			run->headers[run->headers_len++] = run->events_len;
		if (event->kind == IO_ACK && event->file >= run->workers)
			run->workers = event->file + 1;
		run->events[run->events_len++] = event;
		at += sizeof *event + (event->len + 7) / 8 * 8;
	}
	return run->events_len > 0;
}

enum mode {
	NOTHING_MORE,			/* only what was flushed */
	ALL,				/* as if the power had stayed */
	PAGES,				/* each page some later state, or none */
	DB_BEFORE_LOG,			/* pages of the data all written, of the log none */
	SECTORS,			/* as PAGES, by 512 bytes */
	MODE__COUNT
};

/* Up to which event this unit of a file got its writes. */
static size_t
limit_of(enum mode mode, enum io_file file, uint64_t unit, size_t durable, size_t cut, uint64_t seed)
{
	uint64_t state = seed ^ unit << 3 ^ (uint64_t)file;

	switch (mode) {
	case NOTHING_MORE:
		return durable;
	case ALL:
		return cut + 1;
	case DB_BEFORE_LOG:
		return file == IO_LOG ? durable : cut + 1;
	default:
		return durable + model_random(&state) % (cut + 2 - durable);
	}
}

static void
write_apply(struct image *image, const struct io_event *event, size_t number, enum mode mode, size_t durable,
    size_t cut, uint64_t seed)
{
	const unsigned char *from = (const void *)(event + 1);
	uint64_t at = event->offset, end = at + event->len;

	while (at < end) {
		uint64_t unit = mode == SECTORS ? at / 512 : at / 4096;
		uint64_t next = 512 - at % 512 < end - at ? at + 512 - at % 512 : end;

		if (number < durable || number < limit_of(mode, (enum io_file)event->file, unit, durable, cut, seed)) {
			memcpy(image->bytes[event->file] + at, from, next - at);
			if (next > image->len[event->file])
				image->len[event->file] = next;
		}
		from += next - at;
		at = next;
	}
}

static void
length_apply(struct image *image, const struct io_event *event, bool durable, uint64_t seed)
{
	uint64_t len = image->len[event->file];

	if (!durable && model_random(&seed) % 2 == 0)
		return;
	if (event->offset < len)
		memset(image->bytes[event->file] + event->offset, 0, len - event->offset);
	image->len[event->file] = event->offset;
}

static void
image_build(struct image *image, const struct run *run, size_t cut, enum mode mode, uint64_t seed)
{
	size_t durable[IO_FILE__COUNT] = { 0 }, names = 0;

	image->named = false;
	memset(image->acked, 0, sizeof image->acked);
	for (int i = 0; i < IO_FILE__COUNT; i++) {
		memset(image->bytes[i], 0, image->len[i]);
		image->len[i] = 0;
	}
	for (size_t i = 0; i <= cut; i++) {
		const struct io_event *event = run->events[i];

		if (event->kind == IO_SYNCED && event->aux > durable[event->file])
			durable[event->file] = event->aux;
		if (event->kind == IO_DIRECTORY && event->aux > names)
			names = event->aux;
		if (event->kind == IO_ACK)
			image->acked[event->file] = event->aux;
	}
	for (size_t i = 0; i <= cut; i++) {
		const struct io_event *event = run->events[i];

		if (event->kind == IO_WRITE)
			write_apply(image, event, i, mode, durable[event->file], cut, seed);
		else if (event->kind == IO_LENGTH)
			length_apply(image, event, i < durable[event->file], seed ^ i);
		else if (event->kind == IO_RENAMED)
			image->named = i < names || model_random(&seed) % 2 == 0;
	}
}

static bool
image_write(const struct image *image, const char *dir)
{
	char path[300];

	model_remove(dir);
	if (mkdir(dir, 0700) != 0)
		return false;
	for (int i = 0; i < IO_FILE__COUNT; i++) {
		int fd;

		snprintf(path, sizeof path, "%s/%s%s", dir, file_names[i], i == IO_LOG && !image->named ? ".new" : "");
		if ((fd = open(path, O_WRONLY | O_CREAT | O_TRUNC | O_CLOEXEC, 0600)) < 0)
			return false;
		if (pwrite(fd, image->bytes[i], image->len[i], 0) != (ssize_t)image->len[i])
			return false;
		close(fd);
	}
	return true;
}

enum verdict { FINE, UNOPENABLE, LOST, WRONG, UNREADABLE, UNWRITABLE, STRUCTURE, VERDICT__COUNT };
static const char *const verdict_names[] = { "fine", "unopenable", "lost", "wrong", "unreadable", "unwritable",
    "structure" };

static enum verdict
survivor(const char *dir, const struct image *image, unsigned workers)
{
	struct gb_arena *arena = gb_arena_new();
	char why[300];
	struct gb_store *store = model_open(dir, why);

	if (store == NULL) {
		if (getenv("VERBOSE") != NULL)
			fprintf(stderr, "power: %s\n", why);
		return UNOPENABLE;
	}
	for (unsigned i = 0; i < workers; i++) {
		uint64_t found;
		enum model_verdict verdict = model_check(store, arena, i, image->acked[i], &found);

		if (verdict != MODEL_OK)
			return verdict == MODEL_LOST ? LOST : verdict == MODEL_WRONG ? WRONG : UNREADABLE;
		if (model_write(store, arena, i, found + 1) != GB_OK)
			return UNWRITABLE;
	}
	gb_store_close(store);
	return model_structure(dir, why) ? FINE : STRUCTURE;
}

static enum verdict
trial(const char *dir, const struct image *image, unsigned workers)
{
	int status;
	pid_t child;

	if (!image_write(image, dir))
		exit(2);
	if ((child = fork()) == 0) {
		alarm(60);
		_exit((int)survivor(dir, image, workers));
	}
	if (waitpid(child, &status, 0) != child || !WIFEXITED(status))
		return UNREADABLE;
	return (enum verdict)WEXITSTATUS(status);
}

static size_t
cut_choose(const struct run *run, uint64_t *state)
{
	size_t cut = model_random(state) % run->events_len;

	if (model_random(state) % 8 == 0)
		cut %= BEGIN_EVENTS;
	else if (run->headers_len > 0 && model_random(state) % 2 == 0)
		cut = run->headers[model_random(state) % run->headers_len] + model_random(state) % BIAS_EVENTS;
	return cut < run->events_len ? cut : run->events_len - 1;
}

static int
replay_run(const char *trace, const char *dir, long trials, uint64_t seed, bool stop)
{
	long counts[VERDICT__COUNT] = { 0 }, made = 0;
	struct run run = { 0 };
	struct image image = { 0 };

	if (!run_load(&run, trace))
		return 2;
	for (int i = 0; i < IO_FILE__COUNT; i++)
		image.bytes[i] = mmap(NULL, IMAGE_MAX, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
	for (long i = 0; i < trials && !(stop && counts[FINE] < i); i++) {
		size_t cut = cut_choose(&run, &seed);
		enum mode mode = (enum mode)(model_random(&seed) % MODE__COUNT);
		enum verdict verdict;

		image_build(&image, &run, cut, mode, model_random(&seed));
		verdict = trial(dir, &image, run.workers);
		counts[verdict]++;
		if (verdict != FINE && getenv("VERBOSE") != NULL)
			fprintf(stderr, "power: trial %ld, cut %zu of %zu, mode %d: %s\n", i, cut, run.events_len, (int)mode,
			    verdict_names[verdict]);
	}
	model_remove(dir);
	for (int i = 0; i < VERDICT__COUNT; i++)
		made += counts[i];
	printf("power: %ld cuts of %zu events:", made, run.events_len);
	for (int i = 0; i < VERDICT__COUNT; i++)
		if (i == FINE || counts[i] > 0)
			printf(" %s %ld", verdict_names[i], counts[i]);
	printf("\n");
	return counts[FINE] == made ? 0 : 1;
}

int
main(int argc, char **argv)
{
	if (argc == 7 && strcmp(argv[1], "record") == 0)
		return record_run(argv[2], argv[3], (unsigned)atoi(argv[4]), strtoull(argv[5], NULL, 10),
		    strtoull(argv[6], NULL, 10));
	if (argc >= 6 && strcmp(argv[1], "replay") == 0)
		return replay_run(argv[2], argv[3], atol(argv[4]), strtoull(argv[5], NULL, 10), argc > 6);
	return 2;
}
