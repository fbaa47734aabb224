/* SPDX-License-Identifier: MIT */
/* engine.c: opens the files, makes them when missing, and decides what to believe of the control page. */
#include <errno.h>
#include <fcntl.h>
#include <limits.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/stat.h>
#include <unistd.h>

#include <sodium.h>

#include "store/engine.h"
#include "store/files.h"
#include "store/pages.h"

#define CONTROL_MAGIC UINT64_C(0x6c74636265620a01)	/* changes with struct gb_control */

_Static_assert(sizeof(struct gb_control) <= GB_PAGE, "the control page is one page");

enum gb_err
gb_engine_cover(struct gb_engine *engine, uint64_t db_size)
{
	size_t was = engine->db.len;

	if (!gb_map_cover(&engine->db, engine->db_fd, db_size) || !gb_map_cover(&engine->sums,
	    engine->sums_fd, GB_SUMS_HEADER + engine->db.len / GB_PAGE * sizeof(uint32_t)))
		return GB_ERR_MEMORY;
	if (engine->db.len == was)
		return GB_OK;
	/* a record is read, its neighbours are not; only the log is read from end to end */
	madvise(engine->db.bytes, engine->db.len, MADV_RANDOM);
	madvise(engine->sums.bytes, engine->sums.len, MADV_RANDOM);
	/* without this memory every read checks its pages' sums again: slower, as right */
	free(engine->trusted);
	engine->trusted = calloc(engine->db.len / GB_PAGE, sizeof *engine->trusted);
	engine->trusted_len = engine->trusted != NULL ? engine->db.len / GB_PAGE : 0;
	return GB_OK;
}

static void
boot_id(char id[static sizeof ((struct gb_control *)0)->boot])
{
	int fd = open("/proc/sys/kernel/random/boot_id", O_RDONLY | O_CLOEXEC);

	memset(id, 0, sizeof ((struct gb_control *)0)->boot);
	if (fd < 0)
		return;
	if (read(fd, id, 36) != 36)
		id[0] = '\0';
	close(fd);
}

static bool
inodes_read(const struct gb_engine *engine, uint64_t inodes[static 3])
{
	const int fds[3] = { engine->db_fd, engine->log_fd, engine->sums_fd };
	struct stat status;

	for (int i = 0; i < 3; i++) {
		if (fstat(fds[i], &status) != 0)
			return false;
		inodes[i] = (uint64_t)status.st_ino;
	}
	return true;
}

static bool
lengths_ok(const struct gb_engine *engine)
{
	const struct gb_control *control = engine->control;
	uint64_t db_size = atomic_load(&control->db_size);
	struct stat db, log, sums;

	return fstat(engine->db_fd, &db) == 0 && fstat(engine->log_fd, &log) == 0 &&
	    fstat(engine->sums_fd, &sums) == 0 && (uint64_t)db.st_size >= db_size &&
	    (uint64_t)log.st_size >= atomic_load(&control->log_size) &&
	    (uint64_t)sums.st_size >= GB_SUMS_HEADER + db_size / GB_PAGE * 4;
}

/*
 * The control page is of this boot and of these files. Without a boot id (no
 * /proc) only those who have the store open now prove that the machine has
 * not gone down since it was written.
 */
static bool
control_is_ours(const struct gb_engine *engine, const char *boot, bool alone)
{
	const struct gb_control *control = engine->control;

	return control->magic == CONTROL_MAGIC && memcmp(control->boot, boot, sizeof control->boot) == 0 &&
	    (boot[0] != '\0' || !alone) && memcmp(control->inodes, engine->inodes, sizeof control->inodes) == 0;
}

static bool
control_is_sound(struct gb_engine *engine)
{
	return gb_engine_ready(engine) && atomic_load(&engine->control->poison) == 0 && lengths_ok(engine) &&
	    gb_log_bears_out(engine);
}

static void
control_adopt(struct gb_engine *engine, const char *boot)
{
	struct gb_control *control = engine->control;

	memcpy(control->boot, boot, sizeof control->boot);
	memcpy(control->inodes, engine->inodes, sizeof control->inodes);
	atomic_store(&control->poison, 0);
	atomic_store(&control->lock_wanted[0], 0);
	atomic_store(&control->lock_wanted[1], 0);
	control->magic = CONTROL_MAGIC;
}

