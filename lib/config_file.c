/* SPDX-License-Identifier: MIT */
/* config_file.c: secrets in files, as people keep them and as containers mount them. */
#include <errno.h>
#include <fcntl.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "config_table.h"

static bool
is_roots(const struct stat *st)
{
	return st->st_uid == 0 && (st->st_mode & 022) == 0;
}

static bool
is_private(const struct stat *st)
{
	return st->st_uid == geteuid() && (st->st_mode & 0177) == 0;
}

/* The file behind `path`, if its owner and mode are fit; -1 with *reason otherwise. */
static int
open_fit(const char *path, const char **reason)
{
	const int flags = O_RDONLY | O_CLOEXEC | O_NONBLOCK | O_NOCTTY;
	struct stat link, st;
	bool through_link;
	int fd;

	if (lstat(path, &link) != 0) {
		*reason = strerror(errno);
		return -1;
	}
	through_link = S_ISLNK(link.st_mode);
	if (through_link && link.st_uid != 0) {
		*reason = "is a symlink that is not root's";
		return -1;
	}
	if ((fd = open(path, flags | (through_link ? 0 : O_NOFOLLOW))) < 0) {
		*reason = strerror(errno);
		return -1;
	}
	if (fstat(fd, &st) != 0 || !S_ISREG(st.st_mode))
		*reason = "is not a regular file";
	else if (is_roots(&st) || (!through_link && is_private(&st)))
		return fd;
	else if (st.st_uid != geteuid() && st.st_uid != 0)
		*reason = "belongs to another user";
	else
		*reason = "must be of mode 0600 or less";
	close(fd);
	return -1;
}

static enum gb_err
read_whole(int fd, struct gb_arena *arena, const char **value, const char **reason)
{
	char *text = gb_arena_alloc(arena, GB_SETTING_MAX + 2);
	size_t len = 0;
	ssize_t got;

	if (text == NULL)
		return GB_ERR_MEMORY;
	while (len < GB_SETTING_MAX + 1 && (got = read(fd, text + len, GB_SETTING_MAX + 1 - len)) != 0) {
		if (got < 0 && errno == EINTR)
			continue;
		if (got < 0) {
			*reason = strerror(errno);
			return GB_ERR_MISCONFIGURED;
		}
		len += (size_t)got;
	}
	if (len > 0 && text[len - 1] == '\n')
		text[--len] = '\0';
	if (len == 0)
		*reason = "is empty";
	else if (len > GB_SETTING_MAX)
		*reason = "is too long";
	else if (memchr(text, '\0', len) != NULL)
		*reason = "holds a NUL byte";
	else
		*value = text;
	return *value != NULL ? GB_OK : GB_ERR_MISCONFIGURED;
}

enum gb_err
gb_secret_file_read(const char *path, struct gb_arena *arena, const char **value, const char **reason)
{
	enum gb_err err;
	int fd;

	*value = NULL;
	if ((fd = open_fit(path, reason)) < 0)
		return GB_ERR_MISCONFIGURED;
	err = read_whole(fd, arena, value, reason);
	close(fd);
	return err;
}
