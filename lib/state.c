/* SPDX-License-Identifier: MIT */
/* state.c: the directory STATE and its secret. */
#include <errno.h>
#include <fcntl.h>
#include <stdbool.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include <sodium.h>

#include "state.h"

#define SECRET_LEN	crypto_auth_hmacsha256_KEYBYTES
#define SECRET_NAME	"secret"
#define NAME_MAX_LEN	200		/* bytes of a name below STATE */
#define ASIDE_RANDOM	12		/* bytes */
#define FOLDER_FLAGS	(O_RDONLY | O_DIRECTORY | O_NOFOLLOW | O_CLOEXEC)

struct gb_state {
	int fd;
	unsigned char secret[SECRET_LEN];
};

static const char *const folders[] = { "keys", "spool", "mail", NULL };

/* Says why in one line; errno is read before anything can change it. */
static enum gb_err
refuse(char *why, size_t why_max, const char *directory, const char *below, const char *reason)
{
	snprintf(why, why_max, "STATE: %s%s%s: %s", directory, below[0] != '\0' ? "/" : "", below,
	    reason != NULL ? reason : strerror(errno));
	return GB_ERR_MISCONFIGURED;
}

/* Nobody else may look in; our own is what the process runs as. NULL: all is well. */
static const char *
misfit(const struct stat *st, mode_t type)
{
	if ((st->st_mode & S_IFMT) != type)
		return type == S_IFDIR ? "a symlink, or not a directory" : "not a regular file";
	if (st->st_uid != geteuid())
		return "belongs to another user";
	if ((st->st_mode & 077) != 0)
		return "open to group or others, chmod go= it";
	return NULL;
}

/* Opens a directory below `at`, made when missing; -1 with the reason (NULL: errno has it). */
static int
folder_open(int at, const char *name, const char **reason)
{
	struct stat st;
	int fd;

	*reason = NULL;
	fd = openat(at, name, FOLDER_FLAGS);
	if (fd < 0 && errno == ENOENT && (mkdirat(at, name, 0700) == 0 || errno == EEXIST))
		fd = openat(at, name, FOLDER_FLAGS);
	if (fd < 0) {
		if (errno == ELOOP || errno == ENOTDIR)
			*reason = "a symlink, or not a directory";
		return -1;
	}
	if (fstat(fd, &st) < 0 || (*reason = misfit(&st, S_IFDIR)) != NULL) {
		close(fd);
		return -1;
	}
	return fd;
}

/* A folder below STATE that nobody needs open, made when missing; false with errno. */
static bool
folder_ready(int at, const char *name, struct stat *st)
{
	if (fstatat(at, name, st, AT_SYMLINK_NOFOLLOW) == 0)
		return true;
	return errno == ENOENT && (mkdirat(at, name, 0700) == 0 || errno == EEXIST) &&
	    fstatat(at, name, st, AT_SYMLINK_NOFOLLOW) == 0;
}

static enum gb_err
folders_make(const struct gb_state *state, const char *directory, char *why, size_t why_max)
{
	for (const char *const *name = folders; *name != NULL; name++) {
		const char *reason = NULL;
		struct stat st;

		if (!folder_ready(state->fd, *name, &st) || (reason = misfit(&st, S_IFDIR)) != NULL)
			return refuse(why, why_max, directory, *name, reason);
	}
	return GB_OK;
}

/* GB_ERR_NOT_FOUND when there is none yet. */
static enum gb_err
secret_read(struct gb_state *state, const char *directory, char *why, size_t why_max)
{
	int fd = openat(state->fd, SECRET_NAME, O_RDONLY | O_NOFOLLOW | O_NONBLOCK | O_CLOEXEC);
	const char *reason = NULL;
	struct stat st;
	enum gb_err err = GB_OK;

	if (fd < 0 && errno == ENOENT)
		return GB_ERR_NOT_FOUND;
	if (fd < 0)
		return refuse(why, why_max, directory, SECRET_NAME, NULL);
	if (fstat(fd, &st) < 0 || (reason = misfit(&st, S_IFREG)) != NULL)
		err = refuse(why, why_max, directory, SECRET_NAME, reason);
	else if (st.st_size != SECRET_LEN || read(fd, state->secret, SECRET_LEN) != SECRET_LEN)
		err = refuse(why, why_max, directory, SECRET_NAME, "not 32 bytes");
	close(fd);
	return err;
}

/* Two processes may start at once: whoever links first made the secret of both. */
static enum gb_err
secret_ready(struct gb_state *state, const char *directory, char *why, size_t why_max)
{
	unsigned char fresh[SECRET_LEN];
	enum gb_err err = secret_read(state, directory, why, why_max);

	if (err != GB_ERR_NOT_FOUND)
		return err;
	randombytes_buf(fresh, sizeof fresh);
	err = gb_state_write(state, SECRET_NAME, fresh, sizeof fresh, 1);
	sodium_memzero(fresh, sizeof fresh);
	if (err != GB_OK && err != GB_ERR_CONFLICT)
		return refuse(why, why_max, directory, SECRET_NAME, "cannot be written");
	if ((err = secret_read(state, directory, why, why_max)) == GB_ERR_NOT_FOUND)
		err = refuse(why, why_max, directory, SECRET_NAME, "went away");
	return err;
}

