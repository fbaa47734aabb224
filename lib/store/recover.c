/* SPDX-License-Identifier: MIT */
/* recover.c: from the log into the pages; in the daily course, and after deaths and power cuts. */
#include <errno.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "store/engine.h"

static enum gb_err
poison(struct gb_engine *engine, enum gb_err err)
{
	atomic_store(&engine->control->poison, 1);
	return err;
}

static void
sequence_odd(struct gb_control *control)
{
	if (atomic_load(&control->sequence) % 2 == 0)
		atomic_fetch_add(&control->sequence, 1);
	atomic_thread_fence(memory_order_seq_cst);
}

static void
sequence_even(struct gb_control *control)
{
	if (atomic_load(&control->sequence) % 2 != 0)
		atomic_fetch_add_explicit(&control->sequence, 1, memory_order_release);
}

static enum gb_err
page_write(struct gb_engine *engine, const struct gb_frame_page *page)
{
	const unsigned char *p = (const void *)(page + 1);

	for (unsigned i = 0; i < page->extents; i++) {
		const struct gb_frame_extent *extent = (const void *)p;

		if (!gb_write_at(engine->db_fd, p + 8, extent->len, page->page * GB_PAGE + extent->offset))
			return gb_engine_fail(engine, "store.gdbm: cannot write");
		p += 8 + extent->len;
	}
	return gb_sums_write(engine, page->page, &page->sum, 1);
}

static enum gb_err
db_length(struct gb_engine *engine, uint64_t db_size)
{
	if (ftruncate(engine->db_fd, (off_t)db_size) != 0)
		return gb_engine_fail(engine, "store.gdbm: cannot set its length");
	return GB_OK;
}

static enum gb_err
apply(struct gb_engine *engine, uint64_t from, uint64_t to)
{
	struct gb_control *control = engine->control;
	uint64_t size = atomic_load(&control->db_size), was = size;
	enum gb_err err;

	if ((err = gb_log_walk(engine, from, to, page_write, &size)) != GB_OK ||
	    (size != was && (err = db_length(engine, size)) != GB_OK) ||
	    (err = gb_sums_witness_write(engine, to)) != GB_OK)
		return err;
	atomic_store(&control->db_size, size);
	return GB_OK;
}

/* If a process was killed in here, the next one does it again: each write is that of the frame, no sum of both. */
enum gb_err
gb_recover_apply(struct gb_engine *engine)
{
	struct gb_control *control = engine->control;
	uint64_t from = atomic_load(&control->applied), to = atomic_load(&control->durable);
	enum gb_err err;

	if (from < to) {
		if (atomic_load(&control->sequence) % 2 != 0)
			atomic_fetch_add(&control->repairs, 1);
		sequence_odd(control);
		if ((err = apply(engine, from, to)) != GB_OK)
			return poison(engine, err);
		atomic_store(&control->applied, to);
	}
	sequence_even(control);
	return GB_OK;
}

/* Where the chain of whole frames ends. */
static uint64_t
chain_end(struct gb_engine *engine, uint64_t from, uint64_t limit)
{
	const struct gb_frame *frame;

	while ((frame = gb_log_next(engine, from, limit)) != NULL)
		from = gb_log_frame_end(frame);
	return from;
}

/*
 * Says from which epoch on the log counts, and what of it: after a failed flush
 * only what was flushed before it, since the page cache may show what the disk
 * does not have.
 */
static enum gb_err
log_begin(struct gb_engine *engine, bool trusted, struct gb_log_header *header, uint64_t *limit)
{
	struct gb_control *control = engine->control;
	struct stat status;
	bool poisoned;
	enum gb_err err;

	poisoned = trusted && atomic_load(&control->poison) != 0;
	/* rule 1: what is replayed must be durable */
	if (!poisoned && fdatasync(engine->log_fd) != 0)
		return gb_engine_fail(engine, "store.log: cannot flush");
	if ((err = gb_log_header_read(engine, header)) != GB_OK)
		return err;
	if (fstat(engine->log_fd, &status) != 0 || status.st_size < (off_t)GB_LOG_MIN)
		return gb_engine_damaged(engine, "store.log: too short");
	atomic_store(&control->log_size, (uint64_t)status.st_size / GB_PAGE * GB_PAGE);
	atomic_store(&control->base, header->base);
	atomic_store(&control->epoch, header->epoch);
	memcpy(control->store_id, header->id, GB_STORE_ID_LEN);
	*limit = header->base + atomic_load(&control->log_size) - GB_LOG_HEADER;
	if (poisoned && atomic_load(&control->durable) < *limit)
		*limit = atomic_load(&control->durable);
	return GB_OK;
}

/* A log that ends before what the pages are known to hold has lost something. */
static enum gb_err
witness_check(struct gb_engine *engine, uint64_t end)
{
	unsigned char id[GB_STORE_ID_LEN];
	uint64_t applied;
	enum gb_err err;

	if ((err = gb_sums_witness_read(engine, id, &applied)) != GB_OK)
		return err;
	if (memcmp(id, engine->control->store_id, sizeof id) != 0)
		return gb_engine_damaged(engine, "store.sums and store.log are of different stores");
	if (applied > end)
		return gb_engine_damaged(engine, "store.log: damaged, or older than store.gdbm");
	return GB_OK;
}

