/* SPDX-License-Identifier: MIT */
#ifndef STORE_TEMPORARY_H
#define STORE_TEMPORARY_H

#include "store.h"

/* A real store in a directory of its own, for the length of a test. */
struct store_temporary {
	char root[64];			/* made by mkdtemp */
	char dir[96], url[104];		/* root/store */
};

/* Makes the directory and opens a new store in it; a failure fails the test. */
struct gb_store *store_temporary_open(struct store_temporary *temporary, int64_t now);
/* The directory alone. */
void store_temporary_make(struct store_temporary *temporary);
/* Opens the store again, as another process would. */
struct gb_store *store_temporary_again(const struct store_temporary *temporary, int64_t now);
/* The path of a file of the store; in a static buffer. */
const char *store_temporary_path(const struct store_temporary *temporary, const char *name);
/* Takes all of it away; stores must be closed. */
void store_temporary_remove(const struct store_temporary *temporary);

#endif
