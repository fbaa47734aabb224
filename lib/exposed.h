/* SPDX-License-Identifier: MIT */
#ifndef GB_EXPOSED_H
#define GB_EXPOSED_H

#include "config.h"

/* Where web servers say which folder they show to everyone: two names, NULL. */
extern const char *const gb_exposed_roots[];

/*
 * The setting whose directory holds secrets and is below `root`, or is it; *path is the directory.
 * NULL: none, *path untouched.
 */
const char *gb_exposed(const struct gb_config *config, const char *root, const char **path);

#endif
