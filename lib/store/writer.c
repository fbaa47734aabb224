/* SPDX-License-Identifier: MIT */
/* writer.c: the only caller of libgdbm. */
#include <errno.h>
#include <setjmp.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include <gdbm.h>

#include "store/format.h"
#include "store/pages.h"
#include "store/writer.h"

#define CACHED_BUCKETS 64		/* unbounded by default */

struct gb_writer {
	struct gb_engine *engine;
	GDBM_FILE handle;		/* libgdbm caches header, directory and buckets: good as long as nobody else wrote */
	uint64_t lsn, generation;	/* what it has seen */
	bool changed;
};

/* libgdbm calls exit() after this one returns; it is left by a jump, and the handle is thrown away. */
static jmp_buf fatal_jump;

static void
fatal(const char *what)
{
	(void)what;
	longjmp(fatal_jump, 1);
}

static void
handle_drop(struct gb_writer *writer)
{
	GDBM_FILE handle = writer->handle;

	writer->handle = NULL;
	if (handle == NULL)
		return;
	gb_pages_select(writer->engine, false);
	if (setjmp(fatal_jump) == 0)
		gdbm_close(handle);
}

static enum gb_err
handle_open(struct gb_writer *writer)
{
	int flags = (gb_pages_size(writer->engine) > 0 ? GDBM_WRITER : GDBM_WRCREAT) | GDBM_NOLOCK |
	    GDBM_NOMMAP | GDBM_BSEXACT;
	size_t cached = CACHED_BUCKETS;

	gb_pages_select(writer->engine, true);
	if (setjmp(fatal_jump) != 0)
		return gb_engine_fail(writer->engine, "libgdbm gave up");
	writer->handle = gdbm_fd_open(GB_PAGES_FD, "store.gdbm", GB_PAGE, flags, fatal);
	if (writer->handle == NULL)
		return gb_engine_fail(writer->engine, "store.gdbm: %s", gdbm_strerror(gdbm_errno));
	gdbm_setopt(writer->handle, GDBM_SETCACHESIZE, &cached, sizeof cached);
	return GB_OK;
}

struct gb_writer *
gb_writer_new(struct gb_engine *engine)
{
	struct gb_writer *writer = calloc(1, sizeof *writer);

	if (writer != NULL)
		writer->engine = engine;
	return writer;
}

void
gb_writer_free(struct gb_writer *writer)
{
	if (writer != NULL)
		handle_drop(writer);
	free(writer);
}

/* Lays the frames that are not applied yet over the file and opens libgdbm on the result. */
static enum gb_err
view_renew(struct gb_writer *writer, uint64_t end)
{
	struct gb_engine *engine = writer->engine;
	uint64_t applied = atomic_load(&engine->control->applied), size;
	enum gb_err err;

	handle_drop(writer);
	if ((err = gb_engine_cover(engine, atomic_load(&engine->control->db_size))) != GB_OK)
		return err;
	gb_pages_reset(engine);
	size = gb_pages_size(engine);
	if (applied < end && ((err = gb_log_walk(engine, applied, end, gb_pages_patch, &size)) != GB_OK ||
	    (err = gb_pages_verify(engine, size)) != GB_OK))
		return err;
	if ((err = handle_open(writer)) != GB_OK)
		return err;
	writer->lsn = end;
	writer->generation = atomic_load(&engine->control->generation);
	return GB_OK;
}

static enum gb_err
view_refresh(struct gb_writer *writer)
{
	struct gb_engine *engine = writer->engine;
	uint64_t end = atomic_load(&engine->control->end);

	if (writer->handle == NULL || writer->lsn != end ||
	    writer->generation != atomic_load(&engine->control->generation))
		return view_renew(writer, end);
	gb_pages_select(engine, true);
	if (atomic_load(&engine->control->applied) < end)
		return GB_OK;
	gb_pages_settle(engine);
	return gb_engine_cover(engine, atomic_load(&engine->control->db_size));
}

/* A control page that was deleted or rewritten locks out nobody. */
static bool
control_stands(const struct gb_engine *engine)
{
	struct stat status;

	return fstat(engine->control_fd, &status) == 0 && status.st_nlink > 0 &&
	    memcmp(engine->control->inodes, engine->inodes, sizeof engine->inodes) == 0;
}

enum gb_err
gb_writer_begin(struct gb_writer *writer)
{
	struct gb_engine *engine = writer->engine;
	enum gb_err err;

	/* a forked child shares its parent's locks */
	if (getpid() != engine->owner)
		return gb_engine_fail(engine, "the store was opened by another process");
	if ((err = gb_lock_take(engine, GB_LOCK_WRITER)) != GB_OK)
		return err;
	if (!control_stands(engine))
		err = gb_engine_fail(engine, "the store was replaced");
	else if ((err = gb_recover_locked(engine)) == GB_OK)
		err = view_refresh(writer);
	writer->changed = false;
	if (err != GB_OK)
		gb_writer_abort(writer);
	return err;
}

/* The handle keeps no trace of an abort without changes. */
void
gb_writer_abort(struct gb_writer *writer)
{
	if (writer->changed || writer->handle == NULL || gdbm_needs_recovery(writer->handle)) {
		handle_drop(writer);
		gb_pages_settle(writer->engine);
	}
	gb_lock_release(writer->engine, GB_LOCK_WRITER);
}

