/* SPDX-License-Identifier: MIT */
/* ring.c: new keys in, old keys out. */
#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <limits.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/file.h>
#include <sys/stat.h>
#include <time.h>
#include <unistd.h>

#include <sodium.h>

#include "ring.h"

struct gb_ring {
	const char *path;
	int directories[2];		/* by enum gb_key_half; the private one is locked */
	struct gb_key_file files[GB_RING_MAX];
	size_t len;
};

static enum gb_err
fail(const struct gb_ring *ring, enum gb_key_half half, const char *file_name, const char *what, char *why, size_t why_max)
{
	snprintf(why, why_max, "%s/%s%s%s %s", ring->path, gb_key_half_name(half), *file_name != '\0' ? "/" : "", file_name, what);
	return GB_ERR_MISCONFIGURED;
}

static enum gb_err
open_half(struct gb_ring *ring, enum gb_key_half half, char *why, size_t why_max)
{
	char name[PATH_MAX];

	if (snprintf(name, sizeof name, "%s/%s", ring->path, gb_key_half_name(half)) >= (int)sizeof name)
		return fail(ring, half, "", "has too long a name", why, why_max);
	if (mkdir(name, half == GB_KEY_PRIVATE ? 0700 : 0755) < 0 && errno != EEXIST)
		return fail(ring, half, "", strerror(errno), why, why_max);
	if ((ring->directories[half] = open(name, O_RDONLY | O_DIRECTORY | O_NOFOLLOW | O_CLOEXEC)) < 0)
		return fail(ring, half, "", strerror(errno), why, why_max);
	return GB_OK;
}

static int
by_use_from(const void *a, const void *b)
{
	const struct gb_key_file *x = a, *y = b;

	if (x->use_from != y->use_from)
		return x->use_from < y->use_from ? -1 : 1;
	return strcmp(x->id, y->id);
}

static enum gb_err
read_file(struct gb_ring *ring, const char *file_name, char *why, size_t why_max)
{
	struct gb_key_file *file = &ring->files[ring->len];
	const char *fault;

	if (*file_name == '.')
		return GB_OK;
	if (ring->len == GB_RING_MAX)
		return fail(ring, GB_KEY_PRIVATE, file_name, "is one key too many", why, why_max);
	if ((file->numbers = gb_numbers_new()) == NULL)
		return GB_ERR_MEMORY;
	ring->len++;
	fault = gb_key_file_read(ring->directories[GB_KEY_PRIVATE], GB_KEY_PRIVATE, file_name, file);
	return fault != NULL ? fail(ring, GB_KEY_PRIVATE, file_name, fault, why, why_max) : GB_OK;
}

static enum gb_err
read_files(struct gb_ring *ring, char *why, size_t why_max)
{
	int fd = openat(ring->directories[GB_KEY_PRIVATE], ".", O_RDONLY | O_DIRECTORY | O_CLOEXEC);
	DIR *directory = fd >= 0 ? fdopendir(fd) : NULL;
	enum gb_err err = GB_OK;
	struct dirent *entry;

	if (directory == NULL) {
		err = fail(ring, GB_KEY_PRIVATE, "", strerror(errno), why, why_max);
		if (fd >= 0)
			close(fd);
		return err;
	}
	while (err == GB_OK && (entry = readdir(directory)) != NULL)
		err = read_file(ring, entry->d_name, why, why_max);
	closedir(directory);
	qsort(ring->files, ring->len, sizeof ring->files[0], by_use_from);
	return err;
}

static enum gb_err
open_all(struct gb_ring *ring, char *why, size_t why_max)
{
	enum gb_err err;

	if (mkdir(ring->path, 0755) < 0 && errno != EEXIST) {
		snprintf(why, why_max, "%s: %s", ring->path, strerror(errno));
		return GB_ERR_MISCONFIGURED;
	}
	if ((err = open_half(ring, GB_KEY_PRIVATE, why, why_max)) != GB_OK || (err = open_half(ring, GB_KEY_PUBLIC, why, why_max)) != GB_OK)
		return err;
	if (flock(ring->directories[GB_KEY_PRIVATE], LOCK_EX) < 0)
		return fail(ring, GB_KEY_PRIVATE, "", strerror(errno), why, why_max);
	return read_files(ring, why, why_max);
}

