/* SPDX-License-Identifier: MIT */
/* key_directory.c: all keys of private/ and public/. */
#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <limits.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "arena.h"
#include "key_directory.h"
#include "key_file.h"

/* What the steps of one load share. */
struct load {
	const char *path;
	enum gb_keyring_access access;
	int directories[2];		/* by enum gb_key_half; -1: not there */
	struct gb_key_ring *ring;
	char *why;
	size_t why_max;
};

static enum gb_err
fail(const struct load *load, enum gb_key_half half, const char *file_name, const char *what)
{
	snprintf(load->why, load->why_max, "JWT_KEYS_DIR: %s/%s%s%s %s", load->path, gb_key_half_name(half),
	    *file_name != '\0' ? "/" : "", file_name, what);
	return GB_ERR_MISCONFIGURED;
}

void
gb_key_directory_stamp(const char *path, struct gb_key_stamp *stamp)
{
	char name[PATH_MAX];
	struct stat st;

	memset(stamp, 0, sizeof *stamp);
	for (enum gb_key_half half = GB_KEY_PRIVATE; half <= GB_KEY_PUBLIC; half++) {
		snprintf(name, sizeof name, "%s/%s", path, gb_key_half_name(half));
		if (stat(name, &st) < 0)
			continue;
		stamp->of[half].device = st.st_dev;
		stamp->of[half].inode = st.st_ino;
		stamp->of[half].changed_at = st.st_mtim;
	}
}

/*
 * private/ is ours and closed to others: who may write there could put a key
 * of his own. A process that only verifies may lack the right to enter it.
 */
static enum gb_err
open_half(struct load *load, enum gb_key_half half)
{
	bool may_lack;
	char name[PATH_MAX];
	struct stat st;
	int fd;

	if (snprintf(name, sizeof name, "%s/%s", load->path, gb_key_half_name(half)) >= (int)sizeof name)
		return fail(load, half, "", "has too long a name");
	if ((fd = open(name, O_RDONLY | O_DIRECTORY | O_NOFOLLOW | O_CLOEXEC)) < 0) {
		may_lack = half == GB_KEY_PUBLIC ? errno == ENOENT : load->access == GB_KEYS_VERIFY && errno == EACCES;
		return may_lack ? GB_OK : fail(load, half, "", strerror(errno));
	}
	load->directories[half] = fd;
	if (fstat(fd, &st) < 0 || (st.st_mode & 022) != 0 || (half == GB_KEY_PRIVATE && st.st_uid != geteuid()))
		return fail(load, half, "", half == GB_KEY_PRIVATE ? "must be our own and not writable by others" : "must not be writable by others");
	return GB_OK;
}

static bool
is_in(const struct gb_key_ring *ring, const char *id)
{
	for (size_t i = 0; i < ring->len; i++)
		if (strcmp(ring->sources[i].id, id) == 0)
			return true;
	return false;
}

static enum gb_err
load_file(struct load *load, enum gb_key_half half, const char *file_name)
{
	struct gb_key_file file = { .numbers = gb_numbers_new() };
	struct gb_key_source *source = &load->ring->sources[load->ring->len];
	const char *fault;
	enum gb_err err;

	if (file.numbers == NULL)
		return GB_ERR_MEMORY;
	if ((fault = gb_key_file_read(load->directories[half], half, file_name, &file)) != NULL) {
		gb_numbers_free(file.numbers);
		return fail(load, half, file_name, fault);
	}
	load->ring->len++;
	strcpy(source->id, file.id);
	source->use_from = file.use_from;
	source->use_until = file.use_until;
	source->drop_at = file.drop_at;
	err = gb_key_source_fill(source, file.numbers, load->access, &fault);
	gb_numbers_free(file.numbers);
	return err == GB_ERR_MISCONFIGURED ? fail(load, half, file_name, fault) : err;
}

/*
 * Who signs takes private/ and lets public/ stand for the others; who verifies
 * takes public/ first and from private/ only what is not there: secrets.
 */
static enum gb_err
load_entry(struct load *load, enum gb_key_half half, const char *file_name)
{
	char id[GB_KEY_ID_MAX + 1];

	if (*file_name == '.')
		return GB_OK;
	if (gb_key_file_id(file_name, id) && is_in(load->ring, id))
		return GB_OK;
	if (load->access == GB_KEYS_SIGN && half == GB_KEY_PUBLIC)
		return fail(load, half, file_name, "has no private half");
	if (load->ring->len == GB_RING_MAX)
		return fail(load, half, file_name, "is one key too many");
	return load_file(load, half, file_name);
}

static enum gb_err
load_half(struct load *load, enum gb_key_half half)
{
	enum gb_err err = GB_OK;
	struct dirent *entry;
	DIR *directory;
	int fd;

	if (load->directories[half] < 0)
		return GB_OK;
	if ((fd = dup(load->directories[half])) < 0 || (directory = fdopendir(fd)) == NULL) {
		err = fail(load, half, "", strerror(errno));
		if (fd >= 0)
			close(fd);
		return err;
	}
	for (errno = 0; err == GB_OK && (entry = readdir(directory)) != NULL; errno = 0)
		err = load_entry(load, half, entry->d_name);
	if (err == GB_OK && errno != 0)
		err = fail(load, half, "", strerror(errno));
	closedir(directory);
	return err;
}

static enum gb_err
load_all(struct load *load)
{
	enum gb_key_half first = load->access == GB_KEYS_SIGN ? GB_KEY_PRIVATE : GB_KEY_PUBLIC;
	enum gb_key_half second = first == GB_KEY_PRIVATE ? GB_KEY_PUBLIC : GB_KEY_PRIVATE;
	enum gb_err err;

	if ((err = open_half(load, GB_KEY_PRIVATE)) != GB_OK || (err = open_half(load, GB_KEY_PUBLIC)) != GB_OK ||
	    (err = load_half(load, first)) != GB_OK)
		return err;
	return load_half(load, second);
}

static enum gb_err
load_once(const char *path, enum gb_keyring_access access, char *why, size_t why_max, struct gb_key_ring **ring)
{
	struct load load = { .path = path, .access = access, .directories = { -1, -1 }, .why = why, .why_max = why_max };
	enum gb_err err;

	*ring = NULL;
	if ((load.ring = calloc(1, sizeof *load.ring)) == NULL)
		return GB_ERR_MEMORY;
	err = load_all(&load);
	for (enum gb_key_half half = GB_KEY_PRIVATE; half <= GB_KEY_PUBLIC; half++)
		if (load.directories[half] >= 0)
			close(load.directories[half]);
	if (err != GB_OK) {
		gb_key_ring_free(load.ring);
		return err;
	}
	*ring = load.ring;
	return GB_OK;
}

enum gb_err
gb_key_directory_load(const char *path, enum gb_keyring_access access, char *why, size_t why_max, struct gb_key_ring **ring)
{
	enum gb_err err = load_once(path, access, why, why_max, ring);

	if (err == GB_ERR_MISCONFIGURED) {
		*why = '\0';
		err = load_once(path, access, why, why_max, ring);
	}
	return err == GB_ERR_MISCONFIGURED && !gb_memory_is_left() ? GB_ERR_MEMORY : err;
}

void
gb_key_ring_free(struct gb_key_ring *ring)
{
	if (ring == NULL)
		return;
	for (size_t i = 0; i < ring->len; i++)
		gb_key_source_clear(&ring->sources[i]);
	free(ring);
}
