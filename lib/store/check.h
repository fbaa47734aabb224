/* SPDX-License-Identifier: MIT */
#ifndef GB_CHECK_H
#define GB_CHECK_H

#include <stdint.h>

#include "error.h"

/*
 * Looks at every structure of a GDBM file: that each extent lies in the file
 * and none over another, that the directory, the buckets and the lists of free
 * extents agree, and that each slot can be found where its hash says.
 */
struct gb_check {
	uint64_t slots, buckets;
	uint64_t free_bytes;		/* in GDBM's lists */
	uint64_t lost_bytes;		/* of no use to anyone: GDBM leaks a few */
	uint64_t file_bytes;
};

/* GB_ERR_STORE_UNAVAILABLE: `why` says what is wrong. GB_ERR_MEMORY. The bytes must not change meanwhile. */
enum gb_err gb_check_structure(const unsigned char *bytes, uint64_t len, struct gb_check *check,
    char *why, size_t why_max);

#endif
