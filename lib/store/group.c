/* SPDX-License-Identifier: MIT */
/* group.c: one flush for all who wait, and the checkpoint that empties the log. */
#include <fcntl.h>
#include <unistd.h>

#include "store/engine.h"

#define BUSY_EPOCH_S 60			/* a log that fills faster may double */

static enum gb_err
poison(struct gb_engine *engine, const char *what)
{
	enum gb_err err = gb_engine_fail(engine, "%s", what);

	atomic_store(&engine->control->poison, 1);
	return err;
}

/* Begins to write pages out, so that the checkpoint's own flush finds little; waits for nothing. */
static void
write_out_early(struct gb_engine *engine, uint64_t before, uint64_t now)
{
	struct gb_control *control = engine->control;
	uint64_t step = atomic_load(&control->log_size) / 4, base = atomic_load(&control->base);

	if ((before - base) / step != (now - base) / step)
		sync_file_range(engine->db_fd, 0, 0, SYNC_FILE_RANGE_WRITE);
}

static void
raise_to(_Atomic uint64_t *position, uint64_t to)
{
	uint64_t now = atomic_load(position);

	while (now < to && !atomic_compare_exchange_weak(position, &now, to))
		continue;
}

/* Makes durable what is appended by now. Several processes may do it at once: each is true for what it began with. */
static enum gb_err
sync_log(struct gb_engine *engine)
{
	struct gb_control *control = engine->control;
	uint64_t end = atomic_load(&control->end);

	if (atomic_load(&control->poison) != 0)
		return gb_engine_fail(engine, "an earlier write failed");
	if (end <= atomic_load(&control->durable))
		return GB_OK;
	raise_to(&control->flushing, end);
	if (fdatasync(engine->log_fd) != 0)
		return poison(engine, "store.log: cannot flush");
	raise_to(&control->durable, end);
	atomic_fetch_add(&control->flushes, 1);
	return GB_OK;
}

static enum gb_err
apply(struct gb_engine *engine)
{
	struct gb_control *control = engine->control;
	uint64_t before = atomic_load(&control->applied);
	enum gb_err err = gb_recover_apply(engine);

	if (err == GB_OK && atomic_load(&control->applied) > before)
		write_out_early(engine, before, atomic_load(&control->applied));
	return err;
}

/* A busy site gets a longer log, a quiet one keeps its disk. Failing to grow harms only if the frame needs it. */
static void
grow(struct gb_engine *engine)
{
	struct gb_control *control = engine->control;
	uint64_t size = atomic_load(&control->log_size), want = size, now_s = gb_clock_ms() / 1000;

	if (now_s - atomic_load(&control->epoch_began_s) < BUSY_EPOCH_S)
		want *= 2;
	while (want < GB_LOG_HEADER + engine->frame_len)
		want *= 2;
	if (want > GB_LOG_MAX)
		want = GB_LOG_MAX;
	if (want > size && gb_write_zeros(engine->log_fd, size, want) && fdatasync(engine->log_fd) == 0)
		atomic_store(&control->log_size, want);
	atomic_store(&control->epoch_began_s, now_s);
}

/* Rule 2: all pages first, then the header; who dies in between leaves the state for recovery. */
static enum gb_err
epoch_switch(struct gb_engine *engine)
{
	struct gb_control *control = engine->control;
	uint64_t base = (atomic_load(&control->end) + GB_PAGE - 1) / GB_PAGE * GB_PAGE;
	uint64_t epoch = atomic_load(&control->epoch) + 1;
	enum gb_err err;

	if (fdatasync(engine->db_fd) != 0)
		return poison(engine, "store.gdbm: cannot flush");
	if (fdatasync(engine->sums_fd) != 0)
		return poison(engine, "store.sums: cannot flush");
	atomic_store(&control->state, GB_ENGINE_BUSY);
	if ((err = gb_log_header_write(engine, epoch, base, atomic_load(&control->db_size))) != GB_OK)
		return err;
	atomic_store(&control->end, base);
	atomic_store(&control->flushing, base);
	atomic_store(&control->durable, base);
	atomic_store(&control->applied, base);
	atomic_store(&control->base, base);
	atomic_store(&control->last, 0);
	atomic_store(&control->epoch, epoch);
	atomic_store(&control->state, GB_ENGINE_READY);
	atomic_fetch_add(&control->checkpoints, 1);
	return GB_OK;
}