enum gb_err
gb_ring_open(const char *path, char *why, size_t why_max, struct gb_ring **ring)
{
	struct gb_ring *opened = calloc(1, sizeof *opened);
	enum gb_err err;

	*ring = NULL;
	if (opened == NULL)
		return GB_ERR_MEMORY;
	opened->path = path;
	opened->directories[0] = opened->directories[1] = -1;
	if ((err = open_all(opened, why, why_max)) != GB_OK) {
		gb_ring_close(opened);
		return err;
	}
	*ring = opened;
	return GB_OK;
}

void
gb_ring_close(struct gb_ring *ring)
{
	if (ring == NULL)
		return;
	for (size_t i = 0; i < ring->len; i++)
		gb_numbers_free(ring->files[i].numbers);
	for (size_t half = 0; half < 2; half++)
		if (ring->directories[half] >= 0)
			close(ring->directories[half]);
	free(ring);
}

size_t
gb_ring_len(const struct gb_ring *ring)
{
	return ring->len;
}

const struct gb_key_file *
gb_ring_at(const struct gb_ring *ring, size_t i)
{
	return i < ring->len ? &ring->files[i] : NULL;
}

static bool
signs(const struct gb_key_file *file, int64_t now)
{
	return file->use_from <= now && (file->use_until == 0 || now < file->use_until);
}

/* The files are sorted as keyring.c chooses: the last one that signs is the one. */
static const struct gb_key_file *
active(const struct gb_ring *ring, int64_t now)
{
	const struct gb_key_file *found = NULL;

	for (size_t i = 0; i < ring->len; i++)
		if (signs(&ring->files[i], now))
			found = &ring->files[i];
	return found;
}

static bool
is_dropped(const struct gb_key_file *file, int64_t now)
{
	return file->drop_at != 0 && file->drop_at <= now;
}

const char *
gb_ring_state(const struct gb_ring *ring, const struct gb_key_file *file, int64_t now)
{
	if (is_dropped(file, now))
		return "dropped";
	if (file == active(ring, now))
		return "active";
	return file->use_from > now ? "next" : "retiring";
}

static bool
is_pair(const struct gb_key_file *file)
{
	return file->numbers->algorithm->kind != GB_KEY_SECRET;
}

static bool
write_file(const struct gb_ring *ring, const struct gb_key_file *file)
{
	return gb_key_file_write(ring->directories[GB_KEY_PRIVATE], GB_KEY_PRIVATE, file) &&
	    (!is_pair(file) || gb_key_file_write(ring->directories[GB_KEY_PUBLIC], GB_KEY_PUBLIC, file));
}

static bool
remove_file(struct gb_ring *ring, size_t i)
{
	char name[GB_KEY_ID_MAX + sizeof ".json"];

	snprintf(name, sizeof name, "%s.json", ring->files[i].id);
	if ((unlinkat(ring->directories[GB_KEY_PUBLIC], name, 0) < 0 && errno != ENOENT) ||
	    fsync(ring->directories[GB_KEY_PUBLIC]) < 0 || unlinkat(ring->directories[GB_KEY_PRIVATE], name, 0) < 0 ||
	    fsync(ring->directories[GB_KEY_PRIVATE]) < 0)
		return false;
	gb_numbers_free(ring->files[i].numbers);
	memmove(&ring->files[i], &ring->files[i + 1], (ring->len - i - 1) * sizeof ring->files[0]);
	ring->len--;
	return true;
}

static enum gb_err
failed_to_write(const struct gb_ring *ring, char *why, size_t why_max)
{
	snprintf(why, why_max, "%s: %s", ring->path, strerror(errno));
	return GB_ERR_MISCONFIGURED;
}

static void
make_id(char id[static GB_KEY_ID_MAX + 1], int64_t now)
{
	time_t when = (time_t)now;
	struct tm date;

	gmtime_r(&when, &date);
	snprintf(id, GB_KEY_ID_MAX + 1, "%04d%02d%02d-%08x", (date.tm_year + 1900) % 10000, (date.tm_mon + 1) % 100, date.tm_mday % 100,
	    randombytes_random());
}

