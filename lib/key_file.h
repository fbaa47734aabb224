/* SPDX-License-Identifier: MIT */
#ifndef GB_KEY_FILE_H
#define GB_KEY_FILE_H

#include <stdint.h>

#include "numbers.h"

/*
 * One file of the ring (JWT_KEYS_DIR): a JWK with alg, kid, use_from, use_until
 * and drop_at, called KID.json, in private/ (0600) and, for a pair, its public
 * half in public/ (0644). Written aside and renamed in, so that a reader sees
 * the old file or the new one.
 */
#define GB_KEY_FILE_MAX 16384		/* bytes */

struct gb_key_file {
	char id[GB_KEY_ID_MAX + 1];
	int64_t use_from;		/* signs from here on; seconds since the epoch */
	int64_t use_until;		/* and until here; 0: not set */
	int64_t drop_at;		/* verifies until here; 0: not set */
	struct gb_numbers *numbers;	/* the caller's, allocated before the read */
};

enum gb_key_half { GB_KEY_PRIVATE, GB_KEY_PUBLIC };

/* "private", "public": the directory of a half. */
const char *gb_key_half_name(enum gb_key_half half);

/*
 * Reads NAME.json of the half's directory (an open descriptor). NULL, or what
 * is wrong, to follow the file's path: "must be our own and of mode 0600".
 */
const char *gb_key_file_read(int directory, enum gb_key_half half, const char *file_name,
    struct gb_key_file *file);

/* Writes one half into its directory; false with errno. */
bool gb_key_file_write(int directory, enum gb_key_half half, const struct gb_key_file *file);

/* The KID of a file's name, checked; false unless it is KID.json. */
bool gb_key_file_id(const char *file_name, char id[static GB_KEY_ID_MAX + 1]);

#endif
