/* SPDX-License-Identifier: MIT */
/* backup.c: a copy of a store in one file, and a store from such a file. */
#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/stat.h>
#include <unistd.h>

#include <sodium.h>

#include "store.h"
#include "store/backup.h"
#include "store/crc32c.h"
#include "store/engine.h"
#include "store/files.h"

#define MAGIC		UINT64_C(0x70756b6362620a01)
#define ROUNDS		6		/* over the pages that changed meanwhile, before writers must wait */
#define FEW_PAGES	64u

/* One page; the pages of store.gdbm follow it. */
struct header {
	uint64_t magic;
	uint32_t format, reserved;
	int64_t created_at;
	uint64_t pages;
	unsigned char hash[crypto_generichash_BYTES];	/* of this header with zeros here, then the pages */
};

struct copy {
	struct gb_engine *engine;
	int fd;
	uint32_t *sums;			/* of what was copied */
	unsigned char *copied;
	uint64_t max;
	gb_progress_fn *progress;
};

static enum gb_err
fail(char *why, size_t why_max, const char *file, const char *what)
{
	snprintf(why, why_max, "%s: %s", file, what);
	return GB_ERR_STORE_UNAVAILABLE;
}

static void
tell(gb_progress_fn *progress, uint64_t done, uint64_t all)
{
	if (progress != NULL && (done % 1024 == 0 || done == all))
		progress(done, all);
}

static bool
copy_reserve(struct copy *copy, uint64_t pages)
{
	uint32_t *sums;
	unsigned char *copied;

	if (pages <= copy->max)
		return true;
	if ((sums = realloc(copy->sums, pages * sizeof *sums)) != NULL)
		copy->sums = sums;
	if ((copied = realloc(copy->copied, pages)) != NULL)
		copy->copied = copied;
	if (sums == NULL || copied == NULL)
		return false;
	memset(copied + copy->max, 0, pages - copy->max);
	copy->max = pages;
	return true;
}

/* One page, if it is whole at this moment; else a later round takes it. */
static bool
page_copy(struct copy *copy, uint64_t page)
{
	unsigned char bytes[GB_PAGE];
	uint32_t sum = gb_sums_of(copy->engine, page);

	if (copy->copied[page] && copy->sums[page] == sum)
		return true;
	memcpy(bytes, copy->engine->db.bytes + page * GB_PAGE, GB_PAGE);
	copy->copied[page] = gb_crc32c(0, bytes, GB_PAGE) == sum;
	copy->sums[page] = sum;
	return !copy->copied[page] || gb_write_at(copy->fd, bytes, GB_PAGE, (page + 1) * GB_PAGE);
}

/* All pages that are not copied as they are now; *changed: how many those were. */
static enum gb_err
copy_round(struct copy *copy, uint64_t *pages, uint64_t *changed)
{
	uint64_t size = atomic_load(&copy->engine->control->db_size);
	enum gb_err err;

	if ((err = gb_engine_cover(copy->engine, size)) != GB_OK)
		return err;
	*pages = size / GB_PAGE;
	*changed = 0;
	if (!copy_reserve(copy, *pages))
		return GB_ERR_MEMORY;
	for (uint64_t page = 0; page < *pages; page++) {
		*changed += !copy->copied[page] || copy->sums[page] != gb_sums_of(copy->engine, page);
		if (!page_copy(copy, page))
			return gb_engine_fail(copy->engine, "cannot write the backup");
		tell(copy->progress, page + 1, *pages);
	}
	return GB_OK;
}

/* With all writers waiting: what is still different, and now nothing may be. */
static enum gb_err
copy_last(struct copy *copy, uint64_t *pages)
{
	uint64_t changed;
	enum gb_err err;

	copy->progress = NULL;
	if ((err = gb_engine_lock(copy->engine)) != GB_OK)
		return err;
	err = copy_round(copy, pages, &changed);
	for (uint64_t page = 0; page < *pages && err == GB_OK; page++)
		if (!copy->copied[page])
			err = gb_engine_fail(copy->engine, "store.gdbm: page %llu is damaged", (unsigned long long)page);
	gb_engine_unlock(copy->engine);
	return err;
}

static enum gb_err
copy_all(struct copy *copy, uint64_t *pages)
{
	uint64_t changed = UINT64_MAX;
	enum gb_err err = GB_OK;

	for (int round = 0; round < ROUNDS && changed > FEW_PAGES && err == GB_OK; round++)
		err = copy_round(copy, pages, &changed);
	return err == GB_OK ? copy_last(copy, pages) : err;
}