enum gb_err
gb_log_settle(struct gb_engine *engine)
{
	enum gb_err err = sync_log(engine);

	return err == GB_OK ? apply(engine) : err;
}

static enum gb_err
checkpoint(struct gb_engine *engine)
{
	enum gb_err err;

	if ((err = gb_lock_take(engine, GB_LOCK_FLUSH)) != GB_OK)
		return err;
	if ((err = gb_log_settle(engine)) == GB_OK && (err = epoch_switch(engine)) == GB_OK)
		grow(engine);
	gb_lock_release(engine, GB_LOCK_FLUSH);
	return err;
}

enum gb_err
gb_log_make_room(struct gb_engine *engine)
{
	return gb_log_has_room(engine) ? GB_OK : checkpoint(engine);
}

/* After a recovery: what it kept is durable; what it did not may be anything but done. */
static enum gb_err
outcome_after_recovery(struct gb_engine *engine, uint64_t lsn, uint64_t generation)
{
	uint64_t kept = atomic_load(&engine->control->kept);

	if (atomic_load(&engine->control->generation) == generation + 1 && lsn <= kept)
		return GB_OK;
	return gb_engine_fail(engine, "a recovery ran while the commit was under way");
}

/* Applies what is durable, for all who wait for it. */
static enum gb_err
lead(struct gb_engine *engine)
{
	bool ready = gb_engine_ready(engine);
	enum gb_err err = ready ? apply(engine) : GB_OK;

	gb_lock_release(engine, GB_LOCK_FLUSH);
	/* whoever switched epochs or recovered has died */
	return ready ? err : gb_recover_stuck(engine);
}

/* One step towards a frame that is applied; false: others are at it, wait for them. */
static bool
step(struct gb_engine *engine, uint64_t lsn, bool impatient, enum gb_err *err)
{
	struct gb_control *control = engine->control;

	*err = GB_OK;
	if (atomic_load(&control->poison) != 0) {
		*err = gb_engine_fail(engine, "an earlier write failed");
	} else if (atomic_load(&control->durable) >= lsn) {
		if (!gb_lock_try(engine, GB_LOCK_FLUSH))
			return false;
		*err = lead(engine);
	} else {
		/* a flush that began after our append covers us, if its process lives */
		if (atomic_load(&control->flushing) >= lsn && !impatient)
			return false;
		if (!gb_lock_try_sync(engine))
			return false;
		*err = sync_log(engine);
		gb_lock_release_sync(engine);
	}
	return true;
}

enum gb_err
gb_log_await(struct gb_engine *engine, uint64_t lsn, uint64_t generation)
{
	struct gb_control *control = engine->control;
	uint64_t until = 0;
	bool announced = false, impatient = false;
	enum gb_err err = GB_OK;

	while (err == GB_OK) {
		uint32_t seen = atomic_load(&control->lock_words[GB_LOCK_FLUSH]);
		uint64_t applied = atomic_load(&control->applied);

		if (atomic_load(&control->generation) != generation)
			return outcome_after_recovery(engine, lsn, generation);
		if (applied >= lsn)
			return GB_OK;
		if (step(engine, lsn, impatient, &err))
			continue;
		if (!announced) {	/* then look once more: the one who would wake us may just have gone */
			atomic_store(&control->lock_wanted[GB_LOCK_FLUSH], 1);
			announced = true;
			continue;
		}
		if (until == 0)
			until = gb_clock_ms() + GB_LOCK_WAIT_MS;
		else if (gb_clock_ms() > until)
			return gb_engine_fail(engine, "the flush takes too long");
		impatient = !gb_lock_wait(engine, GB_LOCK_FLUSH, seen);
		announced = false;
	}
	return err;
}