static enum gb_err
check_new(const struct gb_ring *ring, const struct gb_numbers *numbers, const char *id, int64_t now, char *why, size_t why_max)
{
	const char *fault = gb_numbers_fault(numbers);
	struct gb_key *key = NULL;

	if (fault == NULL && !gb_numbers_are_private(numbers))
		fault = "holds no private key";
	if (fault == NULL && gb_key_from_numbers(id, numbers, &key, &fault) == GB_ERR_MEMORY)
		return GB_ERR_MEMORY;
	gb_key_free(key);
	if (fault == NULL && !gb_key_id_is_good(id))
		fault = "is no key id: 1 to 64 of A-Z a-z 0-9 _ -";
	for (size_t i = 0; fault == NULL && i < ring->len; i++)
		if (strcmp(ring->files[i].id, id) == 0)
			fault = "is in the ring already";
	if (fault == NULL && ring->len == GB_RING_MAX)
		fault = "is one key too many";
	if (fault != NULL) {
		snprintf(why, why_max, "%s %s", id, fault);
		return GB_ERR_MISCONFIGURED;
	}
	for (size_t i = 0; i < ring->len; i++)
		if (ring->files[i].use_from > now) {
			snprintf(why, why_max, "%s waits already to come into use; guardbee key retire takes it out", ring->files[i].id);
			return GB_ERR_CONFLICT;
		}
	return GB_OK;
}

/* Keys that sign now do so until the new one; one whose end is set keeps it. */
static bool
end_others(struct gb_ring *ring, int64_t use_from, const struct gb_ring_plan *plan)
{
	for (size_t i = 0; i < ring->len; i++) {
		struct gb_key_file *file = &ring->files[i];

		if (file->use_until != 0)
			continue;
		file->use_until = use_from;
		file->drop_at = use_from + plan->token_life_s;
		if (!write_file(ring, file))
			return false;
	}
	return true;
}

enum gb_err
gb_ring_add(struct gb_ring *ring, const struct gb_numbers *numbers, char id[static GB_KEY_ID_MAX + 1],
    const struct gb_ring_plan *plan, int64_t now, char *why, size_t why_max)
{
	struct gb_key_file *file;
	enum gb_err err;

	for (size_t i = ring->len; i-- > 0; )
		if (is_dropped(&ring->files[i], now) && !remove_file(ring, i))
			return failed_to_write(ring, why, why_max);
	if (*id == '\0')
		make_id(id, now);
	if ((err = check_new(ring, numbers, id, now, why, why_max)) != GB_OK)
		return err;
	file = &ring->files[ring->len];
	*file = (struct gb_key_file){ .use_from = active(ring, now) == NULL ? now : now + plan->delay_s };
	strcpy(file->id, id);
	if ((file->numbers = gb_numbers_new()) == NULL)
		return GB_ERR_MEMORY;
	*file->numbers = *numbers;
	if (!write_file(ring, file) || !end_others(ring, file->use_from, plan)) {
		gb_numbers_free(file->numbers);
		return failed_to_write(ring, why, why_max);
	}
	ring->len++;
	return GB_OK;
}

/* A next key that goes away leaves its place to the one before it. */
static bool
give_back(struct gb_ring *ring, int64_t use_from)
{
	for (size_t i = 0; i < ring->len; i++) {
		struct gb_key_file *file = &ring->files[i];

		if (file->use_until != use_from)
			continue;
		file->use_until = file->drop_at = 0;
		if (!write_file(ring, file))
			return false;
	}
	return true;
}

enum gb_err
gb_ring_retire(struct gb_ring *ring, const char *id, int64_t now, char *why, size_t why_max)
{
	for (size_t i = 0; i < ring->len; i++) {
		if (strcmp(ring->files[i].id, id) != 0)
			continue;
		if (&ring->files[i] == active(ring, now)) {
			snprintf(why, why_max, "%s is the key that signs: guardbee key rotate --now first", id);
			return GB_ERR_CONFLICT;
		}
		return (ring->files[i].use_from <= now || give_back(ring, ring->files[i].use_from)) && remove_file(ring, i) ?
		    GB_OK : failed_to_write(ring, why, why_max);
	}
	snprintf(why, why_max, "%s is not in the ring", id);
	return GB_ERR_NOT_FOUND;
}
