/* SPDX-License-Identifier: MIT */
#ifndef GB_FORMAT_H
#define GB_FORMAT_H

#include <stdint.h>

/*
 * GDBM's file as libgdbm 1.20 and later writes it on 64-bit little-endian
 * machines: a header, a directory of buckets by the hash's leading bits, and
 * buckets that are open hash tables of pointers to key and value.
 */
#define GB_GDBM_MAGIC		0x13579acfu
#define GB_GDBM_HASH_BITS	31
#define GB_GDBM_AVAIL		6		/* free extents a bucket holds itself */

struct gb_gdbm_free {
	int32_t size;
	int64_t at;
};

struct gb_gdbm_avail {			/* its free extents follow */
	int32_t size, count;
	int64_t next_block;
};

struct gb_gdbm_header {
	uint32_t magic;
	int32_t block_size;
	int64_t directory;
	int32_t directory_len, directory_bits, bucket_len, bucket_elements;
	int64_t next_block;
	struct gb_gdbm_avail avail;
};

struct gb_gdbm_element {
	int32_t hash;			/* -1: free */
	char key_start[4];
	int64_t at;			/* key, behind it the value */
	int32_t key_len, value_len;
};

struct gb_gdbm_bucket {
	int32_t avail_count;
	struct gb_gdbm_free avail[GB_GDBM_AVAIL];
	int32_t bits, count;
	struct gb_gdbm_element elements[];
};

_Static_assert(sizeof(struct gb_gdbm_header) == 56 && sizeof(struct gb_gdbm_bucket) == 112 &&
    sizeof(struct gb_gdbm_element) == 24 && sizeof(struct gb_gdbm_free) == 16, "GDBM's layout");

#endif
