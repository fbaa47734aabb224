/* SPDX-License-Identifier: MIT */
/*
 * key_made.c: the key that development makes for itself. It is written aside
 * and linked to its name, which only the first of several processes can do;
 * then everyone reads what stands there.
 */
#include <errno.h>
#include <fcntl.h>
#include <limits.h>
#include <stdio.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include <sodium.h>

#include "key_source.h"

#define FILE_NAME "jwt.key"

static enum gb_err
fail(const char *state, const char *what, char *why, size_t why_max)
{
	snprintf(why, why_max, "%s/keys/" FILE_NAME ": %s", state, what);
	return GB_ERR_MISCONFIGURED;
}

/* STATE and STATE/keys, 0700, made when missing; -1 with errno. */
static int
open_directory(const char *state)
{
	char path[PATH_MAX];

	if (snprintf(path, sizeof path, "%s/keys", state) >= (int)sizeof path) {
		errno = ENAMETOOLONG;
		return -1;
	}
	if ((mkdir(state, 0700) < 0 && errno != EEXIST) || (mkdir(path, 0700) < 0 && errno != EEXIST))
		return -1;
	return open(path, O_RDONLY | O_DIRECTORY | O_NOFOLLOW | O_CLOEXEC);
}

static bool
write_whole(int fd, const char *bytes, size_t len)
{
	return write(fd, bytes, len) == (ssize_t)len && fsync(fd) == 0;
}

/* A fresh key under the name, unless there is one already. */
static bool
make(int directory)
{
	unsigned char bytes[GB_MADE_KEY_LEN / 2], mark[8];
	char key[GB_MADE_KEY_LEN + 1], aside[64], marked[sizeof mark * 2 + 1];
	bool good = false;
	int fd;

	randombytes_buf(bytes, sizeof bytes);
	randombytes_buf(mark, sizeof mark);
	sodium_bin2hex(key, sizeof key, bytes, sizeof bytes);
	snprintf(aside, sizeof aside, "." FILE_NAME ".%s", sodium_bin2hex(marked, sizeof marked, mark, sizeof mark));
	if ((fd = openat(directory, aside, O_WRONLY | O_CREAT | O_EXCL | O_NOFOLLOW | O_CLOEXEC, 0600)) >= 0) {
		good = write_whole(fd, key, GB_MADE_KEY_LEN) &&
		    (linkat(directory, aside, directory, FILE_NAME, 0) == 0 || errno == EEXIST) && fsync(directory) == 0;
		close(fd);
		unlinkat(directory, aside, 0);
	}
	sodium_memzero(bytes, sizeof bytes);
	sodium_memzero(key, sizeof key);
	return good;
}

static bool
is_hex(const char *key)
{
	return strspn(key, "0123456789abcdef") == GB_MADE_KEY_LEN && key[GB_MADE_KEY_LEN] == '\0';
}

static enum gb_err
read_checked(int fd, const char *state, char *why, size_t why_max, char *key)
{
	struct stat st;
	char read_back[GB_MADE_KEY_LEN + 2] = "";
	ssize_t len;

	if (fstat(fd, &st) < 0 || !S_ISREG(st.st_mode))
		return fail(state, "is not a regular file", why, why_max);
	if (st.st_uid != geteuid() || (st.st_mode & 077) != 0)
		return fail(state, "must be our own and of mode 0600", why, why_max);
	len = read(fd, read_back, sizeof read_back - 1);
	if (len > 0 && read_back[len - 1] == '\n')
		read_back[--len] = '\0';
	if (len == GB_MADE_KEY_LEN && is_hex(read_back))
		memcpy(key, read_back, GB_MADE_KEY_LEN + 1);
	else
		len = -1;
	sodium_memzero(read_back, sizeof read_back);
	return len > 0 ? GB_OK : fail(state, "does not hold 64 hex digits", why, why_max);
}

enum gb_err
gb_key_made_read(const char *state, char *why, size_t why_max, char key[static GB_MADE_KEY_LEN + 1])
{
	int directory = open_directory(state), fd = -1;
	enum gb_err err;

	if (directory < 0)
		return fail(state, strerror(errno), why, why_max);
	fd = openat(directory, FILE_NAME, O_RDONLY | O_NOFOLLOW | O_NONBLOCK | O_CLOEXEC);
	if (fd < 0 && errno == ENOENT && make(directory))
		fd = openat(directory, FILE_NAME, O_RDONLY | O_NOFOLLOW | O_NONBLOCK | O_CLOEXEC);
	if (fd < 0)
		err = fail(state, strerror(errno), why, why_max);
	else
		err = read_checked(fd, state, why, why_max, key);
	if (fd >= 0)
		close(fd);
	close(directory);
	return err;
}
