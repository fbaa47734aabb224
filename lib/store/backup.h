/* SPDX-License-Identifier: MIT */
#ifndef GB_BACKUP_H
#define GB_BACKUP_H

#include <stddef.h>
#include <stdint.h>

#include "error.h"
#include "store/check.h"

/*
 * Copies of the embedded store, for the operator's command. On failure `why`
 * holds one line. `dir` is the part of DATABASE_URL behind "gdbm:".
 */
struct gb_backup {
	int64_t created_at;
	uint64_t pages;
	struct gb_check check;
	uint64_t records;		/* gb_store_check alone */
};

/* Called now and then; NULL: nobody wants to know. */
typedef void gb_progress_fn(uint64_t done, uint64_t all);

/*
 * A copy as of one moment, while others read and write: they wait for the last
 * few pages only. `file` is made anew, 0600; GB_ERR_CONFLICT if it is there.
 */
enum gb_err gb_backup_write(const char *dir, const char *file, int64_t now, gb_progress_fn *progress,
    struct gb_backup *backup, char *why, size_t why_max);

/* Lengths, checksum, every structure. */
enum gb_err gb_backup_verify(const char *file, gb_progress_fn *progress, struct gb_backup *backup,
    char *why, size_t why_max);

/* Verifies, then makes a store of it in `dir`, which must not exist. */
enum gb_err gb_backup_unpack(const char *file, const char *dir, gb_progress_fn *progress,
    struct gb_backup *backup, char *why, size_t why_max);

/*
 * Puts the store in `from` into the place of that in `dir` in one step; what
 * was there is kept as `aside`. Processes that have it open notice and open the
 * new one. All three beside each other.
 */
enum gb_err gb_backup_install(const char *from, const char *dir, const char *aside, char *why, size_t why_max);

/* All there is to look at in the store itself: sums, structure, records. Writers wait meanwhile. */
enum gb_err gb_store_check(const char *dir, int64_t now, gb_progress_fn *progress, struct gb_backup *found,
    char *why, size_t why_max);

/* Numbers of a store in use. */
struct gb_store_stats {
	uint64_t db_bytes, log_bytes, log_used_bytes;
	uint64_t commits, flushes, checkpoints, repairs, recoveries;	/* since the control page was made */
};
enum gb_err gb_store_stats(const char *dir, struct gb_store_stats *stats, char *why, size_t why_max);

#endif
