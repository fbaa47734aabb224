/* SPDX-License-Identifier: MIT */
/* key_file.c: one key of the ring, read with suspicion and written whole. */
#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include <sodium.h>

#include "key_file.h"

#define SUFFIX ".json"

static const struct {
	const char *name;
	mode_t mode, refused;		/* bits no file of it may have */
	const char *complaint;
} halves[] = {
	[GB_KEY_PRIVATE] = { "private", 0600, 077, "must be our own and of mode 0600" },
	[GB_KEY_PUBLIC] = { "public", 0644, 022, "must not be writable by others" },
};

static const struct {
	const char *name;
	size_t offset;
} times[] = {
	{ "use_from", offsetof(struct gb_key_file, use_from) },
	{ "use_until", offsetof(struct gb_key_file, use_until) },
	{ "drop_at", offsetof(struct gb_key_file, drop_at) },
};

const char *
gb_key_half_name(enum gb_key_half half)
{
	return halves[half].name;
}

bool
gb_key_file_id(const char *file_name, char id[static GB_KEY_ID_MAX + 1])
{
	size_t len = strlen(file_name), suffix_len = strlen(SUFFIX);

	if (len <= suffix_len || len - suffix_len > GB_KEY_ID_MAX || strcmp(file_name + len - suffix_len, SUFFIX) != 0)
		return false;
	memcpy(id, file_name, len - suffix_len);
	id[len - suffix_len] = '\0';
	return gb_key_id_is_good(id);
}

/* An absent time is 0: from the beginning, without end. */
static const char *
read_times(const struct gb_json *jwk, struct gb_key_file *file)
{
	for (size_t i = 0; i < sizeof times / sizeof *times; i++) {
		int64_t *time = (int64_t *)(void *)((char *)file + times[i].offset);
		enum gb_err err = gb_json_integer(jwk, times[i].name, time);

		if ((err != GB_OK && err != GB_ERR_MISSING_FIELD) || *time < 0)
			return "has a use_from, use_until or drop_at that is no time";
	}
	if (file->use_until != 0 && file->use_until < file->use_from)
		return "has a use_until before its use_from";
	if (file->drop_at != 0 && (file->use_until == 0 || file->drop_at < file->use_until))
		return "has a drop_at before its use_until";
	return NULL;
}

static const char *
parse(const char *text, size_t len, enum gb_key_half half, struct gb_arena *arena, struct gb_key_file *file)
{
	const struct gb_json *jwk;
	const char *kid, *fault;

	if (gb_json_parse(text, len, arena, &jwk) != GB_OK || !gb_json_is_object(jwk))
		return "is not a JSON object";
	if (gb_json_has(jwk, "kid") && (gb_json_string(jwk, "kid", &kid) != GB_OK || strcmp(kid, file->id) != 0))
		return "has a kid that is not its name";
	if ((fault = gb_numbers_from_jwk(jwk, NULL, file->numbers)) != NULL || (fault = read_times(jwk, file)) != NULL)
		return fault;
	if (gb_numbers_are_private(file->numbers) != (half == GB_KEY_PRIVATE))
		return half == GB_KEY_PRIVATE ? "holds no private key" : "holds a private key";
	return NULL;
}

static const char *
read_and_parse(int fd, size_t len, enum gb_key_half half, struct gb_key_file *file)
{
	char text[GB_KEY_FILE_MAX];
	struct gb_arena *arena = gb_arena_new();
	const char *fault;

	if (arena == NULL)
		return "cannot be read: no memory";
	fault = read(fd, text, len) == (ssize_t)len ? parse(text, len, half, arena, file) : "cannot be read";
	sodium_memzero(text, sizeof text);
	gb_arena_free(arena);
	return fault;
}

const char *
gb_key_file_read(int directory, enum gb_key_half half, const char *file_name, struct gb_key_file *file)
{
	const char *fault;
	struct stat st;
	int fd;

	if (!gb_key_file_id(file_name, file->id))
		return "is not called KID.json, KID of A-Z a-z 0-9 _ -";
	if ((fd = openat(directory, file_name, O_RDONLY | O_NOFOLLOW | O_NONBLOCK | O_CLOEXEC)) < 0)
		return errno == ELOOP ? "is a symlink" : strerror(errno);
	if (fstat(fd, &st) < 0 || !S_ISREG(st.st_mode))
		fault = "is not a regular file";
	else if ((st.st_mode & halves[half].refused) != 0 || (half == GB_KEY_PRIVATE && st.st_uid != geteuid()))
		fault = halves[half].complaint;
	else if (st.st_size > GB_KEY_FILE_MAX)
		fault = "is too long";
	else
		fault = read_and_parse(fd, (size_t)st.st_size, half, file);
	close(fd);
	return fault;
}

static const char *
to_json(const struct gb_key_file *file, enum gb_key_half half, struct gb_arena *arena, size_t *len)
{
	struct gb_json_writer writer;

	gb_json_begin(&writer, arena);
	gb_json_open(&writer, NULL, '{');
	gb_json_put_string(&writer, "kid", file->id);
	gb_json_put_string(&writer, "use", "sig");
	gb_numbers_to_jwk(file->numbers, half == GB_KEY_PRIVATE, &writer);
	for (size_t i = 0; i < sizeof times / sizeof *times; i++)
		gb_json_put_integer(&writer, times[i].name, *(const int64_t *)(const void *)((const char *)file + times[i].offset));
	gb_json_close(&writer, '}');
	return gb_json_text(&writer, len);
}

static bool
write_synced(int fd, const char *text, size_t len, mode_t mode)
{
	return fchmod(fd, mode) == 0 && write(fd, text, len) == (ssize_t)len && fsync(fd) == 0;
}

bool
gb_key_file_write(int directory, enum gb_key_half half, const struct gb_key_file *file)
{
	char name[GB_KEY_ID_MAX + sizeof SUFFIX], aside[GB_KEY_ID_MAX + 32];
	struct gb_arena *arena = gb_arena_new();
	const char *text;
	bool good = false;
	size_t len;
	int fd;

	snprintf(name, sizeof name, "%s" SUFFIX, file->id);
	snprintf(aside, sizeof aside, ".%s.%08x", file->id, randombytes_random());
	if (arena != NULL && (text = to_json(file, half, arena, &len)) != NULL &&
	    (fd = openat(directory, aside, O_WRONLY | O_CREAT | O_EXCL | O_NOFOLLOW | O_CLOEXEC, 0600)) >= 0) {
		good = write_synced(fd, text, len, halves[half].mode) && renameat(directory, aside, directory, name) == 0 &&
		    fsync(directory) == 0;
		if (!good)
			unlinkat(directory, aside, 0);
		close(fd);
	}
	gb_arena_free(arena);
	return good;
}