/* Both locks held: of what is ours but not sound, only a death or a failure is believed, nothing odd. */
static enum gb_err
control_rebuild(struct gb_engine *engine, const char *boot, bool alone)
{
	struct gb_control *control = engine->control;
	bool trusted = control_is_ours(engine, boot, alone);
	enum gb_err err;

	if (trusted && gb_engine_ready(engine) && atomic_load(&control->poison) == 0) {
		if (lengths_ok(engine) && gb_log_settle(engine) == GB_OK && control_is_sound(engine))
			return GB_OK;
		trusted = atomic_load(&control->poison) != 0;
	}
	if (!trusted)
		control->magic = 0;
	if ((err = gb_recover(engine, trusted)) == GB_OK && !trusted)
		control_adopt(engine, boot);
	return err;
}

static enum gb_err
control_join(struct gb_engine *engine)
{
	bool alone = gb_lock_alone(engine);
	char boot[sizeof engine->control->boot];
	enum gb_err err;

	boot_id(boot);
	if (control_is_ours(engine, boot, alone) && control_is_sound(engine))
		return GB_OK;
	if ((err = gb_lock_take(engine, GB_LOCK_WRITER)) != GB_OK)
		return err;
	if ((err = gb_lock_take(engine, GB_LOCK_FLUSH)) == GB_OK) {
		err = control_rebuild(engine, boot, alone);
		gb_lock_release(engine, GB_LOCK_FLUSH);
	}
	gb_lock_release(engine, GB_LOCK_WRITER);
	return err;
}

/* Blocks are taken from the disk at once: a store into a hole of a full disk would kill us. */
static enum gb_err
control_map(struct gb_engine *engine)
{
	void *page;

	if ((errno = posix_fallocate(engine->control_fd, 0, GB_PAGE)) != 0)
		return gb_engine_fail(engine, "store.control: cannot allocate");
	page = mmap(NULL, GB_PAGE, PROT_READ | PROT_WRITE, MAP_SHARED, engine->control_fd, 0);
	if (page == MAP_FAILED)
		return gb_engine_fail(engine, "store.control: cannot map");
	engine->control = page;
	return GB_OK;
}

static int
file_open(struct gb_engine *engine, const char *name, bool create)
{
	return gb_files_open(engine->dir_fd, name, create, engine->reason, sizeof engine->reason);
}

/* store.log gets its name last: without it there is no store, and what else lies there is unfinished. */
static enum gb_err
files_create(struct gb_engine *engine)
{
	unsigned char id[GB_STORE_ID_LEN];
	struct stat status;

	randombytes_buf(id, sizeof id);
	if ((engine->db_fd = file_open(engine, "store.gdbm", true)) < 0 ||
	    (engine->sums_fd = file_open(engine, "store.sums", true)) < 0 ||
	    (engine->log_fd = file_open(engine, "store.log.new", true)) < 0)
		return GB_ERR_STORE_UNAVAILABLE;
	errno = 0;
	if (fstat(engine->db_fd, &status) != 0 || status.st_size != 0)
		return gb_engine_fail(engine, "store.log: missing, though store.gdbm is there");
	if (gb_sums_create(engine->sums_fd, id) != GB_OK || gb_log_create(engine->log_fd, id, 0) != GB_OK ||
	    fsync(engine->db_fd) != 0 ||
	    renameat(engine->dir_fd, "store.log.new", engine->dir_fd, "store.log") != 0 ||
	    fsync(engine->dir_fd) != 0)
		return gb_engine_fail(engine, "store: cannot make its files");
	return GB_OK;
}

static enum gb_err
files_create_once(struct gb_engine *engine)
{
	enum gb_err err;

	if ((err = gb_lock_take(engine, GB_LOCK_WRITER)) != GB_OK)
		return err;
	if ((engine->log_fd = file_open(engine, "store.log", false)) < 0)
		err = errno == ENOENT ? files_create(engine) : GB_ERR_STORE_UNAVAILABLE;
	gb_lock_release(engine, GB_LOCK_WRITER);
	return err;
}

static enum gb_err
files_open(struct gb_engine *engine)
{
	enum gb_err err;

	if ((engine->log_fd = file_open(engine, "store.log", false)) < 0) {
		if (errno != ENOENT)
			return GB_ERR_STORE_UNAVAILABLE;
		if ((err = files_create_once(engine)) != GB_OK)
			return err;
	}
	if (engine->db_fd < 0 && (engine->db_fd = file_open(engine, "store.gdbm", false)) < 0)
		return GB_ERR_STORE_UNAVAILABLE;
	if (engine->sums_fd < 0 && (engine->sums_fd = file_open(engine, "store.sums", false)) < 0)
		return GB_ERR_STORE_UNAVAILABLE;
	errno = 0;
	if (!inodes_read(engine, engine->inodes))
		return gb_engine_fail(engine, "store: cannot look at its files");
	return GB_OK;
}