static void
header_hash(const struct header *header, const unsigned char *pages, gb_progress_fn *progress,
    unsigned char hash[static crypto_generichash_BYTES])
{
	struct header clean = *header;
	crypto_generichash_state state;

	memset(clean.hash, 0, sizeof clean.hash);
	crypto_generichash_init(&state, NULL, 0, crypto_generichash_BYTES);
	crypto_generichash_update(&state, (const unsigned char *)&clean, sizeof clean);
	for (uint64_t page = 0; page < header->pages; page++) {
		crypto_generichash_update(&state, pages + page * GB_PAGE, GB_PAGE);
		tell(progress, page + 1, header->pages);
	}
	crypto_generichash_final(&state, hash, crypto_generichash_BYTES);
}

/* The file mapped, its header looked at; NULL: `why`. */
static const unsigned char *
file_map(int fd, const char *file, size_t *len, char *why, size_t why_max)
{
	struct stat status;
	void *bytes;

	if (fstat(fd, &status) != 0 || !S_ISREG(status.st_mode) || status.st_size < (off_t)(2 * GB_PAGE)) {
		fail(why, why_max, file, "not a backup");
		return NULL;
	}
	*len = (size_t)status.st_size;
	if ((bytes = mmap(NULL, *len, PROT_READ, MAP_PRIVATE, fd, 0)) == MAP_FAILED) {
		fail(why, why_max, file, strerror(errno));
		return NULL;
	}
	return bytes;
}

static enum gb_err
finish(int fd, const char *file, int64_t now, uint64_t pages, struct gb_backup *backup, char *why, size_t why_max)
{
	struct header header = { .magic = MAGIC, .format = GB_STORE_FORMAT, .created_at = now, .pages = pages };
	unsigned char block[GB_PAGE] = { 0 };
	const unsigned char *bytes;
	size_t len;
	enum gb_err err;

	if ((bytes = file_map(fd, file, &len, why, why_max)) == NULL)
		return GB_ERR_STORE_UNAVAILABLE;
	header_hash(&header, bytes + GB_PAGE, NULL, header.hash);
	err = gb_check_structure(bytes + GB_PAGE, len - GB_PAGE, &backup->check, why, why_max);
	munmap((void *)(uintptr_t)bytes, len);
	if (err != GB_OK)
		return err;
	memcpy(block, &header, sizeof header);
	if (!gb_write_at(fd, block, sizeof block, 0) || fsync(fd) != 0)
		return fail(why, why_max, file, strerror(errno));
	backup->created_at = now;
	backup->pages = pages;
	return GB_OK;
}

static enum gb_err
write_into(struct gb_engine *engine, int fd, const char *file, int64_t now, gb_progress_fn *progress,
    struct gb_backup *backup, char *why, size_t why_max)
{
	struct copy copy = { .engine = engine, .fd = fd, .progress = progress };
	uint64_t pages = 0;
	enum gb_err err = copy_all(&copy, &pages);

	free(copy.sums);
	free(copy.copied);
	if (err != GB_OK) {
		snprintf(why, why_max, "%s", err == GB_ERR_MEMORY ? "no memory" : engine->reason);
		return err;
	}
	/* a store that was longer at first left pages behind the last */
	if (ftruncate(fd, (off_t)((pages + 1) * GB_PAGE)) != 0)
		return fail(why, why_max, file, strerror(errno));
	return finish(fd, file, now, pages, backup, why, why_max);
}

enum gb_err
gb_backup_write(const char *dir, const char *file, int64_t now, gb_progress_fn *progress,
    struct gb_backup *backup, char *why, size_t why_max)
{
	struct gb_engine *engine;
	enum gb_err err;
	int fd;

	if ((err = gb_engine_open_existing(dir, why, why_max, &engine)) != GB_OK)
		return err;
	if ((fd = open(file, O_RDWR | O_CREAT | O_EXCL | O_CLOEXEC | O_NOFOLLOW, 0600)) < 0) {
		err = fail(why, why_max, file, strerror(errno));
		gb_engine_close(engine);
		return errno == EEXIST ? GB_ERR_CONFLICT : err;
	}
	if ((err = write_into(engine, fd, file, now, progress, backup, why, why_max)) != GB_OK)
		unlink(file);
	close(fd);
	gb_engine_close(engine);
	return err;
}

static enum gb_err
verify(const unsigned char *bytes, size_t len, const char *file, gb_progress_fn *progress,
    struct gb_backup *backup, char *why, size_t why_max)
{
	unsigned char hash[crypto_generichash_BYTES];
	struct header header;

