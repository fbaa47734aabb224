/* SPDX-License-Identifier: MIT */
/* folder.c: a directory of one test. */
#include <ftw.h>
#include <stdio.h>
#include <stdlib.h>

#include <criterion/criterion.h>

#include "folder.h"

void
folder_make(char path[static FOLDER_MAX])
{
	const char *tmp = getenv("TMPDIR");

	snprintf(path, FOLDER_MAX, "%s/guardbee-test-XXXXXX", tmp != NULL ? tmp : "/tmp");
	cr_assert_not_null(mkdtemp(path), "%s", path);
}

static int
entry_remove(const char *path, const struct stat *st, int type, struct FTW *walk)
{
	(void)st;
	(void)type;
	(void)walk;
	return remove(path);
}

void
folder_remove(const char *path)
{
	nftw(path, entry_remove, 16, FTW_DEPTH | FTW_PHYS);
}