static enum gb_err
gdbm_fail(struct gb_writer *writer)
{
	gdbm_error error = gdbm_last_errno(writer->handle);

	return error == GDBM_MALLOC_ERROR || errno == ENOMEM ? GB_ERR_MEMORY :
	    gb_engine_fail(writer->engine, "store.gdbm: %s", gdbm_strerror(error));
}

static datum
datum_of(const void *bytes, int len)
{
	return (datum){ .dptr = (char *)(uintptr_t)bytes, .dsize = len };
}

enum gb_err
gb_writer_fetch(struct gb_writer *writer, const unsigned char key[static GB_SLOT_KEY],
    unsigned char slot[static GB_SLOT_LEN], bool *found)
{
	datum value;

	*found = false;
	if (setjmp(fatal_jump) != 0)
		return gb_engine_fail(writer->engine, "libgdbm gave up");
	value = gdbm_fetch(writer->handle, datum_of(key, GB_SLOT_KEY));
	if (value.dptr == NULL)
		return gdbm_last_errno(writer->handle) == GDBM_ITEM_NOT_FOUND ? GB_OK : gdbm_fail(writer);
	if ((*found = value.dsize == GB_SLOT_LEN))
		memcpy(slot, value.dptr, GB_SLOT_LEN);
	free(value.dptr);
	return *found ? GB_OK : gb_engine_fail(writer->engine, "store.gdbm: a slot of a wrong length");
}

enum gb_err
gb_writer_store(struct gb_writer *writer, const unsigned char key[static GB_SLOT_KEY],
    const unsigned char slot[static GB_SLOT_LEN])
{
	writer->changed = true;
	if (setjmp(fatal_jump) != 0)
		return gb_engine_fail(writer->engine, "libgdbm gave up");
	if (gdbm_store(writer->handle, datum_of(key, GB_SLOT_KEY), datum_of(slot, GB_SLOT_LEN), GDBM_REPLACE) != 0)
		return gdbm_fail(writer);
	return GB_OK;
}

enum gb_err
gb_writer_delete(struct gb_writer *writer, const unsigned char key[static GB_SLOT_KEY])
{
	writer->changed = true;
	if (setjmp(fatal_jump) != 0)
		return gb_engine_fail(writer->engine, "libgdbm gave up");
	if (gdbm_delete(writer->handle, datum_of(key, GB_SLOT_KEY)) != 0 &&
	    gdbm_last_errno(writer->handle) != GDBM_ITEM_NOT_FOUND)
		return gdbm_fail(writer);
	return GB_OK;
}

/*
 * GDBM 1.23 writes files it will not open again: such that end with their
 * directory. One more block keeps the file an ordinary one; the handle does
 * not know of it and must be dropped.
 */
static bool
end_is_directory(struct gb_writer *writer, bool *mended)
{
	const unsigned char *bytes = gb_pages_header(writer->engine);
	struct gb_gdbm_header header;

	*mended = false;
	if (bytes == NULL)
		return true;
	memcpy(&header, bytes, sizeof header);
	if ((uint64_t)(header.directory + header.directory_len) < gb_pages_size(writer->engine))
		return true;
	header.next_block = (int64_t)gb_pages_size(writer->engine) + GB_PAGE;
	*mended = true;
	return gb_pages_lseek(GB_PAGES_FD, 0, SEEK_SET) == 0 &&
	    gb_pages_write(GB_PAGES_FD, &header, sizeof header) == sizeof header &&
	    gb_pages_lseek(GB_PAGES_FD, header.next_block - 1, SEEK_SET) >= 0 &&
	    gb_pages_write(GB_PAGES_FD, "", 1) == 1;
}

static enum gb_err
append(struct gb_writer *writer)
{
	struct gb_engine *engine = writer->engine;
	uint32_t pages;
	bool mended;
	enum gb_err err;

	if (!end_is_directory(writer, &mended))
		return GB_ERR_MEMORY;
	if (gb_pages_size(engine) % GB_PAGE != 0)
		return gb_engine_fail(engine, "store.gdbm: libgdbm left a part of a block");
	if ((err = gb_pages_diff(engine, &pages)) != GB_OK || (pages > 0 &&
	    ((err = gb_log_make_room(engine)) != GB_OK ||
	    (err = gb_log_append(engine, pages, gb_pages_size(engine))) != GB_OK)))
		return err;
	writer->lsn = atomic_load(&engine->control->end);
	if (mended)
		handle_drop(writer);
	return GB_OK;
}

/* Waits also when nothing was written: what was decided may rest on a commit that is not durable yet. */
enum gb_err
gb_writer_commit(struct gb_writer *writer)
{
	struct gb_engine *engine = writer->engine;
	uint64_t lsn, generation = atomic_load(&engine->control->generation);
	enum gb_err err = GB_OK;

	if (writer->changed && (err = append(writer)) != GB_OK) {
		gb_writer_abort(writer);
		return err;
	}
	lsn = atomic_load(&engine->control->end);
	gb_lock_release(engine, GB_LOCK_WRITER);
	return gb_log_await(engine, lsn, generation);
}
