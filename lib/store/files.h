/* SPDX-License-Identifier: MIT */
#ifndef GB_FILES_H
#define GB_FILES_H

#include <stdbool.h>
#include <stddef.h>

/*
 * Opens files that are ours alone. A symlink, a further hard link, anything but
 * a regular file, another owner, or a mode that lets others in is refused and
 * left untouched. Every function writes one line into `why` on failure.
 */

/* The directory, made 0700 with its parents when missing, on a local file system; -1 refused. */
int gb_files_directory(const char *path, char *why, size_t why_max);

/* A file in it: read and written; `create` makes it 0600 when missing. -1 with errno ENOENT: missing. */
int gb_files_open(int dir_fd, const char *name, bool create, char *why, size_t why_max);

#endif
