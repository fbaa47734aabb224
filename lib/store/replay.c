/* SPDX-License-Identifier: MIT */
/*
 * replay.c: all frames of a log into the pages, for recovery. A full log tells of the same page many times and of
 * pages in no order: here they are taken in the order of the file, neighbours in one read and one write.
 */
#include <errno.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "store/crc32c.h"
#include "store/engine.h"

#define RUN_MAX 64u			/* pages at once */

struct patch {
	uint64_t page;
	const struct gb_frame_page *frame;	/* in the mapped log: of two, the later one is the newer */
};

struct gb_replay {
	struct patch *patches;
	size_t len, max;
	uint32_t sums[RUN_MAX];
	unsigned char bytes[RUN_MAX * GB_PAGE];
};

static enum gb_err
gather(struct gb_engine *engine, const struct gb_frame_page *page)
{
	struct gb_replay *replay = engine->replay;

	if (replay->len == replay->max) {
		size_t max = replay->max > 0 ? 2 * replay->max : 1024;
		struct patch *patches = realloc(replay->patches, max * sizeof *patches);

		if (patches == NULL)
			return GB_ERR_MEMORY;
		replay->patches = patches;
		replay->max = max;
	}
	replay->patches[replay->len++] = (struct patch){ .page = page->page, .frame = page };
	return GB_OK;
}

static int
by_page(const void *a, const void *b)
{
	const struct patch *x = a, *y = b;

	if (x->page != y->page)
		return x->page < y->page ? -1 : 1;
	return x->frame < y->frame ? -1 : x->frame > y->frame;
}

/* How many patches from here on are of pages that lie side by side. */
static size_t
run_len(const struct patch *patches, size_t len)
{
	size_t n = 1;

	while (n < len && patches[n].page <= patches[n - 1].page + 1 && patches[n].page - patches[0].page < RUN_MAX)
		n++;
	return n;
}

/* What lies beyond the file's end is zeros. */
static enum gb_err
run_read(struct gb_engine *engine, unsigned char *bytes, size_t len, uint64_t offset)
{
	while (len > 0) {
		ssize_t got = pread(engine->db_fd, bytes, len, (off_t)offset);

		if (got < 0 && errno == EINTR)
			continue;
		if (got < 0)
			return gb_engine_fail(engine, "store.gdbm: cannot read");
		if (got == 0) {
			memset(bytes, 0, len);
			return GB_OK;
		}
		bytes += got;
		offset += (uint64_t)got;
		len -= (size_t)got;
	}
	return GB_OK;
}

static enum gb_err
run_write(struct gb_engine *engine, const struct patch *patches, size_t len)
{
	struct gb_replay *replay = engine->replay;
	uint64_t first = patches[0].page, pages = patches[len - 1].page - first + 1;
	enum gb_err err;

	if ((err = run_read(engine, replay->bytes, pages * GB_PAGE, first * GB_PAGE)) != GB_OK)
		return err;
	for (size_t i = 0; i < len; i++) {
		gb_log_patch(patches[i].frame, replay->bytes + (patches[i].page - first) * GB_PAGE);
		replay->sums[patches[i].page - first] = patches[i].frame->sum;
	}
	for (uint64_t i = 0; i < pages; i++)
		if (gb_crc32c(0, replay->bytes + i * GB_PAGE, GB_PAGE) != replay->sums[i])
			return gb_engine_damaged(engine, "store.gdbm: a page is damaged");
	if (!gb_write_at(engine->db_fd, replay->bytes, pages * GB_PAGE, first * GB_PAGE))
		return gb_engine_fail(engine, "store.gdbm: cannot write");
	return gb_sums_write(engine, first, replay->sums, pages);
}

static enum gb_err
all_write(struct gb_engine *engine)
{
	struct gb_replay *replay = engine->replay;
	enum gb_err err = GB_OK;

	if (replay->len > 0)
		qsort(replay->patches, replay->len, sizeof *replay->patches, by_page);
	for (size_t at = 0, n; at < replay->len && err == GB_OK; at += n) {
		n = run_len(replay->patches + at, replay->len - at);
		err = run_write(engine, replay->patches + at, n);
	}
	return err;
}

enum gb_err
gb_recover_replay(struct gb_engine *engine, uint64_t from, uint64_t to, uint64_t *db_size)
{
	enum gb_err err;

	if ((engine->replay = calloc(1, sizeof *engine->replay)) == NULL)
		return GB_ERR_MEMORY;
	if ((err = gb_log_walk(engine, from, to, gather, db_size)) == GB_OK)
		err = all_write(engine);
	free(engine->replay->patches);
	free(engine->replay);
	engine->replay = NULL;
	return err;
}
