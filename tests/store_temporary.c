/* SPDX-License-Identifier: MIT */
/* store_temporary.c: a store under /tmp. */
#include <dirent.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include <criterion/criterion.h>

#include "store_temporary.h"

void
store_temporary_make(struct store_temporary *temporary)
{
	strcpy(temporary->root, "/tmp/guardbee-store-XXXXXX");
	cr_assert_not_null(mkdtemp(temporary->root));
	snprintf(temporary->dir, sizeof temporary->dir, "%s/store", temporary->root);
	snprintf(temporary->url, sizeof temporary->url, "gdbm:%s", temporary->dir);
}

struct gb_store *
store_temporary_again(const struct store_temporary *temporary, int64_t now)
{
	struct gb_store *store = NULL;
	char why[300] = "";

	cr_assert_eq(gb_store_open(temporary->url, now, why, sizeof why, &store), GB_OK, "%s", why);
	return store;
}

struct gb_store *
store_temporary_open(struct store_temporary *temporary, int64_t now)
{
	store_temporary_make(temporary);
	return store_temporary_again(temporary, now);
}

const char *
store_temporary_path(const struct store_temporary *temporary, const char *name)
{
	static char path[256];

	snprintf(path, sizeof path, "%s/%s", temporary->dir, name);
	return path;
}

static void
remove_all(const char *dir)
{
	DIR *stream = opendir(dir);
	struct dirent *entry;
	char path[512];

	while (stream != NULL && (entry = readdir(stream)) != NULL) {
		snprintf(path, sizeof path, "%s/%s", dir, entry->d_name);
		if (strcmp(entry->d_name, ".") != 0 && strcmp(entry->d_name, "..") != 0 && unlink(path) != 0)
			remove_all(path);
	}
	if (stream != NULL)
		closedir(stream);
	rmdir(dir);
}

void
store_temporary_remove(const struct store_temporary *temporary)
{
	remove_all(temporary->root);
}