enum gb_err
gb_state_open(const char *directory, char *why, size_t why_max, struct gb_state **state)
{
	size_t len = strlen(directory);
	const char *reason;
	struct gb_state *s;
	enum gb_err err;
	char *path;

	*state = NULL;
	/* with a slash behind it a symlink would be followed */
	while (len > 1 && directory[len - 1] == '/')
		len--;
	s = calloc(1, sizeof *s);
	path = strndup(directory, len);
	if (s == NULL || path == NULL || sodium_init() < 0) {
		snprintf(why, why_max, "STATE: no memory");
		free(path);
		free(s);
		return GB_ERR_MEMORY;
	}
	if ((s->fd = folder_open(AT_FDCWD, path, &reason)) < 0)
		err = refuse(why, why_max, path, "", reason);
	else if ((err = folders_make(s, path, why, why_max)) == GB_OK)
		err = secret_ready(s, path, why, why_max);
	free(path);
	if (err != GB_OK) {
		gb_state_close(s);
		return err;
	}
	*state = s;
	return GB_OK;
}

void
gb_state_close(struct gb_state *state)
{
	if (state == NULL)
		return;
	if (state->fd >= 0)
		close(state->fd);
	sodium_memzero(state, sizeof *state);
	free(state);
}

/* Of what is not there yet, the parent; NULL: not that either. To be freed. */
static char *
real_path(const char *directory)
{
	char *path = realpath(directory, NULL), *copy, *slash;

	if (path != NULL || errno != ENOENT || (copy = strdup(directory)) == NULL)
		return path;
	if ((slash = strrchr(copy, '/')) != NULL && slash != copy) {
		*slash = '\0';
		path = realpath(copy, NULL);
	}
	free(copy);
	return path;
}

bool
gb_state_is_below(const char *directory, const char *root)
{
	char *inner = real_path(directory), *outer = realpath(root, NULL);
	size_t len = outer != NULL ? strlen(outer) : 0;
	bool below = false;

	if (inner != NULL && len > 0)
		below = strcmp(outer, "/") == 0 ||
		    (strncmp(inner, outer, len) == 0 && (inner[len] == '\0' || inner[len] == '/'));
	free(outer);
	free(inner);
	return below;
}

int
gb_state_fd(const struct gb_state *state)
{
	return state->fd;
}

void
gb_state_fingerprint(const struct gb_state *state, const char *label, const char *const *parts,
    size_t parts_len, unsigned char fingerprint[static GB_FINGERPRINT_LEN])
{
	crypto_auth_hmacsha256_state mac;
	unsigned char full[crypto_auth_hmacsha256_BYTES];

	crypto_auth_hmacsha256_init(&mac, state->secret, sizeof state->secret);
	crypto_auth_hmacsha256_update(&mac, (const unsigned char *)label, strlen(label) + 1);
	for (size_t i = 0; i < parts_len; i++) {
		uint64_t len = strlen(parts[i]);
		unsigned char len_be[8];

		for (unsigned b = 0; b < sizeof len_be; b++)
			len_be[b] = (unsigned char)(len >> (56 - 8 * b));
		crypto_auth_hmacsha256_update(&mac, len_be, sizeof len_be);
		crypto_auth_hmacsha256_update(&mac, (const unsigned char *)parts[i], len);
	}
	crypto_auth_hmacsha256_final(&mac, full);
	memcpy(fingerprint, full, GB_FINGERPRINT_LEN);
	sodium_memzero(full, sizeof full);
}

static bool
bytes_write(int fd, const unsigned char *bytes, size_t len)
{
	while (len > 0) {
		ssize_t n = write(fd, bytes, len);

		if (n < 0 && errno == EINTR)
			continue;
		if (n <= 0)
			return false;
		bytes += n;
		len -= (size_t)n;
	}
	return fsync(fd) == 0;
}

/* The file whole and synced under `aside`; nothing stays when it fails. */
static bool
aside_write(int at, const char *aside, const void *bytes, size_t len)
{
	int fd = openat(at, aside, O_WRONLY | O_CREAT | O_EXCL | O_NOFOLLOW | O_CLOEXEC, 0600);
	bool ok;

	if (fd < 0)
		return false;
	ok = bytes_write(fd, bytes, len);
	ok = close(fd) == 0 && ok;
	if (!ok)
		unlinkat(at, aside, 0);
	return ok;
}

static enum gb_err
aside_place(int at, const char *aside, const char *name, int exclusive)
{
	if (!exclusive && renameat(at, aside, at, name) == 0)
		return GB_OK;
	if (exclusive && linkat(at, aside, at, name, 0) == 0) {
		unlinkat(at, aside, 0);
		return GB_OK;
	}
	exclusive = exclusive && errno == EEXIST;
	unlinkat(at, aside, 0);
	return exclusive ? GB_ERR_CONFLICT : GB_ERR_STORE_UNAVAILABLE;
}

/* The folder of `name` (STATE itself, or one below it), to be closed by the caller. */
static int
folder_of(const struct gb_state *state, const char *name, const char **last)
{
	const char *slash = strrchr(name, '/');
	char folder[NAME_MAX_LEN + 1] = ".";

	*last = slash != NULL ? slash + 1 : name;
	if (strlen(name) > NAME_MAX_LEN)
		return -1;
	if (slash != NULL)
		snprintf(folder, sizeof folder, "%.*s", (int)(slash - name), name);
	return openat(state->fd, folder, FOLDER_FLAGS);
}

enum gb_err
gb_state_write(const struct gb_state *state, const char *name, const void *bytes, size_t len,
    int exclusive)
{
	unsigned char random[ASIDE_RANDOM];
	char aside[1 + 2 * ASIDE_RANDOM + 1] = ".";
	const char *last;
	enum gb_err err = GB_ERR_STORE_UNAVAILABLE;
	int at = folder_of(state, name, &last);

	if (at < 0)
		return err;
	randombytes_buf(random, sizeof random);
	sodium_bin2hex(aside + 1, sizeof aside - 1, random, sizeof random);
	if (aside_write(at, aside, bytes, len) &&
	    (err = aside_place(at, aside, last, exclusive)) == GB_OK && fsync(at) != 0)
		err = GB_ERR_STORE_UNAVAILABLE;
	close(at);
	return err;
}