	memcpy(&header, bytes, sizeof header);
	if (header.magic != MAGIC)
		return fail(why, why_max, file, "not a backup");
	if (header.format > GB_STORE_FORMAT)
		return fail(why, why_max, file, "made by a newer guardbee");
	if (len % GB_PAGE != 0 || header.pages != len / GB_PAGE - 1)
		return fail(why, why_max, file, "cut off");
	header_hash(&header, bytes + GB_PAGE, progress, hash);
	if (sodium_memcmp(hash, header.hash, sizeof hash) != 0)
		return fail(why, why_max, file, "damaged: its checksum is wrong");
	*backup = (struct gb_backup){ .created_at = header.created_at, .pages = header.pages };
	return gb_check_structure(bytes + GB_PAGE, len - GB_PAGE, &backup->check, why, why_max);
}

static enum gb_err
with_file(const char *file, const char *dir, gb_progress_fn *progress, struct gb_backup *backup,
    enum gb_err (*then)(const unsigned char *pages, uint64_t count, const char *dir, char *why, size_t why_max),
    char *why, size_t why_max)
{
	int fd = open(file, O_RDONLY | O_CLOEXEC | O_NONBLOCK);
	const unsigned char *bytes;
	size_t len;
	enum gb_err err;

	if (fd < 0)
		return fail(why, why_max, file, strerror(errno));
	bytes = file_map(fd, file, &len, why, why_max);
	close(fd);
	if (bytes == NULL)
		return GB_ERR_STORE_UNAVAILABLE;
	err = verify(bytes, len, file, progress, backup, why, why_max);
	if (err == GB_OK && then != NULL)
		err = then(bytes + GB_PAGE, backup->pages, dir, why, why_max);
	munmap((void *)(uintptr_t)bytes, len);
	return err;
}

enum gb_err
gb_backup_verify(const char *file, gb_progress_fn *progress, struct gb_backup *backup, char *why, size_t why_max)
{
	return with_file(file, NULL, progress, backup, NULL, why, why_max);
}

static bool
sums_fill(int fd, const unsigned char *pages, uint64_t count)
{
	uint32_t sums[1024];

	for (uint64_t page = 0; page < count; page += 1024) {
		uint64_t some = count - page < 1024 ? count - page : 1024;

		for (uint64_t i = 0; i < some; i++)
			sums[i] = gb_crc32c(0, pages + (page + i) * GB_PAGE, GB_PAGE);
		if (!gb_write_at(fd, sums, some * sizeof *sums, GB_SUMS_HEADER + page * sizeof *sums))
			return false;
	}
	return fsync(fd) == 0;
}

static enum gb_err
files_fill(const unsigned char *pages, uint64_t count, const int fds[static 3])
{
	unsigned char id[GB_STORE_ID_LEN];

	randombytes_buf(id, sizeof id);
	if (!gb_write_at(fds[0], pages, count * GB_PAGE, 0) || fsync(fds[0]) != 0 ||
	    gb_sums_create(fds[1], id) != GB_OK || !sums_fill(fds[1], pages, count) ||
	    gb_log_create(fds[2], id, count * GB_PAGE) != GB_OK)
		return GB_ERR_STORE_UNAVAILABLE;
	return GB_OK;
}

static enum gb_err
unpack(const unsigned char *pages, uint64_t count, const char *dir, char *why, size_t why_max)
{
	static const char *const names[3] = { "store.gdbm", "store.sums", "store.log" };
	int dir_fd, fds[3] = { -1, -1, -1 };
	enum gb_err err = GB_OK;

	if (mkdir(dir, 0700) != 0)
		return fail(why, why_max, dir, strerror(errno));
	if ((dir_fd = gb_files_directory(dir, why, why_max)) < 0)
		return GB_ERR_STORE_UNAVAILABLE;
	for (int i = 0; i < 3 && err == GB_OK; i++)
		if ((fds[i] = gb_files_open(dir_fd, names[i], true, why, why_max)) < 0)
			err = GB_ERR_STORE_UNAVAILABLE;
	if (err == GB_OK && (files_fill(pages, count, fds) != GB_OK || fsync(dir_fd) != 0))
		err = fail(why, why_max, dir, strerror(errno));
	for (int i = 0; i < 3; i++)
		if (fds[i] >= 0)
			close(fds[i]);
	close(dir_fd);
	return err;
}

enum gb_err
gb_backup_unpack(const char *file, const char *dir, gb_progress_fn *progress, struct gb_backup *backup,
    char *why, size_t why_max)
{
	return with_file(file, dir, progress, backup, unpack, why, why_max);
}