static enum gb_err
lengths_check(struct gb_engine *engine, uint64_t db_size)
{
	struct stat db, sums;

	if (fstat(engine->db_fd, &db) != 0 || fstat(engine->sums_fd, &sums) != 0)
		return gb_engine_fail(engine, "store: cannot look at its files");
	if ((uint64_t)db.st_size < db_size)
		return gb_engine_damaged(engine, "store.gdbm: too short");
	if ((uint64_t)sums.st_size < GB_SUMS_HEADER + db_size / GB_PAGE * 4)
		return gb_engine_damaged(engine, "store.sums: too short");
	return GB_OK;
}

/* All frames into the pages, then the pages to the disk. */
static enum gb_err
replay(struct gb_engine *engine, uint64_t from, uint64_t to, uint64_t *db_size)
{
	enum gb_err err;

	if ((err = gb_recover_replay(engine, from, to, db_size)) != GB_OK ||
	    (err = db_length(engine, *db_size)) != GB_OK ||
	    (err = gb_sums_reserve(engine, *db_size)) != GB_OK ||
	    (err = gb_sums_witness_write(engine, to)) != GB_OK)
		return err;
	if (fdatasync(engine->db_fd) != 0 || fdatasync(engine->sums_fd) != 0)
		return gb_engine_fail(engine, "store: cannot flush");
	return GB_OK;
}

static void
control_settle(struct gb_engine *engine, uint64_t epoch, uint64_t base, uint64_t kept, uint64_t db_size)
{
	struct gb_control *control = engine->control;

	atomic_store(&control->kept, kept);
	atomic_fetch_add(&control->generation, 1);
	atomic_store(&control->end, base);
	atomic_store(&control->flushing, base);
	atomic_store(&control->durable, base);
	atomic_store(&control->applied, base);
	atomic_store(&control->base, base);
	atomic_store(&control->epoch, epoch);
	atomic_store(&control->last, 0);
	atomic_store(&control->db_size, db_size);
	atomic_store(&control->db_reserved, db_size);
	atomic_store(&control->epoch_began_s, gb_clock_ms() / 1000);
	atomic_store(&control->poison, 0);
	atomic_store(&control->state, GB_ENGINE_READY);
	sequence_even(control);
}

enum gb_err
gb_recover(struct gb_engine *engine, bool trusted)
{
	struct gb_control *control = engine->control;
	uint64_t was_end = trusted ? atomic_load(&control->end) : 0;
	struct gb_log_header header;
	uint64_t limit = 0, end, base;
	enum gb_err err;

	atomic_store(&control->state, GB_ENGINE_BUSY);
	sequence_odd(control);
	if ((err = log_begin(engine, trusted, &header, &limit)) != GB_OK ||
	    (err = lengths_check(engine, header.db_size)) != GB_OK)
		return err;
	end = chain_end(engine, header.base, limit);
	if ((err = witness_check(engine, end)) != GB_OK ||
	    (err = replay(engine, header.base, end, &header.db_size)) != GB_OK)
		return err;
	/* positions once given out are not given out again: someone may wait for one */
	base = ((end > was_end ? end : was_end) + GB_PAGE - 1) / GB_PAGE * GB_PAGE;
	if ((err = gb_log_header_write(engine, header.epoch + 1, base, header.db_size)) != GB_OK)
		return err;
	control_settle(engine, header.epoch + 1, base, end, header.db_size);
	return GB_OK;
}

static bool
needs_recovery(const struct gb_control *control)
{
	uint32_t state = atomic_load(&control->state);

	return state == GB_ENGINE_BUSY || (state == GB_ENGINE_READY && atomic_load(&control->poison) != 0);
}

enum gb_err
gb_recover_locked(struct gb_engine *engine)
{
	enum gb_err err = GB_OK;

	if (needs_recovery(engine->control)) {
		if ((err = gb_lock_take(engine, GB_LOCK_FLUSH)) != GB_OK)
			return err;
		if (needs_recovery(engine->control))
			err = gb_recover(engine, true);
		gb_lock_release(engine, GB_LOCK_FLUSH);
	}
	if (err == GB_OK && !gb_engine_ready(engine))
		return gb_engine_fail(engine, "the store is damaged or was replaced");
	return err;
}

/* Nobody but the holder of the flush lock changes pages: once it is ours, the one who left them so has died. */
static enum gb_err
apply_for_the_dead(struct gb_engine *engine)
{
	if (!gb_engine_ready(engine))
		return gb_engine_fail(engine, "the store is damaged or was replaced");
	return gb_recover_apply(engine);
}

static enum gb_err
recover_for_the_dead(struct gb_engine *engine)
{
	enum gb_err err;

	if ((err = gb_lock_take(engine, GB_LOCK_WRITER)) != GB_OK)
		return err;
	err = gb_recover_locked(engine);
	gb_lock_release(engine, GB_LOCK_WRITER);
	return err;
}

enum gb_err
gb_recover_stuck(struct gb_engine *engine)
{
	enum gb_err err;

	if (!needs_recovery(engine->control)) {
		if ((err = gb_lock_take(engine, GB_LOCK_FLUSH)) != GB_OK)
			return err;
		/* while we waited, its holder may have died in a checkpoint, or failed */
		if (!needs_recovery(engine->control)) {
			err = apply_for_the_dead(engine);
			gb_lock_release(engine, GB_LOCK_FLUSH);
			return err;
		}
		gb_lock_release(engine, GB_LOCK_FLUSH);
	}
	return recover_for_the_dead(engine);
}
