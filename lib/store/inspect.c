/* SPDX-License-Identifier: MIT */
/* inspect.c: what the operator asks of a store, and the step by which another takes its place. */
#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/stat.h>
#include <unistd.h>

#include "store.h"
#include "store/backup.h"
#include "store/engine.h"
#include "store/files.h"

static enum gb_err
sums_check(struct gb_engine *engine, uint64_t size, gb_progress_fn *progress)
{
	for (uint64_t page = 0; page < size / GB_PAGE; page++) {
		if (!gb_sums_match(engine, page))
			return gb_engine_fail(engine, "store.gdbm: page %llu is damaged", (unsigned long long)page);
		if (progress != NULL && (page + 1) % 1024 == 0)
			progress(page + 1, size / GB_PAGE);
	}
	return GB_OK;
}

static enum gb_err
pages_check(struct gb_engine *engine, gb_progress_fn *progress, struct gb_backup *found)
{
	uint64_t size;
	enum gb_err err;

	errno = 0;
	if ((err = gb_engine_lock(engine)) != GB_OK)
		return err;
	size = atomic_load(&engine->control->db_size);
	found->pages = size / GB_PAGE;
	if ((err = gb_engine_cover(engine, size)) == GB_OK && (err = sums_check(engine, size, progress)) == GB_OK)
		err = gb_check_structure(engine->db.bytes, size, &found->check, engine->reason, sizeof engine->reason);
	gb_engine_unlock(engine);
	return err;
}

/* Every record by its name, as a request would find it. */
static enum gb_err
records_check(const char *dir, int64_t now, struct gb_backup *found, char *why, size_t why_max)
{
	char url[4096 + 8];
	struct gb_record records[64];
	struct gb_arena *arena = gb_arena_new();
	struct gb_store *store = NULL;
	uint64_t cursor = 0;
	size_t len;
	enum gb_err err = arena == NULL ? GB_ERR_MEMORY : GB_OK;

	snprintf(url, sizeof url, "gdbm:%s", dir);
	if (err == GB_OK && (err = gb_store_open(url, now, why, why_max, &store)) == GB_OK)
		do {
			err = gb_store_scan(store, "", now, &cursor, arena, records, 64, &len);
			for (size_t i = 0; i < len && err == GB_OK; i++) {
				struct gb_record again;

				err = gb_store_get(store, records[i].key, now, arena, &again);
			}
			found->records += len;
			gb_arena_reset(arena);
			if (err != GB_OK)
				snprintf(why, why_max, "a record is damaged");
		} while (err == GB_OK && cursor != 0);
	gb_store_close(store);
	if (arena != NULL)
		gb_arena_free(arena);
	return err;
}

enum gb_err
gb_store_check(const char *dir, int64_t now, gb_progress_fn *progress, struct gb_backup *found,
    char *why, size_t why_max)
{
	struct gb_engine *engine;
	enum gb_err err;

	*found = (struct gb_backup){ .created_at = now };
	if ((err = gb_engine_open_existing(dir, why, why_max, &engine)) != GB_OK)
		return err;
	if ((err = pages_check(engine, progress, found)) != GB_OK)
		snprintf(why, why_max, "%s", err == GB_ERR_MEMORY ? "no memory" : engine->reason);
	gb_engine_close(engine);
	return err == GB_OK ? records_check(dir, now, found, why, why_max) : err;
}

enum gb_err
gb_store_stats(const char *dir, struct gb_store_stats *stats, char *why, size_t why_max)
{
	const struct gb_control *control;
	struct gb_engine *engine;
	enum gb_err err;

	if ((err = gb_engine_open_existing(dir, why, why_max, &engine)) != GB_OK)
		return err;
	control = engine->control;
	*stats = (struct gb_store_stats){
		.db_bytes = atomic_load(&control->db_size),
		.log_bytes = atomic_load(&control->log_size),
		.log_used_bytes = atomic_load(&control->end) - atomic_load(&control->base),
		.commits = atomic_load(&control->commits),
		.flushes = atomic_load(&control->flushes),
		.checkpoints = atomic_load(&control->checkpoints),
		.repairs = atomic_load(&control->repairs),
		.recoveries = atomic_load(&control->generation),
	};
	gb_engine_close(engine);
	return GB_OK;
}

/* One step: at no moment is there no store, or half of one. */
static bool
exchange(const char *from, const char *dir, const char *aside)
{
	if (renameat2(AT_FDCWD, from, AT_FDCWD, dir, RENAME_EXCHANGE) == 0)
		return rename(from, aside) == 0;
	if (errno == ENOENT)
		return rename(from, dir) == 0;
	/* a file system that cannot exchange: for a moment there is none */
	return rename(dir, aside) == 0 && rename(from, dir) == 0;
}

static bool
parent_sync(const char *dir)
{
	char parent[4096];
	char *slash;
	bool ok;
	int fd;

	snprintf(parent, sizeof parent, "%s", dir);
	if ((slash = strrchr(parent, '/')) == NULL)
		return false;
	*(slash == parent ? slash + 1 : slash) = '\0';
	if ((fd = open(parent, O_RDONLY | O_DIRECTORY | O_CLOEXEC)) < 0)
		return false;
	ok = fsync(fd) == 0;
	close(fd);
	return ok;
}

/* A store that cannot be opened any more, but that others may still have open. */
static void
mark_damaged_replaced(const char *dir)
{
	char why[200];
	int dir_fd = gb_files_directory(dir, why, sizeof why);
	int fd = dir_fd >= 0 ? gb_files_open(dir_fd, "store.control", false, why, sizeof why) : -1;
	struct stat status;
	struct gb_control *control;

	if (fd >= 0 && fstat(fd, &status) == 0 && status.st_size >= (off_t)GB_PAGE &&
	    (control = mmap(NULL, GB_PAGE, PROT_READ | PROT_WRITE, MAP_SHARED, fd, 0)) != MAP_FAILED) {
		atomic_store(&control->state, GB_ENGINE_REPLACED);
		munmap(control, GB_PAGE);
	}
	if (fd >= 0)
		close(fd);
	if (dir_fd >= 0)
		close(dir_fd);
}

enum gb_err
gb_backup_install(const char *from, const char *dir, const char *aside, char *why, size_t why_max)
{
	struct gb_engine *engine = NULL;
	struct stat status;
	bool there = lstat(dir, &status) == 0, locked = false, ok;

	if (lstat(aside, &status) == 0) {
		snprintf(why, why_max, "%s: already there", aside);
		return GB_ERR_STORE_UNAVAILABLE;
	}
	if (there && gb_engine_open(dir, why, why_max, &engine) == GB_OK) {
		if ((locked = gb_engine_lock(engine) == GB_OK))
			atomic_store(&engine->control->state, GB_ENGINE_REPLACED);
	}
	if (there && !locked)
		mark_damaged_replaced(dir);
	if (!(ok = exchange(from, dir, aside) && parent_sync(dir)))
		snprintf(why, why_max, "%s: cannot take its place: %s", dir, strerror(errno));
	if (locked) {
		if (!ok)
			atomic_store(&engine->control->state, GB_ENGINE_READY);
		gb_engine_unlock(engine);
	}
	if (engine != NULL)
		gb_engine_close(engine);
	return ok ? GB_OK : GB_ERR_STORE_UNAVAILABLE;
}