static enum gb_err
open_all(struct gb_engine *engine, const char *dir)
{
	enum gb_err err;

	engine->dir_fd = gb_files_directory(dir, engine->reason, sizeof engine->reason);
	if (engine->dir_fd < 0 || (engine->control_fd = file_open(engine, "store.control", true)) < 0)
		return GB_ERR_STORE_UNAVAILABLE;
	errno = 0;
	if ((err = control_map(engine)) != GB_OK || (err = files_open(engine)) != GB_OK ||
	    (err = control_join(engine)) != GB_OK)
		return err;
	return gb_engine_cover(engine, atomic_load(&engine->control->db_size));
}

enum gb_err
gb_engine_open(const char *dir, char *why, size_t why_max, struct gb_engine **engine)
{
	struct gb_engine *new = calloc(1, sizeof *new);
	enum gb_err err;

	if (new == NULL || (new->overlay = gb_pages_new()) == NULL) {
		snprintf(why, why_max, "no memory");
		free(new);
		return GB_ERR_MEMORY;
	}
	new->owner = getpid();
	new->dir_fd = new->control_fd = new->db_fd = new->log_fd = new->sums_fd = -1;
	if ((err = open_all(new, dir)) != GB_OK) {
		snprintf(why, why_max, "%s: %s", dir, err == GB_ERR_MEMORY ? "no memory" : new->reason);
		gb_engine_close(new);
		return err;
	}
	*engine = new;
	return GB_OK;
}

enum gb_err
gb_engine_lock(struct gb_engine *engine)
{
	enum gb_err err;

	if ((err = gb_lock_take(engine, GB_LOCK_WRITER)) != GB_OK)
		return err;
	if ((err = gb_recover_locked(engine)) == GB_OK && (err = gb_lock_take(engine, GB_LOCK_FLUSH)) == GB_OK) {
		if ((err = gb_log_settle(engine)) == GB_OK)
			return GB_OK;
		gb_lock_release(engine, GB_LOCK_FLUSH);
	}
	gb_lock_release(engine, GB_LOCK_WRITER);
	return err;
}

void
gb_engine_unlock(struct gb_engine *engine)
{
	gb_lock_release(engine, GB_LOCK_FLUSH);
	gb_lock_release(engine, GB_LOCK_WRITER);
}

bool
gb_engine_replaced(const struct gb_engine *engine)
{
	return atomic_load(&engine->control->state) == GB_ENGINE_REPLACED ||
	    memcmp(engine->control->inodes, engine->inodes, sizeof engine->inodes) != 0;
}

enum gb_err
gb_engine_open_existing(const char *dir, char *why, size_t why_max, struct gb_engine **engine)
{
	char path[PATH_MAX];
	struct stat status;
	enum gb_err err;

	snprintf(path, sizeof path, "%s/store.log", dir);
	if (lstat(path, &status) != 0) {
		snprintf(why, why_max, "%s: no store there (%s)", dir, strerror(errno));
		return GB_ERR_STORE_UNAVAILABLE;
	}
	if ((err = gb_engine_open(dir, why, why_max, engine)) != GB_OK)
		return err;
	if (atomic_load(&(*engine)->control->db_size) > 0)
		return GB_OK;
	gb_engine_close(*engine);
	snprintf(why, why_max, "%s: the store there is empty", dir);
	return GB_ERR_STORE_UNAVAILABLE;
}

static void
file_close(int fd)
{
	if (fd >= 0)
		close(fd);
}

void
gb_engine_close(struct gb_engine *engine)
{
	gb_pages_free(engine->overlay);
	gb_map_drop(&engine->db);
	gb_map_drop(&engine->log);
	gb_map_drop(&engine->sums);
	if (engine->control != NULL)
		munmap(engine->control, GB_PAGE);
	file_close(engine->db_fd);
	file_close(engine->log_fd);
	file_close(engine->sums_fd);
	file_close(engine->control_fd);
	file_close(engine->dir_fd);
	free(engine->trusted);
	free(engine->frame);
	free(engine);
}
